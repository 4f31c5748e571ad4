"""Ordinary sentences that come near to a fault and are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.audit.records.category_counts import parse_counts
from rsflow.audit.records.set_rules import SetRules
from rsflow.audit.report import Report
from rsflow.imports.conversation import parse_conversation
from tests.audit.test_planted import record
from tests.audit.test_planted_claims import BOTTOM, LEFT, LOW, RIGHT, TOP, counts, faults, positions

TEXTS: list[tuple[str, str]] = [
    ("What is seen?", "Two kinds of vehicles are visible: 12 cars and 3 trucks."),
    ("What is seen?", "The scene has two main parts: three buildings and one road."),
    ("What is seen?", "On 12 May 2019: 3 ships and 2 boats."),
    ("What is seen?", "12 May: 3 ships and 2 boats."),
    ("What is seen?", "Sentinel 2 image: 3 ships and 2 boats."),
    ("What is seen?", "There are two rows of ships: 3 tugs and 4 barges."),
    ("What is seen?", "There are five vehicles: 2 cars in 2 rows and 3 trucks."),
    ("What changed?", "There are two differences: 3 houses and 2 roads."),
    ("Is there a plane?", f"No, but there is a ship at {TOP}."),
    ("Is there a plane?", f"No, only the ship at {TOP}."),
    ("What is the runway made of", "concrete"),
    ("What is the car parked in", "A garage"),
    ("What is it?", "The road that the plane is parked on"),
    ("Which are visible? A. ship B. plane C. car", "A, C"),
    ("Which are visible? A. ship B. plane C. car", "A and B"),
    ("Which are visible? A. ship B. plane C. car", "AC"),
    ("Which are visible? A. ship B. plane C. car", "None of them."),
    ("Categories: urban, rural, water. Which is dominant?", "None of them."),
    ("Select the correct options: water, forest, urban.", "All of them"),
    ("How many huts are there?", "It's hard to say."),
    ("How many huts are there?", "They are too small to be seen."),
    ("How many huts are there?", "Unanswerable"),
    ("Is there a hut?", "Unanswerable"),
    ("Are there any ships?", "Only boats."),
    ("Is it a rural or an urban area?", "City"),
    ("Is it a summer or winter scene?", "Autumn."),
]
PLACES: list[tuple[str, str]] = [
    ("Count the ships in the right third.", f"There is one ship {LEFT}. None of them lies in the right third of the image."),
    ("Locate the airplane that is facing towards the top left.", BOTTOM),
    ("Locate the plane whose tail is to the left.", RIGHT),
    ("Locate the building with a pool on the left.", RIGHT),
    ("Locate the ship on the left.", RIGHT),
    (f"Describe the ship {RIGHT}.", "It is moving to the left."),
    (f"Describe the ship {BOTTOM}.", "It has a crane in the top left corner of the image."),
    (f"Where is the ship {RIGHT} heading?", "It is moving to the left side of the image."),
]


@pytest.mark.parametrize("pair", TEXTS)
def test_ordinary_text_is_no_fault(pair: tuple[str, str]) -> None:
    assert faults("llava", *pair) == set()


@pytest.mark.parametrize("pair", PLACES)
def test_a_course_or_a_part_is_no_place(pair: tuple[str, str]) -> None:
    assert positions("llava", *pair) == []


@pytest.mark.parametrize("answer", ["A, D", "A and E", "AD"])
def test_several_letters_must_be_options(answer: str) -> None:
    assert faults("llava", "Which are visible? A. ship B. plane C. car", answer) == {"answer_not_an_option"}


def test_brackets_in_a_question_are_no_foreign_box() -> None:
    question = "What do the bands [4, 3, 2, 1] show?"
    assert faults("qwen2", question, "Water.") == set()
    assert faults("qwen2", "Where is it?", "At [4, 3, 20, 10].") == {"foreign_box"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("There are 3 buildings.", []),
        ("A school, a church", []),
        ("No trees, only 3 buildings", []),
        ("There are no buildings.", [("building", 0, 0)]),
        ("[]", [("building", 0, 0)]),
        (f"{TOP}, {LEFT}", [("building", 2, 2)]),
    ],
)
def test_an_answer_without_boxes_claims_nothing_unless_it_denies(answer: str, expected: list[tuple[str, int, int]]) -> None:
    for question in ("Find every building", "List all buildings"):
        (exchange,) = parse_conversation(record(question, answer)).exchanges
        assert list(parse_counts(exchange, "llava")) == expected


@pytest.mark.parametrize(
    ("question", "count"), [("What does a false colour image show?", 0), ("What does the given satellite image show?", 1)]
)
def test_only_a_question_about_this_picture_needs_one(question: str, count: int) -> None:
    rules, report = SetRules(), Report("set.json", "llava")
    for number in range(20):
        rules.add(number, parse_conversation(record("<image>\nWhat is in the image?", "A port")), 1)
    text = record(question, "Vegetation in red.")
    del text["image"]
    rules.add(20, parse_conversation(text), 0)
    rules.report_to(report)
    assert report.counts.get("no_picture", 0) == count


def labelled(names: list[tuple[str, str]]) -> list[object]:
    return [record(f"<image>\nDetect all {asked} in the image.", LOW["qwen3"].replace("ship", label)) for asked, label in names]


@pytest.mark.parametrize(
    ("names", "count"),
    [
        ([("huts", "hut"), ("ships", "ship"), ("huts", "ship")], 1),
        ([("cars", "car"), ("vehicles", "car")], 0),  # no label is "vehicle"
        ([("ships", "ship"), ("boats", "ship")], 0),
        ([("ships", "ship"), ("huts", "hut"), ("salient objects", "ship")], 0),
        ([("huts", "hut"), ("huts", "cottage")], 0),  # which is never asked for
    ],
)
def test_a_label_differs_from_what_is_asked_for(tmp_path: Path, names: list[tuple[str, str]], count: int) -> None:
    assert counts(tmp_path, labelled(names), "qwen3").get("label_differs", 0) == count
