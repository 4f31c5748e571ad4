"""How often the data is wrong, estimated from the drawn items that were decided.

One idea: items are drawn by stratum, so each stands for as many as its stratum has per decided item of it; shares are weighted
so, and the interval counts as many items as the weights leave (Kish's effective sample size). The interval is Wilson's (E. B.
Wilson, Probable inference, the law of succession, and statistical inference, 1927), which holds for few items and for shares
near 0. An item is wrong where its decision is to reject or to correct it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str, str]  # kind, tile, target: labels of two tiles may say the same

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Of a group of items: how many were decided, and the estimated share that is wrong with its 95 % interval."""

    group: str
    decided: int
    wrong: int
    rate: float
    low: float
    high: float


def key_of(row: Mapping[str, Any]) -> Key:
    return row["kind"], row["tile_id"], row["target"]


def wilson_interval(share: float, count: float, z: float = Z_95) -> tuple[float, float]:
    """The interval of a share that was found among `count` items; (0, 1) for none."""
    if count <= 0:
        return 0.0, 1.0
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    # It holds the share itself, whatever rounding makes of shares of 0 and 1.
    return max(0.0, min(share, (middle - spread) / whole)), min(1.0, max(share, (middle + spread) / whole))


def error_rates(items: Sequence[Mapping[str, Any]], decided: Mapping[Key, str], by: str) -> list[ErrorRate]:
    """The error rate of each group of drawn items: those with one value under the key `by`.

    `items`: kind, tile_id, target, stratum and `population`, the number of items of the stratum that they were drawn from.
    `decided`: what holds of an item: accept, reject or correct.
    """
    known = [item for item in items if key_of(item) in decided]
    per_stratum = Counter(item["stratum"] for item in known)
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for item in known:
        weight = item["population"] / per_stratum[item["stratum"]]
        groups[str(item[by])].append((weight, decided[key_of(item)] != "accept"))
    return [_rate(name, found) for name, found in sorted(groups.items())]


def _rate(name: str, found: list[tuple[float, bool]]) -> ErrorRate:
    total = sum(weight for weight, _ in found)
    share = sum(weight for weight, wrong in found if wrong) / total
    effective = total**2 / sum(weight**2 for weight, _ in found)
    return ErrorRate(name, len(found), sum(wrong for _, wrong in found), share, *wilson_interval(share, effective))


def held_actions(rows: Iterable[Mapping[str, Any]]) -> dict[Key, str]:
    """By item what holds of several decisions: of each reviewer the last, of these what most say, else the latest."""
    latest: dict[Key, dict[str, str]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: (row["decided_at"], row["decision_id"])):
        mine = latest[key_of(row)]
        mine.pop(row["reviewer"], None)
        mine[row["reviewer"]] = row["action"]
    return {key: _majority(list(mine.values())) for key, mine in latest.items()}


def _majority(actions: list[str]) -> str:
    votes = Counter(actions)
    return max(reversed(actions), key=lambda action: votes[action])
