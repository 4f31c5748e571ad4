"""Scoring against a brute-force assignment, and by hand."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.spatial.geometry import Box, iou

box = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


def test_a_true_box_is_found_once() -> None:
    true: list[Box] = [(0, 0, 10, 10), (50, 50, 60, 60)]
    found: list[Box] = [(0, 0, 10, 9), (0, 0, 10, 10), (80, 80, 90, 90)]
    counts = score(found, true, 0.5)
    assert counts == Score(found=3, true=2, right=1)
    assert (counts.precision, counts.recall, counts.f1) == (1 / 3, 1 / 2, 2 / 5)
    assert score([], true, 0.5) == Score(0, 2, 0)
    assert Score().f1 == Score().precision == Score().recall == 0
    assert counts + Score(1, 1, 1) == Score(4, 3, 2)


@given(st.lists(box, max_size=4), st.lists(box, max_size=4), st.sampled_from([0.2, 0.5, 0.9]))
@settings(max_examples=100, deadline=None)
def test_pairs_are_no_more_than_the_best_assignment_and_at_least_half_of_it(
    found: list[Box], true: list[Box], least: float
) -> None:
    """Greedy matching never beats the optimum and reaches at least half of it."""
    few, many = sorted((found, true), key=len)
    best = max(sum(iou(a, b) >= least for a, b in zip(few, order, strict=False)) for order in permutations(many))
    right = score(found, true, least).right
    assert best / 2 <= right <= best
