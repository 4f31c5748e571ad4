"""Tiles of one cell of the ground grid become groups, with the measured shift of every picture against the group's first.

One idea: groups are chosen from columns (rsflow.cells.groups), shifts are measured on the written pictures, which are what a
sample shows (rsflow.cells.registration). Pictures of other pixel sizes are compared at the coarser one. What the shift, or not
knowing it, means for a group is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.cells.groups import CellGroup, CellTile, form_groups, form_places_group, tiles_without_time
from rsflow.cells.presentation import order_by_hash
from rsflow.cells.registration import UNKNOWN_SHIFT, Shift
from rsflow.config.group_settings import Groups
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.records import SAME_PLACE, SHUFFLED, Label, Provenance, Reject
from rsflow.schemas import label_row
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.group.cell_changes import CellChanges
from rsflow.stages.group.cell_pictures import NO_SHIFT, WHOLE, CellPictures
from rsflow.stages.group.cell_sensors import CellSensors


@dataclass(frozen=True, slots=True)
class GroupCells:
    """CELL_WORK rows in, one RECEIPTS row out per row."""

    groups: Groups
    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 6

    def open(self) -> BatchFunction:
        return over_rows(self._cell)

    def _cell(self, work: dict[str, Any]) -> pa.Table:
        tiles = [_cell_tile(row) for row in work["tiles"] if row["grid_cell"] == work["place"]]
        formed = form_groups(tiles, self.groups)
        used = {tile.tile_id for group in formed for tile, _ in group.members}
        rows = {row["tile_id"]: row for row in work["tiles"] if row["tile_id"] in used}
        pictures = CellPictures(self.root, rows, self.groups.search_px, self.groups.min_confidence)
        changes = CellChanges(self.root, self.groups.changes, rows, pictures, work["maps"])
        sensors = CellSensors(self.root, rows)
        made, labels, rejects = [], [], [_no_time(work, tile) for tile in tiles_without_time(tiles, self.groups)]
        for group in formed:
            shifts = pictures.shifts([tile.tile_id for tile, _ in group.members])
            row, lost = _resolve(work, group, shifts, self.groups)
            rejects += lost
            if row is None:
                continue
            made.append(row)
            found, refused = changes.compare(row)
            rejects += [_reject(work, row["group_id"], *each) for each in refused]
            elsewhere = self._elsewhere(work, group, row)
            found += sensors.measure(row)
            labels += _label_rows(row["group_id"], [*found, *_same_place(elsewhere is not None, 1.0)])
            if elsewhere is not None:
                made.append(elsewhere)
                labels += _label_rows(elsewhere["group_id"], _same_place(True, 0.0))
        more = sum(row["kind"] == "places" for row in made)
        marks = unit_mark(work, "group_cells", len(formed) + more, len(formed) + more - len(made))
        return receipt_table(marks, groups=made, labels=labels, rejects=rejects)

    def _elsewhere(self, work: dict[str, Any], group: CellGroup, row: dict[str, Any]) -> dict[str, Any] | None:
        """For a pair of sensors: the GROUPS row of one of its pictures beside other ground, where there is any. All are without
        fill, for its outline would give the answer away."""
        if group.kind != "sensors" or len(group.members) != 2 or len(row["members"]) != 2:
            return None
        if any(tile.valid_share < WHOLE for tile, _ in group.members):
            return None
        whole = [tile for tile in work["tiles"] if tile["valid_share"] >= WHOLE]
        others = [[_cell_tile(tile) for tile in whole if tile["grid_cell"] == cell] for cell in work["siblings"]]
        found = form_places_group(group, others, self.groups)
        if found is None:
            return None
        sizes = {tile["tile_id"]: tile["height_px"] for tile in work["tiles"]}
        name = f"places:{found.name}"
        shifts = (NO_SHIFT, UNKNOWN_SHIFT)
        kept = order_by_hash([(*each, shift) for each, shift in zip(found.members, shifts, strict=True)], sizes, name)
        cell = {tile["tile_id"]: tile["grid_cell"] for tile in work["tiles"]}[found.members[1][0].tile_id]
        members = [_member(tile, role, shift) for tile, role, shift in kept]
        return {**row, "group_id": name, "kind": "places", "place": f"{work['place']} | {cell}", "presence_only": True} | {
            "members": members
        }


def _same_place(is_asked: bool, value: float) -> list[Label]:
    """The fact whether a group shows one place; asked only where a group of two places goes with one of one place."""
    return [Label("fact", SAME_PLACE, Provenance("annotation", "ground_grid"), value=value)] if is_asked else []


def _label_rows(group_id: str, labels: list[Label]) -> list[dict[str, Any]]:
    return [
        {"label_id": f"{group_id}#change.{number}", "tile_id": group_id, **label_row(label)}
        for number, label in enumerate(labels)
    ]


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
    kind = "pair" if group.kind == "pairs" else group.kind
    name = f"{kind}:{group.name}" if kind == "sensors" else f"{kind}:{work['place']}:{group.name}"
    if len(kept) < 2:
        detail = "its pictures do not lie on each other, or it is not known whether they do: see the rejects of its members"
        return None, [*lost, _reject(work, name, "no_partner", detail, rows=1)]
    if group.kind in {"sensors", SHUFFLED}:
        kept = order_by_hash(kept, sizes, name)
    return {
        "group_id": name,
        "kind": kind,
        "place": work["place"],
        "source": next(row["source"] for row in work["tiles"] if row["tile_id"] == kept[0][0].tile_id),
        "presence_only": presence,
        "members": [_member(tile, _role(kind, role, number), shift) for number, (tile, role, shift) in enumerate(kept, 1)],
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


def _role(kind: str, role: str, number: int) -> str:
    """Of a picture of a group: numbers of dates are given anew where one is missing, and say nothing of time where that is
    asked."""
    if kind == SHUFFLED:
        return f"view{number}"
    return f"date{number}" if role.startswith("date") else role


def _member(tile: CellTile, role: str, shift: Shift) -> dict[str, Any]:
    return {
        "tile_id": tile.tile_id,
        "sensor": tile.sensor,
        "acquired_at": tile.acquired_at,
        "role": role,
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
