"""Large counts: asked for with a tolerance that the question states and the score keeps."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rsflow.config import settings as config
from rsflow.dialects import get_dialect
from rsflow.evaluation.answers import Answer
from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.scoring import score_answers
from rsflow.instructions import compose
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts

ANNOTATION = Provenance("annotation", "coco")


def trees(count: int, *languages: str) -> list[Instruction]:
    places = [(float(i % 30 * 16), float(i // 30 * 16)) for i in range(count)]
    labels = tuple(Label("box", "tree", ANNOTATION, Shape((x, y, x + 10, y + 10))) for x, y in places)
    facts = TileFacts("t/0", "optical", 512, 512, None, labels, ("tree",))
    settings = config.Instructions(tasks=("vqa",), per_task=50, languages=languages or ("en",))  # type: ignore[arg-type]  # of the Literal
    found = compose(facts, settings, 0, config.Labels())[0]
    return [item for item in found if item.answer["kind"] == "count"]


@pytest.mark.parametrize(("count", "percent"), [(51, 10), (123, 10), (200, 10), (201, 20), (777, 20)])
def test_the_answer_lies_within_the_tolerance_that_the_question_states(count: int, percent: int) -> None:
    (item,) = trees(count)
    question, answer = (turn.text for turn in item.turns)
    assert f"{percent} %" in question
    found = re.fullmatch(r"about (\d+)", answer)
    assert found
    assert abs(int(found[1]) - count) <= count * percent / 100


def test_up_to_fifty_are_counted_exactly() -> None:
    (item,) = trees(50)
    assert item.turns[1].text == "50"
    assert "tolerance_percent" not in item.answer


def test_chinese_states_the_same_tolerance() -> None:
    (item,) = trees(123, "zh")
    assert "10%" in item.turns[0].text
    assert item.turns[1].text == "约120"


@pytest.mark.parametrize(
    ("said", "right"), [("about 120", 1.0), ("135", 1.0), ("111", 1.0), ("about 136", 0.0), ("110", 0.0), ("123 trees", 1.0)]
)
def test_an_answer_within_the_tolerance_is_right(said: str, right: float) -> None:
    (item,) = trees(123)
    question = Question(
        "q", "k", "vqa", "count", "optical", "trees", "k", (), item.turns[0].text, item.turns[1].text, (), item.answer, 512, 512
    )
    (scored,) = score_answers([(question, Answer("q", said))], get_dialect("pixels"))
    assert scored.measures["accuracy"] == right
    exact = replace(question, answer={**item.answer, "tolerance_percent": 0})
    (strict,) = score_answers([(exact, Answer("q", said))], get_dialect("pixels"))
    assert strict.measures["accuracy"] == float(said.startswith("123"))
