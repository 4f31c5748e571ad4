"""Overlapping pairs against the comparison of all pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rsflow.spatial.box_index import overlapping, suppress_overlaps
from rsflow.spatial.geometry import Box, iou

SIDES = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))
BOXES = st.lists(SIDES.map(lambda s: (float(s[0]), float(s[1]), float(s[0] + s[2]), float(s[1] + s[3]))), max_size=25)


@given(BOXES, st.sampled_from([0.1, 0.5, 0.7]))
def test_pairs_are_those_of_the_plain_comparison(boxes: list[Box], least: float) -> None:
    plain = {i: [j for j in range(len(boxes)) if j != i and iou(boxes[i], boxes[j]) >= least] for i in range(len(boxes))}
    assert overlapping(boxes, least) == {i: others for i, others in plain.items() if others}


@given(BOXES)
def test_what_is_kept_is_what_a_plain_loop_keeps(boxes: list[Box]) -> None:
    kept: list[Box] = []
    for box in sorted(boxes):
        if not any(iou(box, other) >= 0.7 for other in kept):
            kept.append(box)
    assert suppress_overlaps(boxes, 0.7) == kept
