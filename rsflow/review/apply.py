"""Labels of a tile after what reviewers decided.

One idea: a rejected label leaves, a corrected one is replaced by the person's, which counts as an annotation; a correction may
be corrected again. A decision finds its label by content: the very same claim, else a box of the same category by the same
source that covers nearly the same pixels, as another version of a model draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rsflow.review.decisions import LEAVES_NOTHING_OUT, REVIEWED, added_label, content_hash, label_target
from rsflow.review.resolve import Resolved, TileDecisions

SAME_BOX = 0.85  # intersection over union


def reviewed_labels(tile_id: str, rows: Sequence[dict[str, Any]], decided: TileDecisions) -> list[dict[str, Any]]:
    """The LABELS rows of a tile as they count: those untouched as they were, then those that persons made."""
    open_decisions = dict(decided.labels)
    found: list[dict[str, Any]] = []
    by_target = {label_target(row): row for row in rows}
    chosen = {id(row): decision for row, decision in _matches(rows, by_target, open_decisions)}
    for row in rows:
        made = _follow(tile_id, row, chosen.get(id(row)), decided)
        if made is not None:
            found.append(made)
    added = (each for each in decided.labels.values() if each.action == "add")
    for decision in added:
        row = _made_label(tile_id, added_label(decision.after or {}), rows)
        further = decided.labels.get(label_target(row))
        made = _follow(tile_id, row, further if further is not decision else None, decided)
        if made is not None:
            found.append(made)
    return found


def _matches(
    rows: Sequence[dict[str, Any]], by_target: dict[str, dict[str, Any]], decisions: dict[str, Resolved]
) -> list[tuple[dict[str, Any], Resolved]]:
    """Each decision with the label that it is about, where that is still there."""
    found = [(by_target[target], each) for target, each in decisions.items() if target in by_target]
    taken = {id(row) for row, _ in found}
    for target, each in sorted(decisions.items()):
        if target in by_target or each.action == "add" or each.before is None or not each.before.get("box"):
            continue
        near = [(_overlap(row, each.before), str(row["label_id"]), row) for row in rows if id(row) not in taken]
        best = max((one for one in near if one[0] >= SAME_BOX), key=lambda one: (one[0], one[1]), default=None)
        if best:
            taken.add(id(best[2]))
            found.append((best[2], each))
    return found


def _overlap(row: dict[str, Any], before: dict[str, Any]) -> float:
    """Intersection over union of two boxes of the same category by the same source; 0 of others."""
    same = all(row[name] == before.get(name) for name in ("kind", "category", "origin_name"))
    if not same or not row["box"]:
        return 0.0
    (ax, ay, bx, by), (cx, cy, dx, dy) = row["box"], before["box"]
    shared = max(0.0, min(bx, dx) - max(ax, cx)) * max(0.0, min(by, dy) - max(ay, cy))
    both = (bx - ax) * (by - ay) + (dx - cx) * (dy - cy) - shared
    return float(shared / both) if both > 0 else 0.0


def _follow(tile_id: str, row: dict[str, Any], decision: Resolved | None, decided: TileDecisions) -> dict[str, Any] | None:
    """The label after its decision and those about its result; None where it leaves."""
    passed: set[str] = set()
    while decision is not None and decision.target not in passed:
        if decision.action == "reject":
            return None
        passed.add(decision.target)
        row = _made_label(tile_id, {**row, **_corrected(row, decision.after or {})}, [row])
        decision = decided.labels.get(label_target(row))
    return row


def _corrected(row: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The changed fields, and those that follow: another box is not the outline that was, and a person has no score."""
    outline = {"polygon": None, "parts": None, "oriented": False} if "box" in after and row.get("box") else {}
    person = {
        "origin": "annotation",
        "origin_name": REVIEWED,
        "model": "",
        "revision": "",
        "prompt_digest": "",
        "transferred_from": None,
    }
    return {**outline, **person, "score": None, "quality": None, **after}


def _made_label(tile_id: str, row: dict[str, Any], existing: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A label with an id of its own, from what it says; it is delivered with the labels beside it."""
    delivery: dict[str, Any] = {name: existing[0][name] for name in ("unit", "receipt") if existing and name in existing[0]}
    return {**row, **delivery, "tile_id": tile_id, "label_id": f"{tile_id}#{REVIEWED}-{content_hash(label_target(row))[:10]}.0"}


def reviewed_tile(row: dict[str, Any], decided: TileDecisions) -> dict[str, Any]:
    """The columns of a tile that say what is known of all its objects, where a label left and its object did not.

    After "wrong category" it is not known which category has one more object; after other such reasons it is that of the label.
    """
    vocabulary, unknown = list(row.get("vocabulary") or ()), set(row.get("unknown") or ())
    for each in decided.labels.values():
        if each.action != "reject" or each.reason in LEAVES_NOTHING_OUT or not (each.before or {}).get("box"):
            continue
        unknown.add((each.before or {})["category"])
        if each.reason in {"wrong_category", "other"}:
            vocabulary = []
    changed = {"vocabulary": vocabulary, "unknown": sorted(unknown)}
    return {**row, **{name: value for name, value in changed.items() if name in row}}
