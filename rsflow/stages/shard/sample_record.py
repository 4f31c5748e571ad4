"""What a sample's JSON member says: the part that its tile gives, and the part that each instruction gives.

One idea: a record holds what a loader and a person need and nothing that changes between runs: no receipt, no file of the lake,
no time of writing. Each part has a digest, kept as a column, so the name of a shard follows from what is in it before anything
is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

_SAME = ("key", "tile_id", "scene_id", "source", "sensor", "licence", "height_px", "width_px", "gsd_m", "crs", "cell", "bands")
_SCORES = ("valid_share", "cloud_share", "sharpness", "contrast")
_OF_SAMPLE = {"key", "cell", "raw"}  # what a companion's own sample has
_RAW = ("dtype", "unit", "nodata", "sha256")
_CALIBRATION = ("scale", "offset", "calibrated_by")  # null in rows of older versions, whose records stay as they were


def tile_record(tile: dict[str, Any], invalid: Sequence[int] = ()) -> dict[str, Any]:
    """The tile's part, from a TILES row and, where its raw bands were kept, the runs of pixels that are not valid (JSON types
    only)."""
    raw = {"raw": {**_raw_record(tile["raw"]), "invalid": list(invalid)}} if tile["raw"] else {}
    named = {"attribution": tile["attribution"]} if tile.get("attribution") else {}
    size = {"pixel_m": tile["pixel_m"]} if tile["pixel_m"] else {}
    return {
        **{name: tile[name] for name in _SAME},
        **size,
        **named,
        "window": [tile[name] for name in ("row_off", "col_off", "height_px", "width_px")],
        "footprint": tile["footprint"],
        "acquired_at": tile["acquired_at"].isoformat() if tile["acquired_at"] else None,
        "scores": {name: tile[name] for name in _SCORES},
        "picture_sha256": tile["picture_sha256"],
        **raw,
    }


def _raw_record(raw: dict[str, Any]) -> dict[str, Any]:
    known = {name: raw[name] for name in _CALIBRATION if raw.get(name) is not None}
    return {**{name: raw[name] for name in _RAW}, **known}


def companion_record(tile: dict[str, Any]) -> dict[str, Any]:
    """What is told of a further picture of the sample, from a COMPANIONS row (JSON types only)."""
    own = {name: value for name, value in tile_record(tile).items() if name not in _OF_SAMPLE}
    if tile["role"] is None:
        return {**own, "iou": tile["iou"], "shown": tile["shown"]}
    return {**own, "number": tile["number"], "role": tile["role"], **member_place(tile)}


def member_place(tile: dict[str, Any]) -> dict[str, Any]:
    """How a group's picture lies to the first, from a COMPANIONS row: the box of the first one that it shows, or the measured
    shift; nothing where neither is known."""
    if tile.get("box_in_first"):
        return {"box_in_first": tile["box_in_first"]}
    if tile["dx_px"] is None or tile["dy_px"] is None:
        return {}
    return {"shift_px": [tile["dx_px"], tile["dy_px"]], "registration_confidence": tile["registration_confidence"]}


def group_record(tile: dict[str, Any]) -> dict[str, Any]:
    """What is told of a sample that is a group, from a row with `group`; nothing of a tile."""
    return {"group": tile["group"]} if tile.get("group") else {}


def instruction_record(row: dict[str, Any]) -> dict[str, Any]:
    """An instruction's part, from an INSTRUCTIONS row (JSON types only)."""
    return {
        "id": row["instruction_id"],
        "task": row["task"],
        "turns": row["turns"],
        "boxes": row["boxes"],
        **({"box_pictures": row["box_pictures"]} if row.get("box_pictures") else {}),
        "answer": json.loads(row["answer"]),
        "labels": row["label_ids"],
        "generator": row["generator"],
    }


def object_record(row: dict[str, Any]) -> dict[str, Any]:
    """An object's part, from an OBJECTS row (JSON types only). `parts`: its outline, each part's outer ring and then its holes;
    what a row leaves empty is not optional."""
    parts = row["parts"] or ([[row["polygon"]]] if row["polygon"] else [])
    optional = {"parts": parts, "oriented": row["oriented"], "flags": row["flags"], "score": row["score"]}
    return {
        **{name: row[name] for name in ("category", "box", "visibility", "origin")},
        "label": row["label_id"],
        **{name: value for name, value in optional.items() if value},
    }


def digest(record: dict[str, Any]) -> str:
    """32 hexadecimal digits (BLAKE2b-128) of the record's canonical JSON."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
