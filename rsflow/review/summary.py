"""The results of a review: decisions by kind, error rates of the drawn items, agreement of the reviewers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.review.agreement import Agreement, fleiss_kappa, latest_ratings, pairwise_agreement
from rsflow.review.error_rates import ErrorRate, error_rates, held_actions

GROUPS = ("task", "source", "labeller")


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """`decisions`: what holds, by (kind, action). `drawn` and `open`: items of the last draw, and those without a decision.
    `rates`: by key of GROUPS, of the drawn items that were decided. `overall`: of all reviewers, where several saw the same."""

    decisions: Mapping[tuple[str, str], int]
    reviewers: Mapping[str, int]
    drawn: int
    open: int
    rates: Mapping[str, tuple[ErrorRate, ...]]
    pairs: tuple[Agreement, ...]
    overall: Agreement | None


def summarise_review(rows: Sequence[Mapping[str, Any]], drawn: Sequence[Mapping[str, Any]]) -> ReviewSummary:
    """The summary of REVIEWS rows and of the items that were drawn."""
    actions, ratings = held_actions(rows), latest_ratings(rows)
    waiting = sum((item["kind"], item["tile_id"], item["target"]) not in actions for item in drawn)
    rates = {name: tuple(rate for rate in error_rates(drawn, actions, name) if rate.group) for name in GROUPS}
    overall = fleiss_kappa(ratings)
    return ReviewSummary(
        dict(sorted(Counter((kind, action) for (kind, _, _), action in actions.items()).items())),
        dict(sorted(Counter(row["reviewer"] for row in rows).items())),
        len(drawn),
        waiting,
        {name: found for name, found in rates.items() if found},
        tuple(pairwise_agreement(ratings)),
        overall if overall.items else None,
    )
