"""Tiles of several scenes of one place become groups: those of the same window, one of each scene, with the measured shift of
every picture against the first.

The scenes of an annotated pair have one pixel grid, and annotators took them to lie on each other; how well they do is measured
all the same (rsflow.cells.registration), so that nothing narrower than the shift is called a change. Where the pictures share
too little structure the shift stays unknown.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.config.group_settings import Groups
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.records import Reject
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.group.cell_pictures import CellPictures

_WINDOW = ("row_off", "col_off", "height_px", "width_px")
_SETTINGS = Groups()  # how far and how certain a shift is looked for


@dataclass(frozen=True, slots=True)
class GroupTiles:
    """GROUP_WORK rows in, one RECEIPTS row out per row.

    The scenes of a row share one pixel grid. A window of which a scene has no tile (it was screened out) is a reject
    `missing_partner`: a comparison needs all its pictures.
    """

    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_rows(lambda row: _unit(row, self.root))


def _unit(work: dict[str, Any], root: str) -> pa.Table:
    by_window: dict[tuple[int, ...], dict[str, dict[str, Any]]] = defaultdict(dict)
    for tile in work["tiles"]:
        by_window[tuple(tile[name] for name in _WINDOW)][tile["scene_id"]] = tile
    windows = [
        [(tiles[scene["scene_id"]], scene["role"]) for scene in work["scenes"] if scene["scene_id"] in tiles]
        for _, tiles in sorted(by_window.items())
    ]
    whole = [members for members in windows if len(members) == len(work["scenes"])]
    pictures = CellPictures(
        root, {tile["tile_id"]: tile for members in whole for tile, _ in members}, _SETTINGS.search_px, _SETTINGS.min_confidence
    )
    groups = [_group_row(work, members, pictures) for members in whole]
    rejects = [_reject_row(work, members) for members in windows if len(members) < len(work["scenes"])]
    marks = unit_mark(work, "group", len(by_window), len(rejects))
    return receipt_table(marks, groups=groups, rejects=rejects)


def group_id(kind: str, tile_id: str) -> str:
    """The id of the group whose last picture is this tile."""
    return f"{kind}:{tile_id}"


def _group_row(work: dict[str, Any], members: list[tuple[dict[str, Any], str]], pictures: CellPictures) -> dict[str, Any]:
    shifts = pictures.shifts([tile["tile_id"] for tile, _ in members])
    same = [
        {
            **{name: tile[name] for name in ("tile_id", "sensor", "acquired_at")},
            "role": role,
            "dx_px": shift.dx_px,
            "dy_px": shift.dy_px,
            "registration_confidence": shift.confidence,
            "box_in_first": None,
        }
        for (tile, role), shift in zip(members, shifts, strict=True)
    ]
    return {
        "group_id": group_id(work["kind"], members[-1][0]["tile_id"]),
        "kind": work["kind"],
        "place": work["place"],
        "source": members[0][0]["source"],
        "presence_only": None,
        "members": same,
    }


def _reject_row(work: dict[str, Any], members: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    present = {role for _, role in members}
    lacking = ", ".join(scene["role"] for scene in work["scenes"] if scene["role"] not in present)
    tile = members[-1][0]
    detail = f"the picture of the same window {lacking} is no tile: it was rejected, so nothing can be compared"
    reject = Reject("group", group_id(work["kind"], tile["tile_id"]), "missing_partner", detail)
    return reject_row({**work, "scene_id": tile["scene_id"]}, "group", reject, rows=1)
