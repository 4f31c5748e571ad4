"""Faults that only a comparison shows: positions, counts, kinds of answers, boxes of other formats, leftovers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from rsflow.audit import audit
from rsflow.audit.labels.category_spellings import CategorySpellings, is_misprint
from rsflow.audit.records.positions import find_wrong_positions
from rsflow.audit.records.text_rules import find_faults
from rsflow.audit.report import Report
from rsflow.imports.conversation import parse_conversation
from tests.audit.test_planted import BOXES, record

HINT = " Answer the question using a single word or phrase."
TOP, BOTTOM = "[0.1, 0.1, 0.2, 0.2]", "[0.7, 0.7, 0.9, 0.9]"
LEFT, RIGHT = "[0.05, 0.4, 0.15, 0.6]", "[0.8, 0.4, 0.95, 0.6]"
LOW = {  # at the bottom right, in every spelling
    **dict.fromkeys(("lisa", "llava"), BOTTOM),
    "mmrs": "[0.70,0.70,0.90,0.90]",
    "geochat": "{<70><70><90><90>|<0>}",
    "internvl": "<ref>ship</ref><box>[[700, 700, 900, 900]]</box>",
    "pixels": "[700, 700, 900, 900]",
    "qwen2": "<|box_start|>(700,700),(900,900)<|box_end|>",
    "qwen3": '{"bbox_2d": [700, 700, 900, 900], "label": "ship"}',
}

POSITIONS: list[tuple[str, str]] = [
    ("Where is it?", f"In the upper right corner of the image, {TOP}"),
    ("Where is it?", f"{TOP} at the bottom of the image"),
    ("Where is the ship?", f"The ship on the left side {RIGHT}."),
    ("Where is the ship?", "The ship is in the center of the image [0.9, 0.9, 0.99, 0.99]."),
    (f"Where in the image is the object {BOTTOM}?", "It is in the top left corner."),
    ("Locate the ship in the top left.", BOTTOM),
    ("Where are they?", f"A ship in the top left {TOP} and a car in the lower right corner {LEFT}."),
    ("Where is it?", f"The ship {RIGHT} is to the left of the car {LEFT}."),
    ("Where is it?", f"The ship {BOTTOM} is above the car {TOP}."),
    ("Where is it?", f"The ship {TOP} is right of the ship {BOTTOM}."),
]
CONSISTENT: list[tuple[str, str]] = [
    ("Where is the ship?", f"The ship in the bottom right corner {BOTTOM}."),
    ("Where is the ship?", f"The ship on the left {BOTTOM} is grey."),  # the left one of two
    ("Where is the ship?", f"On the left side of the road, {RIGHT}."),
    ("Where is the ship?", f"The ship {RIGHT} lies left of a road on the right {LEFT}."),
    ("Where are they?", f"A ship in the top left {TOP} and a car in the lower right corner {BOTTOM}."),
    ("Where is it?", f"The ship {LEFT} is to the left of the car {RIGHT}."),
    ("Is it in the top left?", f"No, it is in the bottom right corner, {BOTTOM}."),
]

PLANTED: list[tuple[str, str, str, str]] = [
    *(
        ("answer_contradicts_itself", "llava", "Is there a hut in the image?", text)
        for text in (
            "No, there are 3 huts.",
            "No. There are three huts at the quay.",
            "No, several huts are there.",
            f"No, it is at {TOP}.",
            "Yes, there are no huts.",
            "Yes, 0 huts.",
            "Yes. No.",
            "no, yes",
            "Yes, there is no hut.",
        )
    ),
    ("answer_contradicts_itself", "geochat", "Are there any huts?", f"No, {BOXES['geochat']}"),
    ("answer_contradicts_itself", "llava", "What is seen?", "There are no huts in the image. There are 3 huts at the quay."),
    ("answer_contradicts_itself", "llava", "What is seen?", "There are five vehicles: 2 cars and 2 trucks."),
    ("answer_contradicts_itself", "llava", "What is seen?", "There are 3 vehicles, including 2 cars and 2 trucks."),
    ("answer_contradicts_itself", "llava", "What is seen?", "It has two (3) huts."),
    ("count_differs", "llava", "How many huts are there?", f"3. They are at {TOP} and {BOTTOM}."),
    ("count_differs", "lisa", "What is it?", f"There are zero huts {TOP}."),
    ("foreign_box", "llava", "Where?", BOXES["internvl"]),
    ("foreign_box", "llava", "Where?", BOXES["geochat"]),
    ("foreign_box", "llava", "Where?", BOXES["qwen2"]),
    ("foreign_box", "geochat", "Where?", BOXES["llava"]),
    ("foreign_box", "internvl", "Where?", BOXES["pixels"]),
    ("foreign_box", "qwen", "Where?", BOXES["llava"]),
    ("foreign_box", "qwen2", "Where?", BOXES["qwen"]),
    ("foreign_box", "qwen3", "Where?", BOXES["qwen2"]),
    ("foreign_box", "llava", "Where?", "<loc_12><loc_50><loc_70><loc_90>"),
    ("foreign_box", "llava", "Where?", "The ship is at (0.1, 0.2, 0.3, 0.4)."),
    ("foreign_box", "pixels", "Where?", "The ship is at (10,20),(30,40)."),
    ("foreign_box", "mmrs", "Where?", "x1=10, y1=20, x2=30, y2=40"),
    ("foreign_box", "llava", "Where?", "<box>10 20 30 40</box>"),
    ("foreign_box", "qwen", "Where?", '[{"bbox": [10, 20, 30, 40], "label": "ship"}]'),
    ("box_not_a_box", "qwen", "Where?", '[{"bbox_2d": [10, 20, 30, 40] "label": "ship"}]'),
    ("box_not_a_box", "qwen", "Where?", '[{"bbox_2d": [10, 20, 30, 40], "label": ""}]'),
    ("box_not_a_box", "qwen3", "Where?", '[{"bbox_2d": ["10", "20", "30", "40"], "label": "ship"}]'),
    ("box_not_a_box", "internvl", "Where?", "<ref>ship</ref><box>[100, 200, 300, 400]</box>"),
    ("box_not_a_box", "internvl", "Where?", "<ref> </ref><box>[[100, 200, 300, 400]]</box>"),
    ("label_differs", "qwen", "Detect all huts in the image.", BOXES["qwen"]),
    ("label_differs", "internvl", "Locate every hut in the image.", BOXES["internvl"]),
    ("label_differs", "llava", "Find all huts in the image.", f"There is 1 car {TOP}."),
    ("box_missing", "llava", "Give the bounding box of the ship.", "The ship is on the left."),
    ("box_missing", "llava", "Provide the coordinates of the red car.", "It is parked beside the road."),
    ("box_missing", "geochat", "[refer] where is the ship?", "It is at the quay."),
    ("box_missing", "geochat", "[identify] what is this?", "A ship."),
    ("box_missing", "llava", "Describe the region [].", "A ship."),
    *(
        ("placeholder", "llava", "What is it?", text)
        for text in (
            "A %s by the sea.",
            "There are %d huts.",
            "A [OBJECT] here.",
            "A {Category} here.",
            "A {} here.",
            "A {0}.",
            "A ____.",
            "A [NAME].",
            "A <class_name> here.",
            "A <object> here",
            "A $CATEGORY.",
            "INSERT TEXT HERE",
            "[description]",
            "A {a.name}.",
            "A {category!r}.",
            "{n:d} huts.",
            "[Your answer here]",
            "(insert caption)",
            "__CATEGORY__",
            "[object Object]",
            "There are None huts.",
            "It is nan metres long.",
            "There are undefined huts.",
        )
    ),
    ("placeholder", "llava", "How many %s are there?", "4"),
    *(
        ("cut_text", "llava", "Describe it.", text)
        for text in (
            "The image shows a large",
            "There are huts, cars, and",
            "It lies left of the",
            "The road is long,",
            "A large har-",
        )
    ),
    ("cut_text", "llava", "What is the number of", "4"),
    *(
        ("prompt_text", "llava", "What is it?", text)
        for text in (
            "As a helpful assistant, I describe it.",
            "Sure! A port.",
            "Certainly, the image shows a port.",
            "Here is the revised caption: a port.",
            "Based on the provided bounding boxes, there are huts.",
            "According to the annotations, it is a port.",
            "The metadata says that it is a port.",
            "A port. Note: I kept it short.",
            "I hope this helps!",
            "Let me know if you need more.",
            "You are an expert image annotator. A port.",
            "The labels given are hut and quay.",
        )
    ),
    ("role_marker", "llava", "What is it?", "Question: what? Answer: a port."),
    ("role_marker", "llava", "What is it?", "system\nA port."),
    *(
        ("program_text", "llava", "What is it?", text)
        for text in (
            "A port<br>with huts.",
            "<b>A port</b>.",
            "A port\\nwith huts",
            "['hut', 'quay']",
            "Traceback (most recent call last): x",
            "see https://example.com/a",
            "/home/user/data is it",
            "a%20port",
            "The file P0012.png shows a port.",
            "{'caption': 'a port'}",
            "Rate limit reached for requests",
            "CUDA out of memory.",
            "array([1, 2])",
            "It\\'s a port",
            '```json\n{"a": "b"}\n```',
        )
    ),
    ("mojibake", "llava", "What is it?", "A port\u200b by the sea"),
    ("answer_of_other_kind", "llava", "A port with huts.", "What is shown in the image?"),
    ("answer_of_other_kind", "llava", "Is there a hut in the image?", "Blue."),
    (
        "answer_of_other_kind",
        "llava",
        "What is shown?" + HINT,
        "It shows a large port with several huts along the quay and a road to town.",
    ),
    ("answer_of_other_kind", "llava", "How many huts are there?", "The huts are moored at the quay."),
    ("answer_of_other_kind", "llava", "What colour is the roof?", "7"),
    ("answer_not_an_option", "llava", "Is it a rural or an urban area?", "yes"),
    ("answer_not_an_option", "llava", "Is it a rural or an urban area?", "forest"),
    ("echo", "llava", "How many huts are there? 3", "3"),
    ("echo", "llava", "What is it? Answer: a port", "A port"),
    ("echo", "llava", "How many huts are at the quay?", "How many huts are at the quay? 3"),
]

ORDINARY: list[tuple[str, str]] = [
    ("Is there a hut?", "No, there is a car."),
    ("Is there a hut?", "Yes, there are no others."),
    ("Are there any huts?", "No, there are none."),
    ("How many huts are there?", "3 of them, the largest at " + TOP),
    ("What is seen?", "There are 3 vehicles, including 2 cars."),
    ("What is seen?", "There are two huts on the left. There are three huts on the right."),
    ("What is in the bounding box " + TOP + "?", "A hut."),
    ("Give the bounding box of the hut.", "There is no hut."),
    ("Provide the geographic coordinates.", "They are not given."),
    ("Find all objects in the image.", "There is 1 car " + TOP),
    ("Find all storage tanks in the image.", "There is 1 tank " + TOP),
    ("How steep is it?", "The slope is 5 % south of the road; 100 % of it is paved."),
    ("What is it used for?", "It is what the harbour is known for."),
    ("Is it a rural or an urban area?", "Mostly urban"),
    ("How many cars are there?", "There is a single car."),
    ("What is it?", "None of the huts is visible; the area (10, 20 and 30 m) is $5 cheaper at 3:4."),
    ("What is it?", "It shows a road/river of type A. Bands: [4, 3, 2]; sure-footed hikers, a 1.5 m path."),
    ("Describe the image.", "Answering to demand, the quay is wide: cranes, rails and huts."),
]


def faults(form: str, question: str, answer: str) -> set[str]:
    return {fault for fault, _ in find_faults(parse_conversation(record("<image>\n" + question, answer)), form)}


def positions(form: str, question: str, answer: str, size: tuple[int, int] | None = (1000, 1000)) -> list[str]:
    (exchange,) = parse_conversation(record(question, answer)).exchanges
    return list(find_wrong_positions(exchange, form, size))


@pytest.mark.parametrize("form", LOW)
def test_a_place_that_its_box_contradicts_is_found_in_every_spelling(form: str) -> None:
    for place, count in (
        ("top left", 1),
        ("bottom right", 0),
        ("upper right", 1),
        ("lower left corner", 1),
        ("lower right", 0),
    ):
        assert len(positions(form, "Where is the ship?", f"The ship is in the {place} at {LOW[form]}.")) == count


def test_boxes_in_pixels_of_a_picture_of_unknown_size_are_not_compared() -> None:
    assert positions("pixels", "Where is it?", "In the top left [700, 700, 900, 900].", None) == []


@pytest.mark.parametrize("pair", POSITIONS)
def test_words_of_position_are_compared_with_boxes(pair: tuple[str, str]) -> None:
    assert len(positions("llava", *pair)) == 1


@pytest.mark.parametrize("pair", CONSISTENT)
def test_words_that_may_be_true_are_no_fault(pair: tuple[str, str]) -> None:
    assert positions("llava", *pair) == []


@pytest.mark.parametrize(("fault", "form", "question", "answer"), PLANTED)
def test_a_planted_fault_is_found(fault: str, form: str, question: str, answer: str) -> None:
    assert fault in faults(form, question, answer)


@pytest.mark.parametrize("pair", ORDINARY)
def test_ordinary_text_is_no_fault(pair: tuple[str, str]) -> None:
    assert faults("llava", *pair) == set()


def counts(folder: Path, rows: list[object], form: str = "pixels") -> dict[str, int]:
    Image.new("RGB", (100, 100), (9, 99, 9)).save(folder / "a.png")
    (folder / "set.json").write_text(json.dumps(rows))
    return audit(str(folder / "set.json"), form, str(folder)).counts


def test_objects_kept_apart_from_the_text_are_judged_as_boxes(tmp_path: Path) -> None:
    base = record("<image>\nDetect all ships.", "There are <ref-object><bbox><bbox>.")
    wrong = [
        ({"ref": ["2 ships"], "bbox": [[1, 2, 30, 40], [50, 50, 60, 70]]}, {}),
        ({"ref": ["2 ships"], "bbox": [[1, 2, 30, 40]]}, {"broken_record": 1}),
        ({"ref": ["2 ships"], "bbox": [[1, 2, 30, 40], [1, 2, 3]]}, {"broken_record": 1}),
        ({"ref": [None], "bbox": [[1, 2, 30, 40], [1, 2, 3, 5]]}, {"broken_record": 1}),
        ({"ref": ["2 ships"], "bbox": [[1, 2, 30, 40], [50, 50, 160, 70]]}, {"box_outside": 1}),
        ({"ref": ["3 ships"], "bbox": [[1, 2, 30, 40], [50, 50, 60, 70]]}, {"count_differs": 1}),
    ]
    for objects, expected in wrong:
        assert counts(tmp_path, [{**base, "objects": objects}]) == expected


def test_records_that_differ_in_case_and_points_are_near_duplicates(tmp_path: Path) -> None:
    one = record("<image>\nWhat colour is the roof?", "Red")
    for question, answer in (("what color is the roof", "Red."), ("What colour  is the roof?", "red")):
        assert counts(tmp_path, [one, record("<image>\n" + question, answer)]) == {"near_repeated_text": 1}
    assert counts(tmp_path, [one, record("<image>\nwhat color is the roof", "Blue")]) == {"contradictory_answers": 1}


def test_a_misprint_of_a_frequent_class_is_found(tmp_path: Path) -> None:
    rows = [
        record("<image>\nWhat is the category of this remote sensing image?", name) for name in ("airport",) * 12 + ("airpot",)
    ]
    assert counts(tmp_path, rows)["category_spelling"] == 1


@pytest.mark.parametrize(("one", "other"), [("Type A", "Type B"), ("Class I", "Class II"), ("airport 1", "airport 2")])
def test_names_in_series_are_no_misprints(one: str, other: str) -> None:
    assert not is_misprint(one, other)


@pytest.mark.parametrize(
    "name", ["airpot", "aiport", "iarport", "airprot", "airportt", "airpoft", "xairport", "airpor", "irport"]
)
def test_a_misprint_is_found_wherever_it_stands_in_the_name(name: str) -> None:
    report, spellings = Report("set.json", "llava"), CategorySpellings()
    for used in ("airport",) * 12 + ("stadium",) * 12 + (name,):
        spellings.add(used, "record 0")
    spellings.report_to(report)
    assert report.counts == {"category_spelling": 1}


def test_amounts_of_records_without_a_picture_are_not_compared(tmp_path: Path) -> None:
    rows = [record("How many ships are there in the image?", "3"), record("Is there a ship in the image?", "No")]
    for row in rows:
        del row["image"]
    assert "amounts_differ" not in counts(tmp_path, rows, "llava")


@pytest.mark.parametrize("number", ["\u00b2", "\u2460"])
def test_a_digit_that_is_no_decimal_is_no_number(tmp_path: Path, number: str) -> None:
    rows = [record("<image>\nHow many ships are there?", number), record("<image>\nIs there a ship?", "No")]
    assert "amounts_differ" not in counts(tmp_path, rows, "llava")


def test_a_coordinate_too_long_for_a_float_is_a_fault(tmp_path: Path) -> None:
    swift = {
        **record("<image>\nDetect all ships.", "A <ref-object><bbox>."),
        "objects": {"ref": ["ship"], "bbox": [[10**400, 2, 3, 4]]},
    }
    assert counts(tmp_path, [swift]) == {"broken_record": 1}
    assert "box_not_a_box" in faults("qwen", "Where?", f'[{{"bbox_2d": [{10**400}, 20, 30, 40], "label": "ship"}}]')
