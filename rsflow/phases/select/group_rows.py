"""Groups as rows beside the tiles that the selection works on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.group_verdicts import GroupMembers
from rsflow.curation.hashing import stable_hashes
from rsflow.curation.value_codes import value_codes
from rsflow.planning.live_rows import LiveRows
from rsflow.planning.sources.zoom_scales import stored_scene_id
from rsflow.records import OVERVIEW
from rsflow.schemas.rows import filter_by_values

# What a group's row takes from its first picture: what quotas and instructions look at.
_SAME = frozenset(
    {
        "tile_id",
        "scene_id",
        "source",
        "sensor",
        "licence",
        "height_px",
        "width_px",
        "gsd_m",
        "footprint",
        "cell",
        "source_split",
    }
)


@dataclass(frozen=True, slots=True)
class GroupRows:
    """`rows`: with the columns and types of the tiles; `members`: their pictures as rows of the tiles."""

    rows: pa.Table
    members: GroupMembers


def read_group_rows(now: LiveRows, tiles: pa.Table, seed: int) -> GroupRows:
    """The groups all of whose pictures are among the tiles, sorted by id."""
    samples = now.group_samples()
    if not samples.num_rows:
        return GroupRows(tiles.slice(0, 0), replace(GroupMembers.none(), same_split=tiles_of_scales(tiles["scene_id"])))
    columns = {}
    for field in tiles.schema:
        known = field.name in _SAME and field.name in samples.column_names
        empty = _EMPTY.get(field.name)
        values = (
            samples[field.name]
            if known
            else pa.nulls(samples.num_rows)
            if empty is None
            else pa.repeat(empty, samples.num_rows)
        )
        columns[field.name] = values.cast(field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
    rows = pa.table({name: _as_type(values, tiles.schema.field(name).type) for name, values in columns.items()})
    return GroupRows(rows, _members(now, samples, tiles, seed))


_EMPTY = {"n_labels": 0, "scene_rejected": False, "was_canonical": False}


def _as_type(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return values.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else values


def _members(now: LiveRows, samples: pa.Table, tiles: pa.Table, seed: int) -> GroupMembers:
    row_of = {name: row for row, name in enumerate(tiles["tile_id"].to_pylist())}
    number = {name: place for place, name in enumerate(samples["tile_id"].to_pylist())}
    groups = [
        group for group in now.groups().select(["group_id", "kind", "members"]).to_pylist() if group["group_id"] in number
    ]
    pairs = [(number[group["group_id"]], row_of[member["tile_id"]]) for group in groups for member in group["members"]]
    kinds = {group["group_id"]: group["kind"] for group in groups}
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    source = value_codes(samples["source"].combine_chunks())
    kind = value_codes(pa.array([kinds[name] for name in samples["tile_id"].to_pylist()]))
    priority = stable_hashes(samples["tile_id"], seed)
    changed = _changed(now, number)
    return GroupMembers(
        len(number), found[:, 0], found[:, 1], changed, source, kind, priority, tiles_of_scales(tiles["scene_id"])
    )


def tiles_of_scales(scene_ids: pa.ChunkedArray) -> Indices:
    """Pairs (n, 2) of rows: of each scene that has an overview, the overview with every tile of any scale, for it shows them
    all."""
    codes = pc.dictionary_encode(scene_ids).combine_chunks()
    names = codes.dictionary.to_pylist()
    number = {name: place for place, name in enumerate(names)}
    stored = np.array([number.get(f"{stored_scene_id(name)}@{OVERVIEW}", -1) for name in names], dtype=np.int64)
    scene = np.asarray(codes.indices, dtype=np.int64)
    first = np.full(len(names), -1, dtype=np.int64)
    first[scene[::-1]] = np.arange(len(scene))[::-1]
    rows = np.flatnonzero(stored[scene] >= 0)
    return np.stack([first[stored[scene[rows]]], rows], axis=1)


def _changed(now: LiveRows, number: dict[str, int]) -> Indices:
    """Of each group 1 where one of its instructions says that something changed, 0 where one says that nothing did, else -1."""
    columns = ["tile_id", "answer", "receipt"]
    rows = filter_by_values(now.lake.read("instructions", columns, {"task": "change"}), "receipt", now.receipts("instructions"))
    found = np.full(len(number), -1, dtype=np.int64)
    for row in rows.select(["tile_id", "answer"]).to_pylist():
        changed = json.loads(row["answer"]).get("changed")
        if changed is not None and row["tile_id"] in number:
            place = number[row["tile_id"]]
            found[place] = max(found[place], int(changed))
    return found
