"""Decisions as the page shows and makes them.

One idea: the page names a row that it shows; what the row says is read from the lake again, so that a decision never
holds what a page made up.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rsflow.errors import UsageError
from rsflow.lake.tables import Lake
from rsflow.review.apply import reviewed_labels
from rsflow.review.decisions import REASONS, label_target, make_decision
from rsflow.review.error_rates import key_of
from rsflow.review.resolve import Decisions, resolve
from rsflow.review.store import add_decisions, read_decisions, read_sample
from rsflow.viewer.index.index import SampleIndex
from rsflow.viewer.index.lake_rows import LakeRows
from rsflow.viewer.queries.sample_records import find_sample


class Reviews:
    """All decisions of a lake, and the items that were drawn for review; read again after each decision that is added."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._changed = set[str]()  # tiles whose labels in the index are not those that were delivered
        self._indexed: tuple[SampleIndex, list[dict[str, Any]]] | None = None  # the index, and the decisions that it shows
        self._reload()

    def _reload(self) -> None:
        self.rows = read_decisions(self._lake)
        self.decisions: Decisions = resolve(self.rows)
        self.drawn: list[dict[str, Any]] = (read_sample(self._lake) or {"items": []})["items"]
        self._by_tile: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows:
            self._by_tile[row["tile_id"]].append(row)

    def refresh(self, rows: LakeRows) -> None:
        """Read the decisions again, and make the index find, count and draw labels as they count after them."""
        with self._lock:
            self._reload()
            self._update_index(rows)

    def of_tile(self, tile_id: str) -> list[dict[str, Any]]:
        return self._by_tile.get(tile_id, [])

    def labels(self, tile_id: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Labels of a tile (whole LABELS rows) as they count after the decisions, each with its `target`."""
        decided = self.decisions.tiles.get(tile_id)
        found = reviewed_labels(tile_id, rows, decided) if decided and decided.labels else list(rows)
        return [{**row, "target": label_target(row)} for row in found]

    def _update_index(self, rows: LakeRows) -> None:
        if self._indexed and self._indexed[0] is rows.index and self._indexed[1] == self.rows:
            return
        self._indexed = (rows.index, self.rows)
        decided = {tile_id for tile_id, each in self.decisions.tiles.items() if each.labels}
        changed = sorted(decided | self._changed)
        if not changed:
            return
        self._changed = decided
        query = "SELECT tile_id, n FROM samples WHERE tile_id IN (SELECT unnest($tiles))"
        numbers = {row["tile_id"]: row["n"] for row in rows.index.rows(query, {"tiles": changed})}
        delivered = defaultdict[str, list[dict[str, Any]]](list)
        for row in rows.read("labels", "tile_id", list(numbers)):
            delivered[row["tile_id"]].append(row)
        found = [{**row, "n": n} for tile_id, n in numbers.items() for row in self.labels(tile_id, delivered[tile_id])]
        rows.index.replace_labels(list(numbers.values()), found)

    def mark(self, cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The cards of a page with what was `decided` of each sample as a whole."""
        for card in cards:
            decided = self.decisions.tiles.get(card["tile_id"])
            card["decided"] = (
                "rejected" if decided and decided.is_rejected else "reviewed" if self.of_tile(card["tile_id"]) else ""
            )
        return cards

    def describe(self, records: dict[str, Any]) -> dict[str, Any]:
        """The records of a sample with `decisions`, its `labels` as they count, the labels that left (`left`), and the targets
        that were `drawn` for review."""
        tile_id, rows = records["card"]["tile_id"], records["labels"]
        labels = self.labels(tile_id, rows)
        kept = {row["label_id"] for row in labels}
        mine = [item["target"] for item in self.drawn if item["tile_id"] == tile_id]
        left = [{**row, "target": label_target(row)} for row in rows if row["label_id"] not in kept]
        return {**records, "labels": labels, "left": left, "decisions": self.of_tile(tile_id), "drawn": mine}

    def decide(self, rows: LakeRows, request: Mapping[str, Any]) -> dict[str, Any]:
        """Add a decision that the page asked for; its row. UsageError where it does not say what it has to."""
        words = {name: _text(request, name) for name in ("kind", "action", "key", "target", "reason", "note", "reviewer")}
        card = find_sample(rows.index, words["key"])
        before = self._row(rows, card["tile_id"], words)
        after = request.get("after")
        if after is not None and not isinstance(after, dict):
            raise UsageError(f"after is {after!r}: expected the fields that change")
        row = make_decision(
            words["kind"], words["action"], card["tile_id"], words["reviewer"], before, after, words["reason"], words["note"]
        )
        _check_inside(after or {}, card)
        with self._lock:
            add_decisions(self._lake, [row])
            self._reload()
            self._update_index(rows)
        return row

    def _row(self, rows: LakeRows, tile_id: str, words: Mapping[str, str]) -> dict[str, Any] | None:
        """The row that the decision is about, as it counts now or as it was before a decision about it."""
        if words["kind"] == "sample" or words["action"] == "add":
            return None
        table, name = ("instructions", "instruction_id") if words["kind"] == "instruction" else ("labels", "label_id")
        found = rows.read(table, "tile_id", [tile_id])
        if table == "labels":
            found = [*found, *self.labels(tile_id, found)]
        return next((row for row in found if row[name] == words["target"]), None)


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name) or ""
    if not isinstance(value, str) or len(value) > 2000:
        raise UsageError(f"{name}: expected a text of at most 2000 characters")
    return value


def _check_inside(after: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    box = after.get("box")
    if box and (box[2] > card["width_px"] or box[3] > card["height_px"]):
        raise UsageError(f"box is {box}: it leaves the picture of {card['width_px']} × {card['height_px']} px")


def review_facts(reviews: Reviews) -> dict[str, Any]:
    """What the page needs to know for review: the reasons, the reviewers, and how far the drawn sample is."""
    items = reviews.drawn
    decided = {key_of(row) for row in reviews.rows}
    open_items = [item for item in items if key_of(item) not in decided]
    return {
        "reasons": REASONS,
        "reviewers": sorted({row["reviewer"] for row in reviews.rows}),
        "decided": len(reviews.rows),
        "queue": len(items),
        "open": len(open_items),
    }
