"""Everything that a lake knows of one sample: tile, scene, labels, instructions, selection, duplicates, companions."""

from __future__ import annotations

from typing import Any

from rsflow.errors import UsageError
from rsflow.lake.delta.formats import TABLES
from rsflow.viewer.index.index import SampleIndex
from rsflow.viewer.index.lake_rows import LakeRows

MOST_OTHERS = 24  # duplicates or companions that are shown
MIN_OVERLAP = 0.3  # intersection over union of two footprints, from which tiles show the same ground

# Columns that are numbers for machines, and far longer than all others.
_HIDDEN = {"signatures", "anchors", "keypoints", "keypoint_codes", "signature", "faint_signature"}
_TILE = [name for name in TABLES["tiles"].names if name not in _HIDDEN]

_OTHER = "o.key, o.tile_id, o.scene_id, o.source, o.sensor, o.split, o.reason, o.acquired_at, hex(o.sha256[:4]) AS version"

_DUPLICATES = f"""
SELECT {_OTHER}, o.selected FROM samples o JOIN samples s ON s.n = $n
WHERE o.cluster = s.cluster AND o.n <> s.n ORDER BY o.selected DESC, o.tile_id LIMIT {MOST_OTHERS}
"""

_COMPANIONS = f"""
WITH near AS (
    SELECT o.*, s.acquired_at AS own_date,
        (least(o.east, s.east) - greatest(o.west, s.west)) * (least(o.north, s.north) - greatest(o.south, s.south)) AS shared,
        (o.east - o.west) * (o.north - o.south) + (s.east - s.west) * (s.north - s.south) AS areas
    FROM samples o JOIN samples s ON s.n = $n
    WHERE o.scene_id <> s.scene_id AND o.west < s.east AND o.east > s.west AND o.south < s.north AND o.north > s.south
)
SELECT {_OTHER}, CAST(o.shared / (o.areas - o.shared) AS FLOAT) AS overlap FROM near o
WHERE o.shared / (o.areas - o.shared) >= {MIN_OVERLAP} ORDER BY overlap DESC, o.tile_id LIMIT {MOST_OTHERS}
"""


def sample_records(rows: LakeRows, key: str) -> dict[str, Any]:
    """The records of the sample with this key. UsageError where the lake has none."""
    index = rows.index
    card = find_sample(index, key)
    tile_id = card["tile_id"]
    instructions = sorted(rows.read("instructions", "tile_id", [tile_id]), key=lambda row: str(row["instruction_id"]))
    selection = {row["subject"]: row for row in rows.read("selection", "tile_id", [tile_id])}
    for row in instructions:
        row["selection"] = selection.get(row["instruction_id"])
    return {
        "card": card,
        "tile": next(iter(rows.read("tiles", "tile_id", [tile_id], _TILE)), None),
        "scene": next(iter(rows.read("scenes", "scene_id", [card["scene_id"]])), None),
        "labels": sorted(rows.read("labels", "tile_id", [tile_id]), key=lambda row: str(row["label_id"])),
        "instructions": instructions,
        "selection": selection.get(tile_id),
        "duplicates": index.rows(_DUPLICATES, {"n": card["n"]}),
        "companions": index.rows(_COMPANIONS, {"n": card["n"]}),
        "groups": _groups(rows, tile_id),
        "rejects": index.rows(
            "SELECT * FROM rejects WHERE subject = $tile OR starts_with(subject, $tile || '#') ORDER BY n", {"tile": tile_id}
        ),
    }


def find_sample(index: SampleIndex, key: str) -> dict[str, Any]:
    """The index's row of a sample. UsageError where there is none."""
    found = index.rows(
        "SELECT * EXCLUDE (sha256), hex(sha256) AS sha256, hex(sha256[:4]) AS version FROM samples WHERE key = $key",
        {"key": key},
    )
    if not found:
        raise UsageError(f"this lake has no sample with the key {key!r}")
    return found[0]


def _groups(rows: LakeRows, tile_id: str) -> list[dict[str, Any]]:
    """The groups of several dates, sensors or scales that the tile is a member of, each member with its sample key, and what is
    asked about the group as `instructions`."""
    found = rows.read_where("groups", "list_contains(list_transform(members, lambda member: member.tile_id), $value)", tile_id)
    ids = sorted({member["tile_id"] for group in found for member in group["members"]})
    query = f"SELECT {_OTHER} FROM samples o WHERE tile_id IN (SELECT unnest($ids))"
    known = {row["tile_id"]: row for row in rows.index.rows(query, {"ids": ids})}
    asked = rows.read("instructions", "tile_id", [group["group_id"] for group in found]) if found else []
    for group in found:
        own = (row for row in asked if row["tile_id"] == group["group_id"])
        group["instructions"] = sorted(own, key=lambda row: str(row["instruction_id"]))
        group["members"] = [{**member, **known.get(member["tile_id"], {})} for member in group["members"]]
    return sorted(found, key=lambda group: str(group["group_id"]))
