"""The table of decisions in the lake, and the sample that was drawn for review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from rsflow.lake.tables import Lake
from rsflow.schemas import REVIEWS

SAMPLE_FILE = "review_sample.json"


def read_sample(lake: Lake) -> dict[str, Any] | None:
    """The sample that was drawn last (rsflow.review.sampling), or None."""
    return lake.read_json(SAMPLE_FILE, ["items"])


def read_decisions(lake: Lake) -> list[dict[str, Any]]:
    """All decisions, in the order in which they were made; each once."""
    rows = {row["decision_id"]: row for row in lake.read("reviews").to_pylist()}
    return sorted(rows.values(), key=lambda row: (row["decided_at"], row["decision_id"]))


def add_decisions(lake: Lake, rows: Sequence[dict[str, Any]]) -> int:
    """Add those that the lake does not have yet; their number."""
    known = set(lake.read("reviews", ["decision_id"])["decision_id"].to_pylist())
    fresh = list({row["decision_id"]: row for row in rows if row["decision_id"] not in known}.values())
    lake.append("reviews", pa.Table.from_pylist(fresh, schema=REVIEWS))
    return len(fresh)
