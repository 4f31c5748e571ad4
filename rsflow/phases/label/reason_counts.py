"""Rejects as lines of an error message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any


def reason_lines(rejects: Sequence[dict[str, Any]]) -> str:
    """The reasons of REJECTS rows by their number, with an example each."""
    reasons = Counter(row["reason"] for row in rejects)
    examples = {row["reason"]: row["detail"] for row in rejects}
    return "\n".join(f"  {count:6}  {reason}: {examples[reason]}" for reason, count in reasons.most_common())
