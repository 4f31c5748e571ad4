"""What requests have cost over all runs of a lake: recorded answers and the attempts that left records of their own.

Every recorded answer holds its cost, and `spending/` has what no answer accounts for (rsflow.generation.spending.attempt_log),
so the sums need no other bookkeeping and hold after any interruption.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rsflow.errors import LakeError
from rsflow.files.record_store import RecordStore, open_records
from rsflow.generation import recording
from rsflow.generation.contract import FREE, Cost
from rsflow.generation.spending import attempt_log

READERS = 16
NOT_RECORDED = "not recorded"  # source and kind of answers that were recorded before these were noted


@dataclass(frozen=True, slots=True)
class CostLine:
    """Requests of one source, kind of text and model. `failed`: attempts that failed at a cost. `unanswered`: attempts of which
    nobody knows the cost, which is at most `unanswered_money`; `cost` is without them."""

    source: str
    kind: str
    model: str
    answers: int = 0
    failed: int = 0
    cost: Cost = FREE
    unanswered: int = 0
    unanswered_money: float = 0.0


def list_costs(root: str) -> list[CostLine]:
    """All that requests of a lake have cost, by source, kind and model, in that order."""
    entries: dict[tuple[str, str, str], list[tuple[str, Cost]]] = defaultdict(list)
    counted: set[tuple[str, str]] = set()
    answered: set[str] = set()  # attempts; a process that is killed may leave their records behind
    for name, text in _records(open_records(root, recording.LOG)):
        key, outcome, cost, attempt = _read_entry(root, name, text)
        if outcome == attempt_log.UNANSWERED and name in answered:
            continue
        if outcome and (not attempt or (name, attempt) not in counted):
            entries[key].append((outcome, cost))
            counted.add((name, attempt))
            answered.add(attempt)
    return [_sum_entries(key, found) for key, found in sorted(entries.items())]


def _records(records: RecordStore) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every answer that was paid, also where two workers paid for the same, and then of every attempt
    without an answer."""
    yield from records.versions(recording.FOLDER)
    names = [
        name for name in records.names(attempt_log.FOLDER) if not name.startswith(f"{attempt_log.FOLDER}/{attempt_log.NOTES}/")
    ]
    with ThreadPoolExecutor(READERS) as pool:
        for name, record in zip(names, pool.map(records.read, names), strict=True):
            if record is not None:
                yield name, record


def _read_entry(root: str, name: str, text: bytes) -> tuple[tuple[str, str, str], str, Cost, str]:
    """(source, kind and model), outcome, cost, attempt; an empty outcome where the record accounts for nothing.

    Of two answers of one attempt one counts: a batch may be taken up again while its former process still waits for it.
    """
    try:
        record: dict[str, Any] = json.loads(text)
        if "outcome" in record:
            return _key(record, record["model"]), record["outcome"], Cost(**record["cost"]), ""
        if "failure" in record:
            return ("", "", ""), "", FREE, ""  # its attempt has a record
        known = record.get("cost") or {name: record["response"][name] for name in ("tokens_in", "tokens_out", "money")}
        return _key(record["request"], record["model"]), "answered", Cost(**known), record.get("attempt", "")
    except (ValueError, TypeError, KeyError) as error:
        raise LakeError(f"{root}: {name} is no record of a request ({error}): delete it") from error


def _key(tags: dict[str, Any], model: str) -> tuple[str, str, str]:
    return (tags.get("source") or NOT_RECORDED, tags.get("kind") or NOT_RECORDED, model)


def _sum_entries(key: tuple[str, str, str], found: list[tuple[str, Cost]]) -> CostLine:
    known = [cost for outcome, cost in found if outcome != "unanswered"]
    unknown = [cost for outcome, cost in found if outcome == "unanswered"]
    outcomes = [outcome for outcome, _ in found]
    return CostLine(
        *key,
        answers=outcomes.count("answered"),
        failed=outcomes.count("failed"),
        cost=sum(known, FREE),
        unanswered=len(unknown),
        unanswered_money=sum(cost.money for cost in unknown),
    )
