"""Papers' protocols: RSVQA's classes of numbers and mean over types, DIOR-RSVG's precisions and cumulative IoU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rsflow.dialects import get_dialect
from rsflow.evaluation.aggregate import score_table
from rsflow.evaluation.answers import Answer
from rsflow.evaluation.questions import Question
from rsflow.evaluation.report import examples, to_page
from rsflow.evaluation.scores.number_ranges import number_class
from rsflow.evaluation.scores.scoring import Scored, score_answers


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["0", "none", "0m2"], 0),
        (["1", "10", "between 0 and 10", "Between 1 and 10.", "7 m2", "between 0m2 and 10m2"], 1),
        (["11", "100", "There are 37 of them", "between 10 and 100", "between 11 and 100", "85m2"], 2),
        (["101", "1,000", "between 100 and 1000", "between 100m2 and 1000m2", "999 square meters"], 3),
        (["1001", "more than 1000", "More than 1,000", "more than 1000m2", "larger than 1000 m2", "over 1,000", "12345m2"], 4),
        (["", "many", "3 or 4", "between 3 and 40", "more than 5", "-2"], None),
    ],
)
def test_numbers_fall_into_the_papers_classes(texts: list[str], expected: int | None) -> None:
    assert [number_class(text) for text in texts] == [expected] * len(texts)


def question(number: int, answer: dict[str, Any], task: str = "vqa", boxes: tuple[Any, ...] = ()) -> Question:
    value = str(answer.get("value", "[[|0]]"))
    return Question(
        str(number), "k", task, answer["kind"], "optical", "s", f"c{number}", (), f"Q{number}?", value, boxes, answer, 100, 100
    )


def scored(rows: list[tuple[Question, str]]) -> list[Scored]:
    return score_answers([(one, Answer(one.question_id, text)) for one, text in rows], get_dialect("pixels"))


def test_accuracies_of_rsvqa_are_by_type_and_their_mean() -> None:
    asked = [
        ("presence", "yes", "Yes, there is."),
        ("presence", "no", "yes"),
        ("presence", "no", "maybe"),
        ("count", "37", "40"),
        ("count", "37", "between 10 and 100"),
        ("count", "0", "none"),
        ("count", "2000", "3"),
        ("area", "123m2", "800m2"),
        ("area", "0m2", "12m2"),
        ("rural_urban", "rural", "It is a rural area."),
    ]
    rows = scored(
        [
            (question(number, {"kind": "answer", "value": value, "type": kind}), text)
            for number, (kind, value, text) in enumerate(asked)
        ]
    )
    found = {(one.by, one.group, one.metric): one.value for one in score_table(rows)}
    for kind, exact, ranged in (
        ("presence", 1 / 3, 1 / 3),
        ("count", 1 / 4, 3 / 4),
        ("area", 1 / 2, 1 / 2),
        ("rural_urban", 1, 1),
    ):
        assert found["kind", kind, "accuracy"] == pytest.approx(exact)
        assert found["kind", kind, "ranged_accuracy"] == pytest.approx(ranged)
    assert found["all", "all", "accuracy"] == pytest.approx(4 / 10)
    assert found["all", "all", "ranged_accuracy"] == pytest.approx(6 / 10)
    assert found["source", "s", "average_accuracy"] == pytest.approx((1 / 3 + 1 / 4 + 1 / 2 + 1) / 4)
    assert found["source", "s", "average_ranged_accuracy"] == pytest.approx((1 / 3 + 3 / 4 + 1 / 2 + 1) / 4)
    assert [row.parsed for row in rows].count(False) == 1
    (plain,) = scored([(question(0, {"kind": "count", "value": 3, "category": "ship"}), "many")])
    assert plain.measures == {"accuracy": 0.0}


def test_one_box_is_scored_at_each_threshold_and_cumulatively() -> None:
    answers = ["[0, 0, 10, 10]", "[0, 0, 10, 8]", "no idea"]
    sizes = [10.0, 10.0, 20.0]
    rows = scored(
        [
            (question(n, {"kind": "box", "box": 0, "category": "ship"}, "grounding", ((0.0, 0.0, size, size),)), text)
            for n, (size, text) in enumerate(zip(sizes, answers, strict=True))
        ]
    )
    found = {one.metric: one.value for one in score_table(rows) if one.by == "all"}
    assert [found[f"acc@{threshold}"] for threshold in (0.5, 0.6, 0.7, 0.8, 0.9)] == pytest.approx([2 / 3] * 4 + [1 / 3])
    assert found["iou"] == pytest.approx(1.8 / 3)
    assert found["cumulative_iou"] == pytest.approx((100 + 80) / (100 + 100 + 400))
    ends = examples(rows)["grounding"]
    assert [[row.question.question_id for row in ends[end]] for end in ("worst", "best")] == [["2", "1"], ["0"]]
    page = to_page("t", [], rows, {str(n): [b"\x89PNG"] for n in range(3)})
    assert [page.count(f"<polygon class={name} ") for name in ("right", "answer")] == [3, 2]


@pytest.mark.parametrize(("picture", "text"), [(0, "[0, 0, 10, 8]"), (1, "[0, 0, 10, 8]"), (1, "In image 2: [0, 0, 10, 8]")])
def test_a_box_on_a_picture_of_a_group_counts_cumulatively_as_well(picture: int, text: str) -> None:
    one = question(0, {"kind": "box", "box": 0, "category": "ship"}, "grounding", ((0.0, 0.0, 10.0, 10.0),))
    rows = scored([(replace(one, sizes=((100, 100), (100, 100)), box_pictures=(picture,)), text)])
    found = {each.metric: each.value for each in score_table(rows) if each.by == "all"}
    assert (found["iou"], found["cumulative_iou"]) == pytest.approx((0.8, 0.8))


@pytest.mark.parametrize("text", ["no idea", "[5, 5, 5, 5]"])
def test_a_box_without_area_is_covered_by_nothing(text: str) -> None:
    rows = scored([(question(0, {"kind": "box", "box": 0}, "grounding", ((5.0, 5.0, 5.0, 5.0),)), text)])
    assert {each.value for each in score_table(rows) if each.by == "all"} == {0.0}
