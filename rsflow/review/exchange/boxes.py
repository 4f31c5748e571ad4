"""Boxes that came back from another annotation tool, as decisions.

One idea: each box carries the target of the label that it was made from. What came back as it was is accepted, what was
moved or renamed is corrected, what did not come back is rejected, and a box without a target is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rsflow.review.decisions import label_target, make_decision

MOVED_PX = 0.6  # a box that moved less came back as it was: forms round


class FoundBox(NamedTuple):
    """A box of a returned picture; `target` is empty for a new one."""

    target: str
    category: str
    box: tuple[float, float, float, float]


class Answer(NamedTuple):
    """What one person made of the boxes of a tile."""

    tile_id: str
    boxes: Sequence[FoundBox]
    reviewer: str
    decided_at: datetime | None


def exported_boxes(labels: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By target, the labels of a tile that go to other tools: its boxes."""
    return {label_target(row): row for row in labels if row["kind"] == "box" and row["box"]}


def decisions_of(answer: Answer, labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The decisions that an answer comes to, given the LABELS rows of the tile."""
    known = exported_boxes(labels)
    returned = {each.target for each in answer.boxes}
    tile, who, when = answer.tile_id, answer.reviewer, answer.decided_at
    found = [
        make_decision("label", "reject", tile, who, row, reason="not_there", decided_at=when)
        for target, row in known.items()
        if target not in returned
    ]
    for each in answer.boxes:
        row = known.get(each.target)
        after: dict[str, Any] = {"category": each.category, "box": [round(value, 2) for value in each.box]}
        if row is None:
            found.append(make_decision("label", "add", tile, who, None, after, decided_at=when))
            continue
        if all(abs(value - old) < MOVED_PX for value, old in zip(each.box, row["box"], strict=True)):
            del after["box"]
        if after["category"] == row["category"]:
            del after["category"]
        action = "correct" if after else "accept"
        found.append(make_decision("label", action, tile, who, row, after or None, decided_at=when))
    return found
