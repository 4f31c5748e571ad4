"""Objects that a coarser scale of a scene is too coarse to show are no labels of its tiles.

One idea: what is not visible in a picture is neither named nor denied there, so its category is unknown in the tile. How many
there are in the whole scene is known all the same, where every one is annotated: the tile that shows the whole scene has a
label "count" of each such category.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.instructions.facts.completeness import complete_categories
from rsflow.instructions.facts.objects import is_uncertain
from rsflow.instructions.wording import english
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import label_from_row, label_row
from rsflow.spatial.geometry import min_area_rectangle, to_quad
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import replace

_COLUMNS = ["labels", "vocabulary", "unknown", "reduction"]
_EXTENT = ["row_off", "col_off", "height_px", "width_px", "scene_height_px", "scene_width_px"]
COUNTED = Provenance("annotation", "count")


@dataclass(frozen=True, slots=True)
class HideSmallObjects:
    """`min_visible_px`: the shorter side from which an object is visible. Tiles of a scene at its own scale stay the same."""

    min_visible_px: float
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        return over_kept(self._hide)

    def _hide(self, table: pa.Table) -> Iterator[pa.Table]:
        rows = table.select([*_COLUMNS, *_EXTENT]).to_pylist()
        for row in rows:
            if row["reduction"] is not None:
                self._hide_in(row)
        yield replace(table, **{name: [row[name] for row in rows] for name in ("labels", "vocabulary", "unknown")})

    def _hide_in(self, row: dict[str, Any]) -> None:
        labels = [label_from_row(label) for label in row["labels"]]
        vocabulary = list(row["vocabulary"] or ())
        visible = [label for label in labels if label.kind != "box" or self._is_visible(label)]
        hidden = {label.category for label in labels if label.kind == "box" and not self._is_visible(label)}
        counts = count_objects(labels, vocabulary) if _shows_scene(row) else []
        unknown = {*(row["unknown"] or ()), *hidden}
        row["labels"] = [label_row(label) for label in [*visible, *counts]]
        row["vocabulary"], row["unknown"] = complete_categories(vocabulary, unknown), sorted(unknown)

    def _is_visible(self, label: Label) -> bool:
        if label.shape is None:
            return True
        return shorter_side(label.shape) >= self.min_visible_px


def shorter_side(shape: Shape) -> float:
    """Of the object's own rectangle where it is oriented, else of its box, in pixels."""
    turned = to_quad(shape.polygon) if shape.oriented and len(shape.polygon) == 8 else None
    found = min_area_rectangle(turned or shape.box)
    return min(found.width_px, found.height_px)


def count_objects(labels: list[Label], vocabulary: list[str]) -> list[Label]:
    """A label "count" of each category of the vocabulary, in its order, whose objects are all certain; 0 where it has none."""
    nouns = {english.singular_noun(category): category for category in reversed(vocabulary)}
    boxes = [(english.singular_noun(label.category), label) for label in labels if label.kind == "box"]
    uncertain = {noun for noun, label in boxes if is_uncertain(label)}
    counts = Counter(noun for noun, _ in boxes)
    return [
        Label("count", category, COUNTED, value=float(counts[noun]))
        for noun, category in reversed(nouns.items())
        if noun and noun not in uncertain
    ]


def _shows_scene(row: dict[str, Any]) -> bool:
    return bool(
        row["row_off"] == row["col_off"] == 0
        and row["height_px"] >= row["scene_height_px"]
        and row["width_px"] >= row["scene_width_px"]
    )
