"""Groups as samples: rows like those of tiles, and the pictures that each holds.

A group is a sample of several pictures. Its row has the columns of its first picture's tile, so that whatever works on samples
(quotas, splits, shards, manifests) needs no second way: only `tile_id` and `key` are the group's own, what would compare it
with single pictures (signatures, keypoints) is null, and `group` says which picture comes first and in what role.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rsflow.schemas import COMPANIONS, OF_MEMBER, SAMPLE_GROUP_STRUCT, TILES
from rsflow.stages.label.cut_scenes import sample_key
from rsflow.stages.shard.sample_record import digest, tile_record

SAMPLES = pa.schema([*TILES, ("group", SAMPLE_GROUP_STRUCT)])

# Of a group's row: its pictures are compared with others as the tiles that they are.
_UNCOMPARED = ("signature", "signatures", "faint_signature", "anchors", "keypoints", "keypoint_codes", "raw")
_LISTS_OF_TILE = ("vocabulary", "unknown")  # columns about one picture


def group_samples(groups: pa.Table, tiles: pa.Table) -> pa.Table:
    """SAMPLES rows of the groups (GROUPS rows) all of whose members are among `tiles` (TILES rows), sorted by tile_id."""
    rows = [_sample(group, members) for group, members in _with_members(groups, tiles)]
    return pa.Table.from_pylist(rows, schema=SAMPLES)


def group_pictures(groups: pa.Table, tiles: pa.Table) -> pa.Table:
    """COMPANIONS rows of all members of these groups, the first ones too, in the order of groups and pictures."""
    rows = []
    for group, members in _with_members(groups, tiles):
        for number, (member, tile) in enumerate(zip(group["members"], members, strict=True), 1):
            place = {name: member[name] for name in OF_MEMBER}
            rows.append({**tile, **place, "companion_of": group["group_id"], "number": number})
    return pa.Table.from_pylist(rows, schema=COMPANIONS)


def _with_members(groups: pa.Table, tiles: pa.Table) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each group with the rows of its members' tiles; groups that lack one are left out."""
    tile_ids = {member["tile_id"] for group in groups["members"].to_pylist() for member in group}
    if not tile_ids:
        return []
    mine = tiles.filter(pa.compute.is_in(tiles["tile_id"], value_set=pa.array(sorted(tile_ids), pa.string())))
    known = {row["tile_id"]: row for row in mine.to_pylist()}
    found = []
    for group in groups.sort_by("group_id").to_pylist():
        members = [known.get(member["tile_id"]) for member in group["members"]]
        present = [member for member in members if member is not None]
        if len(present) == len(members):
            found.append((group, present))
    return found


def _sample(group: dict[str, Any], members: list[dict[str, Any]]) -> dict[str, Any]:
    first = members[0]
    row = {**first, **dict.fromkeys(_UNCOMPARED), **{name: [] for name in _LISTS_OF_TILE}}
    row |= {"tile_id": group["group_id"], "key": sample_key(group["group_id"])}
    row["licence"] = " AND ".join(sorted({member["licence"] for member in members}))
    row["attribution"] = sorted({name for member in members for name in member["attribution"] or ()}) or None
    row["group"] = {
        "kind": group["kind"],
        "place": group["place"],
        "role": group["members"][0]["role"],
        "tile_id": first["tile_id"],
    }
    return {**row, "digest": digest(tile_record(row))}
