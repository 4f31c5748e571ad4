"""Tiles of one cell of the ground grid become groups, with the measured shift of every picture against the group's first.

One idea: groups are chosen from columns (rsflow.cells.groups), shifts are measured on the written pictures, which are what a
sample shows (rsflow.cells.registration). Pictures of other pixel sizes are compared at the coarser one. What the shift, or not
knowing it, means for a group is a setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image
from scipy import ndimage

from rsflow.cells.groups import CellGroup, CellTile, form_groups, tiles_without_time
from rsflow.cells.presentation import order_by_hash
from rsflow.cells.registration import UNKNOWN_SHIFT, Shift, Structure, measure_shift, structure
from rsflow.config.group_settings import Groups
from rsflow.errors import DataError
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.lake.tile_files import read_pictures
from rsflow.records import Reject
from rsflow.stage import BatchFunction, Resources
from rsflow.tiles.encode import decode

BLACK = 8  # levels up to which a pixel may be fill that JPEG changed
WHOLE = 0.999  # valid share from which a picture has no fill
SPECK_PX = 3  # dark spots smaller than this are no fill

SAME_PLACE = Shift(0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class GroupCells:
    """CELL_WORK rows in, one RECEIPTS row out per row."""

    groups: Groups
    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        def group(table: pa.Table) -> Iterator[pa.Table]:
            for row in table.to_pylist():
                yield self._cell(row)

        return group

    def _cell(self, work: dict[str, Any]) -> pa.Table:
        tiles = [_cell_tile(row) for row in work["tiles"]]
        formed = form_groups(tiles, self.groups)
        used = {tile.tile_id for group in formed for tile, _ in group.members}
        pictures = _Pictures(self.root, {row["tile_id"]: row for row in work["tiles"] if row["tile_id"] in used})
        made, rejects = [], [_no_time(work, tile) for tile in tiles_without_time(tiles, self.groups)]
        for group in formed:
            shifts = pictures.shifts([tile.tile_id for tile, _ in group.members], self.groups)
            row, lost = _resolve(work, group, shifts, self.groups)
            made += [row] if row else []
            rejects += lost
        marks = unit_mark(work, "group_cells", len(formed), len(formed) - len(made))
        return receipt_table(marks, groups=made, rejects=rejects)


class _Pictures:
    """The pictures of a cell's tiles, read once, and their structure by size."""

    def __init__(self, root: str, rows: dict[str, dict[str, Any]]) -> None:
        self._rows = rows
        self._encoded = read_pictures(root, rows.values())
        self._structures: dict[tuple[str, tuple[int, int]], Structure | None] = {}

    def shifts(self, names: list[str], settings: Groups) -> list[Shift]:
        """Of each tile against the first, in pixels of its own picture."""
        return [SAME_PLACE, *(self._shift(names[0], name, settings) for name in names[1:])]

    def _shift(self, first: str, other: str, settings: Groups) -> Shift:
        sizes = [(self._rows[name]["height_px"], self._rows[name]["width_px"]) for name in (first, other)]
        common = min(sizes)
        pair = [self._structure(name, common) for name in (first, other)]
        if pair[0] is None or pair[1] is None:
            return UNKNOWN_SHIFT
        found = measure_shift(pair[0], pair[1], settings.search_px)
        if found.dx_px is None or found.dy_px is None or found.confidence < settings.min_confidence:
            return UNKNOWN_SHIFT
        scale = sizes[1][0] / common[0]
        return replace(found, dx_px=found.dx_px * scale, dy_px=found.dy_px * scale)

    def _structure(self, name: str, size: tuple[int, int]) -> Structure | None:
        """None where the picture cannot be decoded."""
        if (name, size) not in self._structures:
            try:
                picture = decode(self._encoded[name])
            except DataError:
                self._structures[name, size] = None
            else:
                grey = picture.astype(np.float32).mean(axis=2) if picture.ndim == 3 else picture.astype(np.float32)
                valid = _valid(picture, self._rows[name]["valid_share"])
                self._structures[name, size] = structure(_resized(grey, size), _resized(valid, size) > WHOLE)
        return self._structures[name, size]


def _valid(picture: npt.NDArray[np.uint8], valid_share: float) -> npt.NDArray[np.bool_]:
    """Which pixels are no fill: a written picture shows fill in black, and so may dark water be where there is none."""
    if valid_share >= WHOLE:
        return np.ones(picture.shape[:2], np.bool_)
    dark = (picture if picture.ndim == 2 else picture.max(axis=2)) <= BLACK
    return np.asarray(~ndimage.binary_opening(dark, iterations=SPECK_PX))


def _resized(plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A plane (rows, cols) at another size, each pixel the mean of what it covers."""
    if plane.shape == size:
        return plane.astype(np.float32)
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BOX))


def _resolve(
    work: dict[str, Any], group: CellGroup, shifts: list[Shift], settings: Groups
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The GROUPS row, if there is one left, and the rejects of members and of the group."""
    sizes = {row["tile_id"]: row["height_px"] for row in work["tiles"]}
    first, kept, lost, presence = group.members[0][0], [], list[dict[str, Any]](), False
    for (tile, role), shift in zip(group.members, shifts, strict=True):
        scale = sizes[tile.tile_id] / min(sizes[tile.tile_id], sizes[first.tile_id])
        reason, action = _judge(shift, scale, settings)
        if reason and action == "reject":
            lost.append(_reject(work, tile.tile_id, *reason))
            continue
        presence |= bool(reason) and action == "presence"
        kept.append((tile, role, shift))
    name = f"{group.kind}:{work['place']}:{group.name}" if group.kind == "dates" else f"{group.kind}:{group.name}"
    if len(kept) < 2:
        detail = "its pictures do not lie on each other, or it is not known whether they do: see the rejects of its members"
        return None, [*lost, _reject(work, name, "no_partner", detail, rows=1)]
    if group.kind == "sensors":
        kept = order_by_hash(kept, sizes, name)
    return {
        "group_id": name,
        "kind": group.kind,
        "place": work["place"],
        "source": next(row["source"] for row in work["tiles"] if row["tile_id"] == kept[0][0].tile_id),
        "presence_only": presence,
        "members": [_member(tile, role, number, shift) for number, (tile, role, shift) in enumerate(kept, 1)],
    }, lost


def _judge(shift: Shift, scale: float, settings: Groups) -> tuple[tuple[str, str] | None, str]:
    """(reason and detail, what is to be done) of a member whose place is not good enough; no reason where it is."""
    if shift.length_px is None:
        detail = "the shift against the group's first picture is not known: too little that both show, or too little agreement"
        return ("misregistration_unknown", detail), settings.on_unknown
    length = shift.length_px / scale
    if length <= settings.max_shift_px:
        return None, "keep"
    detail = (
        f"is shifted by {length:.2f} pixels against the group's first picture; groups.max_shift_px is {settings.max_shift_px:g}"
    )
    return ("misregistered", detail), settings.on_shift


def _member(tile: CellTile, role: str, number: int, shift: Shift) -> dict[str, Any]:
    return {
        "tile_id": tile.tile_id,
        "sensor": tile.sensor,
        "acquired_at": tile.acquired_at,
        "role": f"date{number}" if role.startswith("date") else role,
        "dx_px": shift.dx_px,
        "dy_px": shift.dy_px,
        "registration_confidence": shift.confidence,
        "box_in_first": None,
    }


def _no_time(work: dict[str, Any], tile: CellTile) -> dict[str, Any]:
    detail = "its scene has no time, so it is in no group of dates and in none with a window: set scenes.acquired_at"
    return _reject(work, tile.tile_id, "no_time", detail)


def _reject(work: dict[str, Any], subject: str, reason: str, detail: str, rows: int = 0) -> dict[str, Any]:
    # `rows` 0: the tile stays, it is only no member.
    return reject_row(work, "group_cells", Reject("group", subject, reason, detail), rows)


def _cell_tile(row: dict[str, Any]) -> CellTile:
    return CellTile(row["tile_id"], row["sensor"], row["acquired_at"], row["valid_share"], row["cloud_share"])
