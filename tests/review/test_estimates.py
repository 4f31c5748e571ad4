"""Draws, error rates and agreement, against published examples and simulation."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rsflow.review.agreement import cohen_kappa, fleiss_kappa, latest_ratings
from rsflow.review.error_rates import error_rates, held_actions, wilson_interval
from rsflow.review.resolve import resolve
from rsflow.review.sampling import Item, allocate, draw

START = datetime(2024, 5, 14, tzinfo=UTC)


def items(sizes: dict[str, int]) -> list[Item]:
    return [
        Item("instruction", f"{task}-{n}", f"scene/{n}", task, f"source-{n % 2}", "optical", "", "")
        for task, size in sizes.items()
        for n in range(size)
    ]


def test_a_draw_is_even_over_strata_and_the_same_in_any_order() -> None:
    every = items({"vqa": 500, "captioning": 40, "detection": 3})
    found = draw(every, "task", 60, seed=5)
    assert Counter(each.item.task for each in found) == {"detection": 3, "captioning": 29, "vqa": 28}
    assert {each.stratum: each.population for each in found} == {"task:vqa": 500, "task:captioning": 40, "task:detection": 3}
    assert draw(every[::-1], "task", 60, seed=5) == found
    assert draw(every, "task", 60, seed=6) != found


def test_more_items_disturb_a_draw_little() -> None:
    before = {each.item for each in draw(items({"vqa": 500}), "task", 100)}
    after = {each.item for each in draw(items({"vqa": 550}), "task", 100)}
    assert len(before & after) > 80


@pytest.mark.parametrize("count", [0, 1, 2, 5, 11, 12, 13, 100])
def test_an_allocation_uses_what_there_is(count: int) -> None:
    sizes = {"a": 7, "b": 1, "c": 4, "empty": 0}
    found = allocate(sizes, count)
    assert sum(found.values()) == min(count, 12)
    assert all(found[name] <= sizes[name] for name in sizes)
    full = [found[name] for name in sizes if found[name] < sizes[name]]
    assert not full or max(full) - min(full) <= 1


@pytest.mark.parametrize(
    ("wrong", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 100, 0.0215, 0.1118),
        (50, 100, 0.4038, 0.5962),
        (100, 100, 0.9630, 1.0),
    ],
)
def test_wilsons_interval_has_its_known_values(wrong: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(wrong / count, count) == pytest.approx((low, high), abs=1e-4)


def test_rates_are_weighted_by_what_was_drawn_and_intervals_cover() -> None:
    """Strata of unlike sizes and error shares: over many draws the estimate is right on average, its interval nearly always."""
    rng = np.random.default_rng(7)
    sizes, shares = {"vqa": 3000, "captioning": 200}, {"vqa": 0.1, "captioning": 0.5}
    every = items(sizes)
    wrong = {item.target: rng.random() < shares[item.task] for item in every}
    truth = np.mean([wrong[item.target] for item in every])
    rates = []
    for seed in range(60):
        drawn = [
            {**each.item._asdict(), "all": "all", "stratum": each.stratum, "population": each.population}
            for each in draw(every, "task", 200, seed)
        ]
        decided = {
            ("instruction", row["tile_id"], row["target"]): "reject" if wrong[row["target"]] else "accept" for row in drawn
        }
        rates += error_rates(drawn, decided, "all")
    assert np.mean([rate.rate for rate in rates]) == pytest.approx(truth, abs=0.01)
    assert np.mean([rate.low <= truth <= rate.high for rate in rates]) >= 0.9


def test_undecided_items_are_no_right_ones() -> None:
    drawn = [
        {**each.item._asdict(), "stratum": each.stratum, "population": each.population}
        for each in draw(items({"vqa": 9}), "task", 9)
    ]
    decided = {("instruction", row["tile_id"], row["target"]): "correct" for row in drawn[:2]}
    (rate,) = error_rates(drawn, decided, "task")
    assert (rate.decided, rate.wrong, rate.rate) == (2, 2, 1.0)
    assert error_rates(drawn, {}, "task") == []


def test_cohens_kappa_of_a_known_table() -> None:
    """20 both yes, 5 and 10 apart, 15 both no: 0.4."""
    table = [("accept", "accept", 20), ("accept", "reject", 5), ("reject", "accept", 10), ("reject", "reject", 15)]
    ratings = {}
    number = 0
    for one, other, count in table:
        for _ in range(count):
            ratings[f"item {number}", "ada"], ratings[f"item {number}", "grace"] = one, other
            number += 1
    found = cohen_kappa(ratings, "ada", "grace")
    assert (found.items, found.observed) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)


def test_fleiss_kappa_of_a_known_table() -> None:
    """Ten subjects, fourteen raters, five categories: 0.210 (Fleiss 1971, as the article of that name in Wikipedia has it)."""
    table = [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    ratings = {}
    for item, votes in enumerate(table):
        raters = [f"category {place}" for place, count in enumerate(votes) for _ in range(count)]
        ratings |= {(f"item {item}", f"rater {n:02d}"): category for n, category in enumerate(raters)}
    found = fleiss_kappa(ratings)
    assert found.items == 10
    assert found.kappa == pytest.approx(0.210, abs=5e-4)


def test_where_all_agree_on_one_thing_kappa_is_not_defined() -> None:
    ratings = {(f"item {n}", who): "accept" for n in range(4) for who in ("ada", "grace")}
    found = cohen_kappa(ratings, "ada", "grace")
    assert (found.observed, found.kappa) == (1.0, None)
    assert cohen_kappa({("a", "ada"): "accept"}, "ada", "grace").items == 0


def decision(who: str, action: str, minutes: int, after: str | None = None, target: str = "t") -> dict[str, Any]:
    times = {"decided_at": START + timedelta(minutes=minutes), "decision_id": f"{who}-{minutes}"}
    words = {"kind": "label", "tile_id": "scene/0", "target": target, "reason": "not_there", "note": "", "before": None}
    return {**times, **words, "action": action, "reviewer": who, "after": after}


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ([decision("ada", "reject", 1)], "reject"),
        ([decision("ada", "reject", 1), decision("ada", "accept", 2)], "accept"),
        ([decision("ada", "reject", 1), decision("grace", "accept", 2)], "accept"),
        ([decision("ada", "reject", 1), decision("joan", "reject", 2), decision("grace", "accept", 3)], "reject"),
        (
            [
                decision("ada", "reject", 1),
                decision("joan", "reject", 2),
                decision("joan", "accept", 3),
                decision("grace", "accept", 0),
            ],
            "accept",
        ),
    ],
)
def test_of_each_person_the_last_counts_and_of_several_the_most(rows: list[dict[str, Any]], held: str) -> None:
    for order in (rows, rows[::-1]):
        tiles = resolve(order).tiles
        assert ("scene/0" in tiles) == (held != "accept")
        assert held_actions(order) == {("label", "scene/0", "t"): held}
    assert len(latest_ratings(rows)) == len({row["reviewer"] for row in rows})
