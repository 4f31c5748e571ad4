"""Decisions: what they may say, and what they are about.

A decision is a row of REVIEWS: of a `sample`, an `instruction` or a `label`, one person accepts it, rejects it for a reason,
or corrects it; a missing label can be added. `before` is what it is about and `after` what it is corrected to, both JSON.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rsflow.errors import UsageError
from rsflow.text.control_tokens import find_control_token
from rsflow.text.turns import marks

KINDS = ("sample", "instruction", "label")
ACTIONS = ("accept", "reject", "correct", "add")

# Why something is rejected, by what it is. Of a label, some reasons leave an object without its right label in the picture:
# then the objects are not complete (see rsflow.review.apply).
REASONS: dict[str, tuple[str, ...]] = {
    "sample": ("unusable_picture", "wrong_place", "duplicate", "other"),
    "instruction": ("wrong", "not_visible", "unclear", "language", "other"),
    "label": ("not_there", "duplicate", "wrong_category", "wrong_place", "other"),
}
LEAVES_NOTHING_OUT = {"not_there", "duplicate"}

LABEL_FIELDS = (
    *("kind", "category", "box", "polygon", "parts", "oriented", "visibility", "flags", "text", "value", "score", "origin"),
    *("origin_name", "model", "revision", "prompt_digest", "quality"),
)
CORRECTED = {"label": {"category", "box", "text"}, "instruction": {"turns"}}
REVIEWED = "review"  # the origin_name and generator of what a person corrected


def label_target(row: Mapping[str, Any]) -> str:
    """What a label says, as a hash: the same for the same claim of the same source, wherever it stands in its table."""
    box = [round(value, 1) for value in row["box"]] if row.get("box") else None
    content = [row["kind"], row["category"], box, row.get("text") or "", row.get("value"), row["origin"], row["origin_name"]]
    return content_hash(content)


def content_hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=10).hexdigest()


def make_decision(
    kind: str,
    action: str,
    tile_id: str,
    reviewer: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    note: str = "",
    decided_at: datetime | None = None,
) -> dict[str, Any]:
    """A REVIEWS row. `before`: the LABELS or INSTRUCTIONS row (None where a label is added); `after`: the fields that change.

    UsageError where the decision does not say what it has to.
    """
    _check_words(kind, action, reviewer, reason)
    if kind == "sample":
        target, known = tile_id, None
    elif kind == "instruction":
        known = {name: (before or {}).get(name) for name in ("instruction_id", "task", "turns", "boxes")}
        target = str(known["instruction_id"])
    else:
        known = {name: before.get(name) for name in LABEL_FIELDS} if before else None
        target = label_target(known) if known else ""
    if kind != "sample" and action != "add" and not before:
        raise UsageError(f"this {kind} is not among those of {tile_id}: reload the page")
    changed = _check_after(kind, action, known, after)
    if action == "add":
        target = label_target(added_label(changed or {}))
    row = {
        "kind": kind,
        "action": action,
        "tile_id": tile_id,
        "target": target,
        "reason": reason,
        "note": note,
        "before": json.dumps(known, sort_keys=True) if known else None,
        "after": json.dumps(changed, sort_keys=True) if changed else None,
        "reviewer": reviewer,
        "decided_at": decided_at or datetime.now(UTC),
    }
    return {"decision_id": decision_id(row), **row}


def decision_id(row: Mapping[str, Any]) -> str:
    """Names one decision of one person at one time: what is imported twice is one."""
    return content_hash(
        [str(row[name] or "") for name in ("kind", "action", "target", "tile_id", "after", "reviewer", "decided_at")]
    )


def added_label(after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a label that a person made."""
    empty: dict[str, Any] = dict.fromkeys(LABEL_FIELDS)
    own = {"origin": "annotation", "origin_name": REVIEWED, "model": "", "revision": "", "prompt_digest": "", "text": ""}
    return {**empty, **own, "kind": "box", "visibility": 1.0, "oriented": False, "flags": [], **after}


def _check_words(kind: str, action: str, reviewer: str, reason: str) -> None:
    if kind not in KINDS:
        raise UsageError(f"kind is {kind!r}: expected one of {', '.join(KINDS)}")
    if action not in ACTIONS or (action == "add" and kind != "label") or (action == "correct" and kind == "sample"):
        raise UsageError(
            f"action is {action!r}: expected accept, reject or correct; a label may be added, a sample not corrected"
        )
    if not reviewer.strip():
        raise UsageError("reviewer is empty: expected the name of who decides")
    if action == "reject" and reason not in REASONS[kind]:
        raise UsageError(f"reason is {reason!r}: expected one of {', '.join(REASONS[kind])}")


def _check_after(
    kind: str, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if action not in {"correct", "add"}:
        return None
    changed = {name: value for name, value in (after or {}).items() if before is None or value != before.get(name)}
    if unknown := set(changed) - CORRECTED[kind]:
        raise UsageError(
            f"{', '.join(sorted(unknown))}: of a {kind} only {', '.join(sorted(CORRECTED[kind]))} can be corrected"
        )
    if not changed:
        raise UsageError("nothing was changed: accept it instead")
    if kind == "instruction":
        changed["turns"] = _checked_turns(before or {}, changed["turns"])
        return changed
    if action == "add" and not {"category", "box"} <= set(changed):
        raise UsageError("a label that is added needs a category and a box")
    if "category" in changed:
        changed["category"] = _checked_text("category", changed["category"])
    if "text" in changed:
        changed["text"] = _checked_text("text", changed["text"])
    if "box" in changed:
        changed["box"] = _checked_box(changed["box"])
    return changed


def _checked_text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name} is {value!r}: expected some words")
    if token := find_control_token(value):
        raise UsageError(f"{name} holds {token}, which models read as a command")
    return value.strip()


def _checked_box(value: Any) -> list[float]:
    is_box = (
        isinstance(value, list) and len(value) == 4 and all(isinstance(v, (int, float)) and math.isfinite(v) for v in value)
    )
    if not is_box or value[0] >= value[2] or value[1] >= value[3] or value[0] < 0 or value[1] < 0:
        raise UsageError(f"box is {value!r}: expected x0, y0, x1, y1 in pixels of the tile with x0 < x1 and y0 < y1")
    return [round(float(v), 2) for v in value]


def _checked_turns(before: Mapping[str, Any], turns: Any) -> list[dict[str, str]]:
    known = before["turns"]
    roles = [turn.get("role") if isinstance(turn, dict) else None for turn in turns] if isinstance(turns, list) else []
    if roles != [turn["role"] for turn in known]:
        raise UsageError("turns: expected the same turns of user and assistant with other texts")
    checked = [{"role": turn["role"], "text": _checked_text("a turn", turn.get("text"))} for turn in turns]
    count = len(before["boxes"] or [])
    for turn in checked:
        if any(index >= count for mark in marks(turn["text"]) for index in mark.boxes):
            raise UsageError(f"a turn refers to a box that the instruction does not have: it has {count}, numbered from 0")
    return checked
