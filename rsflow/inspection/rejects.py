"""The rejects of a lake: everything that left while it was labelled, with its reason.

One idea: only rows that count now are listed, those of units that the configuration of the last build asks for; so a reject
whose file was repaired, or which another setting keeps, is gone from the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rsflow.errors import UsageError
from rsflow.lake.tables import Lake, open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import read_live_rows

COLUMNS = ["kind", "subject", "scene_id", "source", "step", "reason", "detail", "file", "rows"]


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejects to list; an empty text lists those of any source, reason or scene."""

    source: str = ""
    reason: str = ""
    scene: str = ""


def find_rejects(root: str, chosen: RejectFilter = RejectFilter()) -> list[dict[str, Any]]:
    """The REJECTS rows of COLUMNS that a filter lets through, sorted by source, scene, kind, subject and reason.

    UsageError for a source, reason or scene that no reject of the lake has.
    """
    rows = read_rejects(open_lake(root))
    for option, column, value in (
        ("--source", "source", chosen.source),
        ("--reason", "reason", chosen.reason),
        ("--scene", "scene_id", chosen.scene),
    ):
        if value:
            known = {row[column] for row in rows}
            rows = [row for row in rows if row[column] == value]
            if not rows:
                named = ", ".join(sorted(known - {""})[:20]) or "none"
                raise UsageError(f"{root}: no reject with {option} {value}; the rejects so far have: {named}")
    return rows


def read_rejects(lake: Lake) -> list[dict[str, Any]]:
    """All rejects of a lake that count now, in the order of `find_rejects`."""
    now = read_live_rows(lake, plan_build(read_config(lake), lake), allow_missing=True)
    return _sorted_rows(now.read("rejects", COLUMNS).to_pylist())


def _sorted_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: tuple(str(row[name]) for name in ("source", "scene_id", "kind", "subject", "reason")))
