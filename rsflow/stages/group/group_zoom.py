"""Tiles of one large scene become groups: its overview, a tile of the scale between, a tile of the scene itself inside that.

The pictures lie in each other exactly, for all of them count in pixels of one scene: no shift is measured.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.lake.receipts import receipt_table, unit_mark
from rsflow.records import DETAIL, MIDDLE, OVERVIEW
from rsflow.schemas import window_from_row
from rsflow.spatial.geometry import Box
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.label.cut_scenes import sample_key
from rsflow.tiles.zoom import ScaledTile, choose_pairs

KIND = "zoom"
_OF_OBJECTS = frozenset({"box"})


@dataclass(frozen=True, slots=True)
class GroupZoom:
    """ZOOM_WORK rows in, one RECEIPTS row out per row.

    A scene whose overview is no tile (it was screened out) has no groups, and one reject `missing_partner` says so.
    """

    samples_per_scene: int
    seed: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        return over_rows(self._scene)

    def _scene(self, work: dict[str, Any]) -> pa.Table:
        rows = {row["tile_id"]: row for row in work["tiles"]}
        scales = {scale["role"]: scale for scale in work["scales"]}
        tiles = _scaled_tiles(work)
        overview = next(iter(tiles[OVERVIEW]), None)
        if overview is None:
            return receipt_table(unit_mark(work, "group_zoom", 1, 1), groups=[], rejects=[_no_overview(work)])
        order = {name: _rank(name, self.seed) for name in rows}
        pairs = choose_pairs(tiles[MIDDLE], tiles[DETAIL], self.samples_per_scene, order)
        factor = scales[OVERVIEW]["factor"]
        groups = [
            {
                "group_id": f"{KIND}:{detail.tile_id}",
                "kind": KIND,
                "place": work["place"],
                "source": work["source"],
                "presence_only": None,
                "members": [
                    _member(rows[overview.tile_id], OVERVIEW, None),
                    _member(rows[middle.tile_id], MIDDLE, middle.box_at(factor)),
                    _member(rows[detail.tile_id], DETAIL, detail.box_at(factor)),
                ],
            }
            for middle, detail in pairs
        ]
        return receipt_table(unit_mark(work, "group_zoom", len(groups)), groups=groups, rejects=[])


def _scaled_tiles(work: dict[str, Any]) -> dict[str, list[ScaledTile]]:
    """The tiles of the scene by scale."""
    scales = {scale["scene_id"]: scale for scale in work["scales"]}
    objects = Counter(label["tile_id"] for label in work["labels"] if label["kind"] in _OF_OBJECTS)
    found: dict[str, list[ScaledTile]] = defaultdict(list)
    for row in work["tiles"]:
        scale = scales[row["scene_id"]]
        tile = ScaledTile(row["tile_id"], window_from_row(row), scale["factor"], objects[row["tile_id"]])
        found[scale["role"]].append(tile)
    return found


def _rank(tile_id: str, seed: int) -> int:
    return int(sample_key(f"{seed} {tile_id}"), 16)


def _member(tile: dict[str, Any], role: str, box: Box | None) -> dict[str, Any]:
    unmeasured = {"dx_px": None, "dy_px": None, "registration_confidence": None}
    same = {name: tile[name] for name in ("tile_id", "sensor", "acquired_at")}
    return {**same, "role": role, **unmeasured, "box_in_first": list(box) if box else None}


def _no_overview(work: dict[str, Any]) -> dict[str, Any]:
    detail = "the overview of the scene is no tile: it was rejected, so nothing can be found in it"
    return {
        "kind": "group",
        "subject": f"{KIND}:{work['place']}",
        "scene_id": work["scene_id"],
        "source": work["source"],
        "step": "group_zoom",
        "reason": "missing_partner",
        "detail": detail,
        "file": "",
        "rows": 1,
    }
