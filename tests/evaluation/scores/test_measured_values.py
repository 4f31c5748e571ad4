"""A measured number is right within the interval that the rounded answer stands for, in metres or kilometres."""

from __future__ import annotations

import pytest

from rsflow.dialects import get_dialect
from rsflow.evaluation.answers import Answer
from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.scoring import score_answers

ANSWER = {
    "kind": "fact",
    "name": "distance",
    "value": "about 1.3 km",
    "number": 1312.0,
    "unit": "m",
    "least": 1250.0,
    "most": 1350.0,
}


@pytest.mark.parametrize(
    ("text", "accuracy"),
    [
        ("about 1.3 km", 1.0),
        ("1,300 m", 1.0),
        ("1350 metres", 1.0),
        ("1.4 km", 0.0),
        ("1300 km", 0.0),
        ("about 1.3 m", 0.0),
        ("far", None),
    ],
)
def test_numbers_are_judged_by_their_interval(text: str, accuracy: float | None) -> None:
    question = Question("q", "k", "vqa", "fact", "optical", "s", "c", (), "How far?", "about 1.3 km", (), ANSWER, 64, 64)
    (found,) = score_answers([(question, Answer("q", text))], get_dialect("mmrs"))
    assert found.parsed is (accuracy is not None)
    assert found.measures["accuracy"] == (accuracy or 0.0)
    if accuracy:
        assert found.measures["relative_error"] < 0.04
