"""What is read back from COCOeval: by hand, and against the plain count of pairs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.labellers.quality.coco_metrics import (
    EvaluatedPicture,
    Evaluation,
    JudgedBox,
    ReliabilityBin,
    ScoredBox,
    evaluate_boxes,
)
from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.spatial.geometry import Box

pytest.importorskip("pycocotools")

box = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 12), st.integers(1, 12)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


def claim(where: Box, sure: float = 0.9, least: float = 0.5) -> ScoredBox:
    return ScoredBox(where, sure, "ship", least)


A, B, C = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 30.0, 30.0), (40.0, 40.0, 50.0, 50.0)


def test_a_faultless_labeller_has_full_marks_and_a_silent_one_none() -> None:
    full = evaluate_boxes([EvaluatedPicture((A, B), (), (claim(A), claim(B))), EvaluatedPicture((), (), ())], 0.5)
    assert (full.pictures, full.true, full.ap, full.ap50, full.precision, full.recall) == (2, 2, 1, 1, 1, 1)
    silent = evaluate_boxes([EvaluatedPicture((A, B), (), ())], 0.5)
    assert (silent.ap, silent.ap50, silent.precision, silent.recall, silent.calibration_error) == (0, 0, None, 0, None)
    nothing = evaluate_boxes([EvaluatedPicture((), (), (claim(A),))], 0.5)
    assert (nothing.ap, nothing.ap50, nothing.precision, nothing.recall) == (None, None, 0, None)


def test_precision_and_recall_are_of_what_is_used_and_average_precision_of_all() -> None:
    found = evaluate_boxes([EvaluatedPicture((A, B), (), (claim(A), claim(B, 0.4), claim(C, 0.6)))], 0.5)
    assert (found.used, found.right, found.precision, found.recall) == (2, 1, 0.5, 0.5)
    assert found.ap50 == pytest.approx(51 / 101 + 50 / 101 * 2 / 3, abs=1e-6)  # interpolated over 101 recalls


def test_the_overlap_asked_for_decides_what_is_right_and_not_the_average_precision() -> None:
    shown = [EvaluatedPicture((A,), (), (claim((0.0, 0.0, 10.0, 4.2)),))]
    loose, strict = evaluate_boxes(shown, 0.4), evaluate_boxes(shown, 0.5)
    assert (loose.right, strict.right) == (1, 0)
    assert (loose.ap, loose.ap50) == (strict.ap, strict.ap50) == (0, 0)
    assert evaluate_boxes([EvaluatedPicture((A,), (), (claim((0.0, 0.0, 10.0, 7.6)),))], 0.77).right == 0


def test_what_annotators_were_not_sure_of_counts_for_nothing() -> None:
    found = evaluate_boxes([EvaluatedPicture((A,), (B,), (claim(A), claim(B)))], 0.5)
    assert (found.true, len(found.judged), found.precision, found.recall) == (1, 1, 1, 1)


def test_the_first_box_of_the_first_picture_counts_too() -> None:
    """COCOeval takes number 0 for no match."""
    assert evaluate_boxes([EvaluatedPicture((A,), (), (claim(A),))], 0.5).right == 1


@given(
    st.lists(st.tuples(st.lists(box, max_size=4), st.lists(box, max_size=4)), min_size=1, max_size=4),
    st.sampled_from([0.3, 0.5]),
)
@settings(max_examples=40, deadline=None)
def test_counts_agree_with_plain_pairs(pictures: list[tuple[list[Box], list[Box]]], iou: float) -> None:
    """COCO pairs by score, plain pairs by overlap: no greedy pairing finds less than half of another's."""
    shown = []
    plain = Score()
    for true, said in pictures:
        best = [max((score([one], [other], iou).right for other in true), default=0) for one in said]
        shown.append(
            EvaluatedPicture(tuple(true), (), tuple(claim(one, 0.5 + 0.4 * good) for one, good in zip(said, best, strict=True)))
        )
        plain += score(said, true, iou)
    found = evaluate_boxes(shown, iou)
    assert (found.true, found.used) == (plain.true, plain.found)
    assert plain.right / 2 <= found.right <= sum(map(len, (true for true, _ in pictures)))


def test_reliability_sets_scores_beside_what_is_right() -> None:
    judged = [JudgedBox(claim(A, 0.9), True), JudgedBox(claim(A, 1.0), False), JudgedBox(claim(A, 0.25), False)]
    found = Evaluation(1, 1, None, None, tuple(judged))
    assert found.reliability == (ReliabilityBin(1, 0.25, 0.0), ReliabilityBin(2, 0.95, 0.5))
    assert found.calibration_error == pytest.approx((0.25 + 2 * 0.45) / 3)
