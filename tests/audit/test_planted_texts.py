"""Faults of questions, answers and whole sets, each planted alone into a clean set of ordinary, varied records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rsflow.audit import audit
from tests.audit.test_planted import BOXES, record

HINT = " Answer the question using a single word or phrase."
LETTERS = "<image>\nWhat is shown? A. port B. airport C. farmland"
LINES = "<image>\nWhich sensor took this?\nA. optical\nB. SAR\nC. infrared\nAnswer with the option's letter."
LISTED = "<image>\nClassify the image as one of the following classes: port, airport, dense residential area, farmland."


def part(number: int, question: str) -> str:
    return question.replace("<image>\n", f"<image>\nIn part {number}: ")


def clean(form: str = "llava") -> list[dict[str, Any]]:
    """Records that come near to every fault that is planted below, and have none."""
    box = BOXES[form]
    pairs = [
        *((LETTERS, "B"), (part(2, LETTERS), "B."), (part(3, LETTERS), "airport"), (part(4, LETTERS), "(C)")),
        *((LINES, "B. SAR"), (part(2, LINES), "C"), (part(3, LINES), "The answer is A.")),
        *((LISTED, "Dense Residential Area"), (part(2, LISTED), "farmlands.")),
        ("<image>\nHow many ships are there?" + HINT, "12"),
        ("<image>\nHow many cars are in the image?", "Several."),
        ("<image>\nHow many docks are there in this image?", "A dozen or so."),
        ("<image>\nIs it a rural or an urban area?", "rural"),
        ("<image>\nWhat is at the quay?", f"A ship at {box} is left of the ship at {box}."),
        ("<image>\nDescribe the image.", "A port (with a quay [see left]), a crane and two ships lie below the town; no cars."),
        ("<image>\nDescribe it in detail.", "The scene shows: a road, a river and fields. Users of the port see 3 to 4 ships."),
        ("<image>\nWhat do you see in this picture?", "I see no ship. I cannot see any ships at the quay, nor any crane."),
        ("<image>\nWhat is in the north?", "A farm near Åre, and Çeşme with its naïve café."),
        ("<image>\nWhich colour has the roof?", "Red"),
        ("<image>\nWhat is the note?", "The sign reads: N. A. Smith & Sons"),
        ("<image>\nIs there a none-way street?", "No."),
        ("<image>\nWhat does the writing say?", "todo list"),
        *((f"<image>\nDescribe part {i}.", f"Part {i} shows a quay with {i} cranes and a road.") for i in range(8)),
    ]
    return [record(*pair, id=f"c{i}") for i, pair in enumerate(pairs)]


def found(folder: Path, rows: list[Any], form: str = "llava") -> dict[str, int]:
    Image.new("RGB", (100, 100), (9, 99, 9)).save(folder / "a.png")
    (folder / "set.json").write_text(json.dumps(rows))
    return audit(str(folder / "set.json"), form, str(folder)).counts


PLANTED: list[tuple[str, tuple[str, ...]]] = [
    ("answer_not_an_option", (LETTERS + "?", "D")),
    ("answer_not_an_option", (LETTERS + "?", "E.")),
    ("answer_not_an_option", (part(9, LINES), "(F)")),
    ("answer_not_an_option", (LETTERS + "?", "B. farmland")),
    ("answer_not_an_option", (LETTERS + "?", "The answer is G.")),
    ("answer_not_an_option", (LETTERS + "?", "harbour")),
    ("answer_not_an_option", (LISTED + "?", "stadium")),
    ("answer_not_an_option", ("<image>\nWhat is shown? A. port B. port C. farmland", "A")),
    ("answer_not_an_option", ("<image>\nWhat is shown? A. port B. airport B. farmland", "A")),
    ("answer_not_an_option", ("<image>\nChoose one of the options: red, green, blue.", "purple")),
    ("echo", ("<image>\nWhat is shown in this image?", "What is shown in this image?")),
    ("echo", ("<image>\nDescribe the scene briefly.", "describe the scene briefly")),
    ("empty_text", ("<image>", "A port.")),
    ("empty_text", ("<image>\n?", "A port.")),
    ("empty_text", ("<image>\nWhat is it?", "...")),
    ("empty_text", ("<image>\nWhat is it?", "-")),
    ("empty_text", ("<image>\nWhat is it?", "N/A")),
    ("empty_text", ("<image>\nWhat is it?", "null")),
    ("empty_text", ("<image>\nWhat is it?", "nan")),
    ("empty_text", ("<image>\nWhat is it?", "undefined")),
    ("empty_text", ("<image>\nWhat is it?", "Error: timeout while calling the model")),
    ("loop", ("<image>\nWhat is it?", "Nooooooooooo")),
    ("loop", ("<image>\nWhat is it?", "A port!!!!!!!!!!")),
    ("loop", ("<image>\nWhat is it?", "a quay and a quay and a quay and a quay and a quay.")),
    ("placeholder", ("<image>\nWhat is it?", "A picture of {category} by the sea.")),
    ("placeholder", ("<image>\nDescribe the {object}.", "A port.")),
    ("placeholder", ("<image>\nWhat is it?", "A picture of {{ name }} by the sea.")),
    ("placeholder", ("<image>\nWhat is it?", "[insert caption here]")),
    ("placeholder", ("<image>\nWhat is it?", "TODO: describe the port.")),
    ("placeholder", ("<image>\nWhat is it?", "lorem ipsum dolor sit amet.")),
    ("placeholder", ("<image>\nWhat is it?", "It shows %(name)s.")),
    ("placeholder", ("<image>\nWhat is it?", "<caption>")),
    ("repeated_box", ("<image>\nWhere are they?", "At [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4].")),
    ("repeated_box", ("<image>\nWhere are they?", "At [0.1, 0.2, 0.3, 0.4; 0.5, 0.6, 0.7, 0.8; 0.5, 0.6, 0.7, 0.8].")),
    ("role_marker", ("<image>\nWhat is it?", "A port.\nUSER: And what else?\nASSISTANT: A quay.")),
    ("role_marker", ("<image>\nWhat is it?", "### Assistant: A port.")),
    ("role_marker", ("<image>\nWhat is it?\nAssistant:", "A port.")),
    ("unbalanced_marks", ("<image>\nWhere is it?", "At [0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7")),
    ("unbalanced_marks", ("<image>\nWhere is it?", "At 0.1, 0.2, 0.3, 0.4].")),
    ("unbalanced_marks", ("<image>\nWhere is it?", "The <p>ship at [0.1, 0.2, 0.3, 0.4].")),
    ("box_not_a_box", ("<image>\nWhere is it?", "At [0.1 0.2 0.3 0.4].")),
    ("box_not_a_box", ("<image>\nWhere is it?", "At [0.1, 0.2, 0.3, inf].")),
    ("value_out_of_range", ("<image>\nWhere is it?", "At [10, 20, 30, 40].")),
    ("answer_of_other_kind", ("<image>\nHow many planes are there?", "-3")),
    ("answer_of_other_kind", ("<image>\nHow many planes are there?", "2.5")),
    ("answer_of_other_kind", ("<image>\nHow many planes are there?", "Blue.")),
    ("answer_of_other_kind", ("<image>\nHow many planes are there?", "Yes")),
    ("answer_of_other_kind", ("<image>\nIs there a plane?", "7")),
    ("refusal", ("<image>\nWhat is it?", "I apologize, but I can't provide that.")),
    ("refusal", ("<image>\nWhat is it?", "I am just an AI and have no eyes.")),
    ("refusal", ("<image>\nWhat is it?", "I'm afraid the picture did not load.")),
    ("refusal", ("<image>\nWhat is it?", "Please attach the image.")),
    ("mojibake", ("<image>\nWhat is it?", "a port&nbsp;by the sea")),
    ("mojibake", ("<image>\nWhat is it?", "a port &#x27;by the sea&#x27;")),
    ("other_language", ("<image>\nWhat is it?", "这是一个港口，有许多船只。")),
    ("other_language", ("<image>\nWhat is it?", "Это порт с кораблями.")),
    ("other_language", ("<image>\nWhat is it?", "هذا ميناء به سفن.")),
    ("other_language", ("<image>\nWhat is it?", "Das ist ein Hafen mit einer Brücke und den Schiffen.")),
    ("other_language", ("<image>\nWhat is it?", "Il y a un port avec des bateaux et une grue dans la ville.")),
    ("other_language", ("<image>\n这张图片里有什么？", "A port.")),
    ("picture_tokens", ("What is it?", "A port.")),
    ("picture_tokens", ("<image><image>\nWhat is it?", "A port.")),
    ("cut_text", ("<image>\nDescribe it again.", "A large port with two ships lies to the left of the old")),
]


@pytest.mark.parametrize("form", ["llava", "geochat", "qwen2", "internvl"])
def test_a_clean_set_has_no_fault(tmp_path: Path, form: str) -> None:
    assert found(tmp_path, clean(form), form) == {}


def test_there_are_many_kinds() -> None:
    assert len(PLANTED) >= 60


@pytest.mark.parametrize(("fault", "texts"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_fault_is_found_by_its_name_and_nothing_else(tmp_path: Path, fault: str, texts: tuple[str, ...]) -> None:
    assert found(tmp_path, [*clean(), record(*texts)]) == {fault: 1}


def test_a_set_in_another_language_is_no_fault(tmp_path: Path) -> None:
    rows = [record(f"<image>\n图片{i}里有什么？", f"这是一个港口，有{i}艘船。", id=str(i)) for i in range(12)]
    assert found(tmp_path, rows) == {}


def test_a_set_without_picture_tokens_is_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path, [record(f"What is at place {i}?", f"A port, number {i}.", id=str(i)) for i in range(12)]) == {}


@pytest.mark.parametrize(
    "line", ['{"image": "a.png", "conversations": [', "not json", '{"image": "a.png"}}', "[1, 2", '"text"', "7"]
)
def test_a_line_that_does_not_parse_is_a_fault_and_the_rest_is_read(tmp_path: Path, line: str) -> None:
    Image.new("RGB", (100, 100), (9, 99, 9)).save(tmp_path / "a.png")
    rows = [json.dumps(row) for row in clean()]
    (tmp_path / "set.jsonl").write_text("\n".join([*rows[:5], line, *rows[5:]]))
    report = audit(str(tmp_path / "set.jsonl"), "llava", str(tmp_path))
    assert report.counts == {"broken_record": 1}
    assert report.inspected["records"] == len(rows) + 1


def test_an_array_that_ends_early_is_a_fault(tmp_path: Path) -> None:
    Image.new("RGB", (100, 100), (9, 99, 9)).save(tmp_path / "a.png")
    (tmp_path / "set.json").write_text(json.dumps(clean())[:-40])
    assert audit(str(tmp_path / "set.json"), "llava", str(tmp_path)).counts == {"broken_record": 1}
