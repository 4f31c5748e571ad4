"""The order in which a group's pictures are shown.

Dates stand in the order of time. Sensors stand in an order by hash: if the first image were always the optical one, a model
would learn the place of an image instead of its look. Shifts are against the picture that is shown first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from rsflow.cells.groups import CellTile
from rsflow.cells.registration import UNKNOWN_SHIFT, Shift

Member = tuple[CellTile, str, Shift]


def order_by_hash(members: Sequence[Member], heights: Mapping[str, int], group: str) -> list[Member]:
    """The members in an order of the group's own, shifts against the new first one. `heights`: of the pictures, in pixels."""
    ordered = sorted(members, key=lambda one: hashlib.blake2b(f"{group} {one[0].tile_id}".encode()).digest())
    first, _, base = ordered[0]
    return [
        (tile, role, _subtract_shift(shift, base, heights[tile.tile_id] / heights[first.tile_id]))
        for tile, role, shift in ordered
    ]


def _subtract_shift(shift: Shift, base: Shift, scale: float) -> Shift:
    """A shift against the picture that has itself the shift `base`; `scale`: pixels of the one per pixel of the other."""
    if shift is base:
        return Shift(0.0, 0.0, 1.0)
    if shift.dx_px is None or shift.dy_px is None or base.dx_px is None or base.dy_px is None:
        return UNKNOWN_SHIFT
    confidence = min(shift.confidence, base.confidence)
    return Shift(shift.dx_px - base.dx_px * scale, shift.dy_px - base.dy_px * scale, confidence)
