"""Which tiles of a large scene go with its overview: for a tile of the scale between, the tile of the scene itself inside it.

One idea: pure choices over windows and numbers of labels, the same whatever the order in which tiles come. Where nothing is
labelled there is little to ask about, so tiles with labels come first; equal ones are decided by a hash of their ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rsflow.spatial.geometry import Box, Window


@dataclass(frozen=True, slots=True)
class ScaledTile:
    """A tile of a scene's scale that is `factor` times coarser than the scene. `labels`: how many objects it shows."""

    tile_id: str
    window: Window
    factor: int
    labels: int = 0

    def box_at(self, factor: int) -> Box:
        """The tile's outline in pixels of a scale that is `factor` times coarser than the scene."""
        scale = self.factor / factor
        left, top, right, bottom = self.window.box
        return (left * scale, top * scale, right * scale, bottom * scale)


Pair = tuple[ScaledTile, ScaledTile]  # of the scale between, and of the scene itself


def choose_pairs(
    middles: Collection[ScaledTile], details: Collection[ScaledTile], count: int, order: Mapping[str, int]
) -> list[Pair]:
    """At most `count` pairs, by the ids of their details: of each tile of the scale between the detail inside it that shows
    most objects. No detail is in two pairs. `order`: by tile_id, which of equal ones comes first.
    """
    ranked = sorted(
        ((middle, detail) for middle, inside in _inside(middles, details) for detail in inside),
        key=lambda pair: (-pair[1].labels, order[pair[1].tile_id], order[pair[0].tile_id]),
    )
    chosen: dict[str, Pair] = {}
    taken: set[str] = set()
    for middle, detail in ranked:
        if len(chosen) < count and middle.tile_id not in taken and detail.tile_id not in chosen:
            chosen[detail.tile_id] = (middle, detail)
            taken.add(middle.tile_id)
    return [chosen[name] for name in sorted(chosen)]


def _inside(middles: Collection[ScaledTile], details: Collection[ScaledTile]) -> Iterator[tuple[ScaledTile, list[ScaledTile]]]:
    """Each tile of the scale between, with the details that lie wholly in it."""
    rows: dict[int, list[ScaledTile]] = defaultdict(list)
    for detail in details:
        rows[detail.window.row_off].append(detail)
    for middle in middles:
        left, top, right, bottom = middle.box_at(1)
        yield (
            middle,
            [
                detail
                for row, found in rows.items()
                if top <= row
                for detail in found
                if detail.window.row_stop <= bottom and left <= detail.window.col_off and detail.window.col_stop <= right
            ],
        )
