"""Boxes that a record keeps apart from its texts, in the form of ms-swift.

`<ref-object>` and `<bbox>` in the turns stand for the entries of `objects.ref` and `objects.bbox` in their order
(https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html). They are written into the texts as pixels in
brackets, so that all that reads boxes in texts reads these; marks and entries that do not fit are a broken record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rsflow.errors import DataError

MAX_COORDINATE = 1e12  # an integer of JSON may be too long for a float
_MARKS = re.compile(r"<ref-object>|<bbox>")


def spell_objects(record: dict[str, Any], turns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The (role, text) of a record with its objects in the texts; as they are where it has none. DataError `broken_record`."""
    objects = record.get("objects")
    if objects is None or not isinstance(objects, dict) or not ("bbox" in objects or "ref" in objects):
        return turns
    kind = objects.get("bbox_type", "real")
    if kind != "real":
        raise DataError("broken_record", f"objects.bbox_type is {str(kind)[:40]!r}; boxes in pixels ('real') are read")
    names, boxes = (_entries(objects, key) for key in ("ref", "bbox"))
    for key, token, entries in (("ref", "<ref-object>", names), ("bbox", "<bbox>", boxes)):
        count = sum(text.count(token) for _, text in turns)
        if count != len(entries):
            raise DataError("broken_record", f"its turns hold {count} {token}, objects.{key} has {len(entries)} entries")
    parts: dict[str, Iterator[str]] = {"<ref-object>": map(_name, names), "<bbox>": map(_box, boxes)}
    return [(role, _MARKS.sub(lambda found: next(parts[found[0]]), text)) for role, text in turns]


def _entries(objects: dict[str, Any], key: str) -> list[Any]:
    entries = objects.get(key) or []
    if not isinstance(entries, list):
        raise DataError("broken_record", f"objects.{key} is a {type(entries).__name__}, expected a list")
    return entries


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise DataError("broken_record", f"objects.ref holds {name!r}, expected a name")
    return name


def _box(box: Any) -> str:
    flat = [value for part in box for value in (part if isinstance(part, list) else [part])] if isinstance(box, list) else []
    if len(flat) not in {4, 8} or not all(
        type(value) in (int, float) and -MAX_COORDINATE < value < MAX_COORDINATE for value in flat
    ):
        raise DataError("broken_record", f"objects.bbox holds {str(box)[:60]}, expected four or eight finite numbers")
    return f"[{', '.join(f'{value:g}' for value in flat)}]"
