"""Objects of a tile as instructions use them: position, size, certainty, and whether a text can hold their box.

Of an oriented box the rectangle itself is measured (its shorter side, its area), of a polygon its area; horizontal answers
give the box around it. An oriented box whose corners leave the picture is used as a horizontal one only, because the text
formats cannot write it.

Objects that annotators flag are uncertain: "crowd" is several objects in one box, "difficult" and "ignore" objects that
annotators could not be sure of. None is named, pointed at or listed, and as their number is unknown, their category gives no
count, no complete list, no unique phrase and no absence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.records import Label, Shape, TileFacts
from rsflow.spatial.geometry import Box, Parts, Quad, Region, area, corners, min_area_rectangle, ring_area, to_quad
from rsflow.spatial.polygons import parts_area, round_parts

UNCERTAIN_FLAGS = frozenset({"crowd", "difficult", "ignore"})
PARTLY_VISIBLE_FLAGS = frozenset({"occluded", "truncated"})
EDGE_PX = 0.01  # rounding that a corner may lie outside the picture
HUNDREDTHS = 100  # MMRS-1M's and LLaVA's coordinates, the coarsest that there are: rsflow.dialects.mmrs


@dataclass(frozen=True, slots=True)
class TileObject:
    """An object: its position in the tile's labels, its box, whether the tile cuts it off, and whether it is fully visible.

    `quad`: its corners where it is oriented. `outline`: all parts and holes of its polygon where it has another. `area_px` and
    `shorter_px` are those of the most exact of these that there is.
    """

    label: int
    box: Box
    truncated: bool
    fully_visible: bool
    quad: Quad | None
    outline: Parts
    area_px: float
    shorter_px: float

    @property
    def region(self) -> Region:
        return self.quad or self.box


def tile_object(position: int, shape: Shape, facts: TileFacts) -> TileObject:
    box = shape.box
    shorter, size = min(box[2] - box[0], box[3] - box[1]), area(box)
    turned = to_quad(shape.polygon) if shape.oriented and len(shape.polygon) == 8 else None
    if turned:
        found = min_area_rectangle(turned)
        shorter, size = min(found.width_px, found.height_px), found.width_px * found.height_px
    elif shape.polygon:
        size = parts_area(shape.area_parts) or size
    kept = turned if turned and _inside(turned, facts) else None
    whole = not shape.truncated and PARTLY_VISIBLE_FLAGS.isdisjoint(shape.flags)
    return TileObject(position, box, shape.truncated, whole, kept, () if turned else shape.area_parts, size, shorter)


def is_uncertain(label: Label) -> bool:
    return label.shape is not None and not UNCERTAIN_FLAGS.isdisjoint(label.shape.flags)


def collapses_when_rounded(region: Region, facts: TileFacts) -> bool:
    """Whether its area is lost when its corners are rounded to hundredths of the padded square
    (rsflow.dialects.spelling.padded_square)."""
    side = max(facts.height_px, facts.width_px)
    pads = (int((side - facts.width_px) / 2), int((side - facts.height_px) / 2))
    rounded = [round(round((value + pads[i % 2]) / side, 2) * HUNDREDTHS) for i, value in enumerate(corners(region))]
    return ring_area(rounded) == 0


def polygon_fields(things: Sequence[TileObject]) -> dict[str, Any]:
    """The outlines of a structured answer, in tenths of a pixel; nothing where no object has one.

    `polygons`: per object one flat ring, that of its largest part ([] without an outline). `parts`, where an object has several
    parts or holes: per object its parts, each as the outer ring and then its holes.
    """
    outlines = [round_parts(found.outline, 1) for found in things]
    if not any(outlines):
        return {}
    largest = [max((part[0] for part in parts), key=ring_area, default=()) for parts in outlines]
    whole = all(sum(map(len, parts)) <= 1 for parts in outlines)
    return {"polygons": [list(ring) for ring in largest]} | (
        {} if whole else {"parts": [_to_lists(parts) for parts in outlines]}
    )


def _to_lists(parts: Parts) -> list[list[list[float]]]:
    return [[list(ring) for ring in part] for part in parts]


def _inside(turned: Quad, facts: TileFacts) -> bool:
    return all(-EDGE_PX <= value <= (facts.height_px if i % 2 else facts.width_px) + EDGE_PX for i, value in enumerate(turned))
