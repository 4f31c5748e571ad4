"""The output folder of an export: whose it is, and how a former export makes room.

One idea: `export.json` names what an export put into its folder and is written first, so a folder that an export began can be
exported to again, and a folder with anything else in it is refused. What the marker does not name is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rsflow.errors import StorageError, UsageError
from rsflow.files import storage

MARKER = "export.json"
FORMAT = "rsflow-export"


def prepare_folder(out: str, contents: Sequence[str]) -> None:
    """Make `out` ready for an export of these files and folders. UsageError where it holds anything but a former export's."""
    for name in _former(out):
        _delete(storage.join(out, name))
    storage.write_bytes(storage.join(out, MARKER), _marker({"contents": sorted(contents), "complete": False}))


def mark_complete(out: str, contents: Sequence[str], facts: dict[str, Any]) -> None:
    """Write down that the export is whole, and what it is."""
    storage.write_bytes(storage.join(out, MARKER), _marker({"contents": sorted(contents), "complete": True, **facts}))


def _former(out: str) -> list[str]:
    """What a former export left in the folder; nothing where the folder is missing or empty."""
    fs, path = storage.filesystem(out)
    with storage.translate_errors(out, "look into"):
        if not fs.exists(path):
            return []
        if not fs.isdir(path):
            raise UsageError(f"{out}: is a file; give -o a folder")
        found = fs.ls(path, detail=False)
    if not found:
        return []
    try:
        marker = json.loads(storage.read_text(storage.join(out, MARKER)))
        if marker["format"] != FORMAT:
            raise ValueError(f"its format is {marker['format']!r}")
        # Only plain names: a marker that someone edited must not lead out of the folder.
        return [name for name in marker["contents"] if isinstance(name, str) and name and "/" not in name and name != ".."]
    except (StorageError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{out}: is not empty and not a former export: give -o a new or an empty folder") from error


def _delete(place: str) -> None:
    fs, path = storage.filesystem(place)
    with storage.translate_errors(place, "delete"):
        if fs.exists(path):
            fs.rm(path, recursive=True)


def _marker(content: dict[str, Any]) -> bytes:
    return (json.dumps({"format": FORMAT, **content}, indent=1) + "\n").encode()
