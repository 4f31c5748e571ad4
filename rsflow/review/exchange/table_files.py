"""Decisions as CSV or JSON: one row or object each, named like the columns of REVIEWS; `before` and `after` are JSON texts.

One idea: what comes in is checked as if it were decided on the page, so that a file that a person edited is trusted no
more than a form. `decision_id` and `target` may be missing: they follow from the rest.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rsflow.errors import UsageError
from rsflow.review.decisions import make_decision
from rsflow.schemas import REVIEWS

_NEEDED = ("kind", "action", "tile_id", "reviewer", "decided_at")


def to_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, REVIEWS.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_plain, rows))
    return stream.getvalue()


def to_json(rows: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps([_plain(row) for row in rows], indent=1, ensure_ascii=False) + "\n"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name].isoformat() if name == "decided_at" else row[name] or "" for name in REVIEWS.names}


def from_csv(text: str, place: str) -> list[dict[str, Any]]:
    """Decisions of a CSV file. UsageError names the line that is not one."""
    reader = csv.DictReader(io.StringIO(text))
    if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
        raise UsageError(f"{place}: lacks the columns {', '.join(missing)}: expected those of `rsflow review ROOT --export`")
    return [_decision(row, f"{place}: line {reader.line_num}") for row in reader]


def from_json(text: str, place: str) -> list[dict[str, Any]]:
    """Decisions of a JSON file, a list of objects. UsageError names the entry that is not one."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{place}: is not JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UsageError(f"{place}: expected a list of objects, as `rsflow review ROOT --export` writes it")
    return [_decision(row, f"{place}: entry {number}") for number, row in enumerate(found)]


def _decision(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    words = {name: str(row.get(name) or "") for name in ("kind", "action", "tile_id", "reviewer", "reason", "note")}
    if not words["tile_id"]:
        raise UsageError(f"{where}: tile_id is empty")
    try:
        return make_decision(
            words["kind"],
            words["action"],
            words["tile_id"],
            words["reviewer"],
            _values(row, "before"),
            _values(row, "after"),
            words["reason"],
            words["note"],
            _time(row.get("decided_at")),
        )
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


_FIELDS: dict[str, Sequence[str]] = {
    "label": ("kind", "category", "origin", "origin_name"),
    "instruction": ("instruction_id", "turns"),
}


def _values(row: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    text = row.get(name)
    if not text:
        return None
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}") from error
    needed = _FIELDS.get(str(row.get("kind")), ()) if name == "before" else ()
    if not isinstance(found, dict) or not set(needed) <= set(found):
        raise UsageError(f"{name}: expected a JSON object with {', '.join(needed) or 'the fields that change'}")
    return found


def _time(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"decided_at is {value!r}: expected a time such as 2024-05-14T10:00:00+00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
