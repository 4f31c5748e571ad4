"""What the last selection made of one tile or instruction, with the tiles that it was weighed against.

One idea: everything is read back from the lake's tables, nothing is decided again; so the report is what happened. Only the
rows that are asked for are read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.duplicates.pictures.image_signature import mean_absolute_error, thumbnail
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.curation.splits.assign_splits import SPLIT_ALIKE, SPLIT_BUFFER
from rsflow.curation.splits.ground import bounding_boxes, distances_m
from rsflow.errors import UsageError
from rsflow.inspection.rejects import read_rejects
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake, open_lake
from rsflow.lake.tile_files import read_pictures
from rsflow.phases.build import plan_build, read_config
from rsflow.phases.select.confirm_duplicates import PICTURE_LOCATION
from rsflow.planning.live_rows import read_live_rows
from rsflow.schemas.rows import filter_by_values
from rsflow.stages.label.cut_scenes import sample_key
from rsflow.tiles.encode import decode

_NAMES = {"selection": "subject", "scenes": "scene_id"}  # where a mistyped subject is looked up
_MAX_COMPARED = 64  # pictures of a split that are compared, those whose signatures are nearest


@dataclass(frozen=True, slots=True)
class Explained:
    """`subject` is the selection's row of what was asked for, `tile` that of its tile; `members` are the rows of the tile's
    cluster, the one that stands for it first. `instructions`: of the tile, by reason. `near`: of a tile that left for one of
    another split, the tile of each split that is in and nearest to it, the nearest first: on the ground, `apart_m` away, or in
    looks, `apart_grey` grey levels on average. `facts`: TILES rows by tile_id. `pictures`: of a group, its members in their
    order. `transfers`: TRANSFERS rows of what the tile got from other tiles of its cell.
    """

    subject: dict[str, Any]
    tile: dict[str, Any]
    members: tuple[dict[str, Any], ...]
    instructions: dict[str, int]
    near: tuple[dict[str, Any], ...]
    facts: dict[str, dict[str, Any]]
    pictures: tuple[dict[str, Any], ...] = ()
    transfers: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainedRejects:
    """What the selection never saw as one row: a scene, a rejected tile, a refused instruction or an annotation record.

    `scene`: the SCENES row where `subject` is a scene, else None. `tiles`: of a scene, its tiles by the selection's reason
    (`not selected yet` where no selection knows them). `rejects`: REJECTS rows of the subject and of what lies in the scene.
    """

    subject: str
    scene: dict[str, Any] | None
    tiles: dict[str, int]
    rejects: tuple[dict[str, Any], ...]


def explain(root: str, subject: str) -> Explained | ExplainedRejects:
    """What is known of a tile (by id or sample key), an instruction, a scene or an annotation record (by id).

    UsageError where the lake knows none of that name.
    """
    lake = open_lake(root)
    selected = lake.delta("selection") is not None
    found = (_read_rows(lake, "selection", "subject", subject) or _find_by_key(lake, subject)) if selected else []
    return _explain_selected(lake, found) if found else _explain_rejects(lake, subject)


def _explain_rejects(lake: Lake, subject: str) -> ExplainedRejects:
    rejects = read_rejects(lake)
    mine = tuple(row for row in rejects if subject in (row["subject"], row["scene_id"]))
    scene = next(iter(_read_rows(lake, "scenes", "scene_id", subject)), None)
    if not mine and scene is None:
        raise UsageError(
            f"{lake.root}: knows no tile, instruction, scene or rejected record {subject!r}{_suggest(lake, subject, rejects)}"
        )
    return ExplainedRejects(subject, scene, _count_outcomes(lake, subject) if scene else {}, mine)


def _count_outcomes(lake: Lake, scene_id: str) -> dict[str, int]:
    ids = sorted({row["tile_id"] for row in _read_finished(lake, "tiles", "scene_id", scene_id)})
    known = {row["subject"]: row["reason"] for row in _read_rows(lake, "selection", "subject", *ids)} if ids else {}
    return dict(sorted(Counter(known.get(tile, "not selected yet") for tile in ids).items()))


def _explain_selected(lake: Lake, found: list[dict[str, Any]]) -> Explained:
    (tile,) = _read_rows(lake, "selection", "subject", found[0]["tile_id"])
    members = _read_rows(lake, "selection", "cluster", tile["cluster"])
    members.sort(key=lambda row: (row["tile_id"] != tile["canonical"], row["tile_id"]))
    of_tile = [row for row in _read_rows(lake, "selection", "tile_id", tile["tile_id"]) if row["kind"] == "instruction"]
    nearest = {SPLIT_BUFFER: _nearest_by_distance, SPLIT_ALIKE: _nearest_by_pixels}.get(tile["reason"])
    near = nearest(lake, tile["tile_id"]) if nearest else []
    facts = _tile_rows(lake, [row["tile_id"] for row in [*members, *near]])
    reasons = dict(Counter(row["reason"] for row in of_tile))
    pictures = _group_pictures(lake, tile["tile_id"]) if tile["kind"] == "group" else ()
    return Explained(found[0], tile, tuple(members), reasons, tuple(near), facts, pictures, _transfers(lake, tile["tile_id"]))


def read_cluster_pictures(root: str, explained: Explained, most: int) -> list[tuple[dict[str, Any], bytes]]:
    """(selection row, encoded picture) of the tile that was asked for, of those near and of its cluster, `most` in all."""
    tile_id = explained.tile["tile_id"]
    if explained.pictures:
        return _read_group(root, explained)[:most]
    members = sorted(explained.members, key=lambda row: row["tile_id"] != tile_id)
    rows = [*members[:1], *explained.near, *members[1:]][:most]
    found = read_pictures(root, [explained.facts[row["tile_id"]] for row in rows])
    return [(row, found[row["tile_id"]]) for row in rows]


def _read_group(root: str, explained: Explained) -> list[tuple[dict[str, Any], bytes]]:
    rows = _tile_rows(open_lake(root), [member["tile_id"] for member in explained.pictures])
    found = read_pictures(root, rows.values())
    return [({**explained.tile, "tile_id": name}, found[name]) for name in (one["tile_id"] for one in explained.pictures)]


def _read_rows(lake: Lake, table: str, column: str, *values: str) -> list[dict[str, Any]]:
    """The rows of a table whose column has one of these values."""
    found: list[dict[str, Any]] = lake.read(table, where={column: values}).to_pylist()
    return found


def _read_finished(lake: Lake, table: str, column: str, *values: str) -> list[dict[str, Any]]:
    """Those of the rows that finished units delivered."""
    finished = set(completed_units(lake)["receipt"].to_pylist())
    return [row for row in _read_rows(lake, table, column, *values) if row["receipt"] in finished]


def _find_by_key(lake: Lake, key: str) -> list[dict[str, Any]]:
    groups = (name for name in lake.read("groups", ["group_id"])["group_id"].to_pylist() if sample_key(name) == key)
    tiles = {*(row["tile_id"] for row in _read_rows(lake, "tiles", "key", key)), *groups}
    return _read_rows(lake, "selection", "subject", *tiles) if tiles else []


def _group_pictures(lake: Lake, group: str) -> tuple[dict[str, Any], ...]:
    return tuple(next((row["members"] for row in _read_finished(lake, "groups", "group_id", group)), ()))


def _transfers(lake: Lake, tile: str) -> tuple[dict[str, Any], ...]:
    """The live rows, one for each tile that it got labels from."""
    found = _read_rows(lake, "transfers", "tile_id", tile)
    if found:
        now = read_live_rows(lake, plan_build(read_config(lake), lake), allow_missing=True)
        live = set(now.receipts("transfers").to_pylist())
        found = [row for row in found if row["receipt"] in live]
    return tuple(sorted(found, key=lambda row: str(row["from_tile"])))


def _tile_rows(lake: Lake, ids: list[str]) -> dict[str, dict[str, Any]]:
    return {row["tile_id"]: row for row in _read_finished(lake, "tiles", "tile_id", *ids)}


def _nearest_by_distance(lake: Lake, tile: str) -> list[dict[str, Any]]:
    """Of each split the tile that is in and whose ground lies nearest to that of a tile."""
    chosen = lake.read("selection", where={"kind": "tile", "selected": True})
    tile_ids = pa.chunked_array([[tile], *chosen["subject"].chunks], pa.string())
    known = filter_by_values(
        read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"], ["tile_id", "footprint"]), "tile_id", tile_ids
    )
    boxes = bounding_boxes(known["footprint"].take(pc.index_in(tile_ids, value_set=known["tile_id"].combine_chunks())))
    distances = np.nan_to_num(distances_m(boxes[:1], boxes[1:]), nan=np.inf)
    splits = np.asarray(chosen["split"].to_pylist())
    first = [int(rows[np.argmin(distances[rows])]) for rows in (np.flatnonzero(splits == name) for name in np.unique(splits))]
    first.sort(key=lambda row: distances[row])
    found = chosen.take(pa.array(first, pa.int64())).append_column("apart_m", pa.array(distances[first]))
    return [row for row in found.to_pylist() if np.isfinite(row["apart_m"])]


def _nearest_by_pixels(lake: Lake, tile: str) -> list[dict[str, Any]]:
    """Of each split the tile that is in and looks most like a tile, in any orientation; none where its picture is gone."""
    tiles = read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"], [*PICTURE_LOCATION, "signature", "signatures"])
    chosen = filter_by_values(lake.read("selection", where={"kind": "tile", "selected": True}), "tile_id", tiles["tile_id"])
    tile_ids = pa.chunked_array([[tile], *chosen["subject"].chunks], pa.string())
    known = tiles.take(pc.index_in(tile_ids, value_set=tiles["tile_id"].combine_chunks()))
    if not known["tile_id"][0].is_valid:
        return []
    signatures = np.asarray(known["signature"]).view(np.uint64)
    views = np.array(known["signatures"][0].as_py() or known["signature"][:1].to_pylist(), dtype=np.int64).view(np.uint64)
    bits = np.bitwise_count(signatures[1:, None] ^ views).min(axis=1)
    splits = np.asarray(chosen["split"].to_pylist())
    found = []
    for name in np.unique(splits):
        rows = np.flatnonzero(splits == name)
        rows = rows[np.argsort(bits[rows], kind="stable")[:_MAX_COMPARED]]
        places = known.select(PICTURE_LOCATION).take(pa.array([0, *(rows + 1)])).to_pylist()
        pictures = read_pictures(lake.root, places)
        own, *others = (thumbnail(decode(pictures[place["tile_id"]])) for place in places)
        turned = [apply_orientation(own, orientation) for orientation in range(ORIENTATIONS)]
        errors = [min(mean_absolute_error(view, other) for view in turned) for other in others]
        best = int(np.argmin(errors))
        (row,) = chosen.slice(int(rows[best]), 1).to_pylist()
        found.append({**row, "apart_grey": errors[best]})
    return sorted(found, key=lambda row: row["apart_grey"])


def _suggest(lake: Lake, subject: str, rejects: list[dict[str, Any]]) -> str:
    names = pa.concat_tables([lake.read(table, [column]).rename_columns(["name"]) for table, column in _NAMES.items()])["name"]
    known = pa.chunked_array([*names.chunks, pa.array([row["subject"] for row in rejects], pa.string())], pa.string())
    like = known.filter(pc.match_substring(known, subject.partition("/")[0])).to_pylist()
    return f"; it knows for example {min(like)!r}" if like else ""
