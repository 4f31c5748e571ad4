"""How far reviewers agree: Cohen's kappa of two, Fleiss's of more.

One idea: agreement is of what they decided (accept, reject, correct) about the same things; what only one of them saw counts
for nothing. Sources: J. Cohen, A coefficient of agreement for nominal scales (1960); J. L. Fleiss, Measuring nominal scale
agreement among many raters (1971), with the number of raters of each item in place of one for all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

Ratings = Mapping[tuple[str, str], str]  # (item, reviewer) -> what was decided


@dataclass(frozen=True, slots=True)
class Agreement:
    """`kappa`: None where all decided alike whatever they saw, so that chance and agreement cannot be separated."""

    reviewers: tuple[str, ...]
    items: int
    observed: float
    kappa: float | None


def latest_ratings(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """What each reviewer decided last of each target, from REVIEWS rows."""
    ordered = sorted(rows, key=lambda row: (row["decided_at"], row["decision_id"]))
    return {(f"{row['kind']} {row['tile_id']} {row['target']}", row["reviewer"]): row["action"] for row in ordered}


def cohen_kappa(ratings: Ratings, one: str, other: str) -> Agreement:
    """Of two reviewers, over the items that both decided on."""
    items = sorted({item for item, who in ratings if who == one} & {item for item, who in ratings if who == other})
    pairs = [(ratings[item, one], ratings[item, other]) for item in items]
    if not pairs:
        return Agreement((one, other), 0, 0.0, None)
    observed = sum(a == b for a, b in pairs) / len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[name] * second[name] for name in first) / len(pairs) ** 2
    return Agreement((one, other), len(pairs), observed, _kappa(observed, expected))


def fleiss_kappa(ratings: Ratings) -> Agreement:
    """Of all reviewers, over the items that at least two decided on."""
    by_item: dict[str, Counter[str]] = defaultdict(Counter)
    for (item, _), decided in ratings.items():
        by_item[item][decided] += 1
    counted = [votes for votes in by_item.values() if votes.total() > 1]
    reviewers = tuple(sorted({who for _, who in ratings}))
    if not counted:
        return Agreement(reviewers, 0, 0.0, None)
    shares = [sum(n * (n - 1) for n in votes.values()) / (votes.total() * (votes.total() - 1)) for votes in counted]
    observed = sum(shares) / len(shares)
    total = sum(counted, Counter())
    expected = sum((n / total.total()) ** 2 for n in total.values())
    return Agreement(reviewers, len(counted), observed, _kappa(observed, expected))


def pairwise_agreement(ratings: Ratings) -> list[Agreement]:
    """Cohen's kappa of every two reviewers who share items."""
    reviewers = sorted({who for _, who in ratings})
    found = [cohen_kappa(ratings, one, other) for one, other in combinations(reviewers, 2)]
    return [each for each in found if each.items]


def _kappa(observed: float, expected: float) -> float | None:
    return (observed - expected) / (1 - expected) if expected < 1 else None
