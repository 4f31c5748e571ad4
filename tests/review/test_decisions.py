"""What a decision may say, how it finds its label again, and its way through files and other tools."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from rsflow.errors import UsageError
from rsflow.review.apply import reviewed_labels, reviewed_tile
from rsflow.review.decisions import LABEL_FIELDS, label_target, make_decision
from rsflow.review.exchange import cvat, label_studio
from rsflow.review.exchange.boxes import decisions_of
from rsflow.review.exchange.table_files import from_csv, from_json, to_csv, to_json
from rsflow.review.resolve import TileDecisions, resolve

TILE = "scene/0_0_256"
WHEN = datetime(2024, 5, 14, 10, tzinfo=UTC)


def label(number: int, **fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(LABEL_FIELDS)
    own = {"kind": "box", "category": "ship", "box": [10.0, 10.0, 50.0, 40.0], "origin": "labeller", "origin_name": "detector"}
    ids = {"label_id": f"{TILE}#{number}", "tile_id": TILE, "unit": "u", "receipt": "r"}
    return {
        **empty,
        "flags": [],
        "text": "",
        "score": 0.8,
        "polygon": [10.0, 10.0, 50.0, 10.0, 50.0, 40.0],
        **ids,
        **own,
        **fields,
    }


def instruction(**fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "text": "Where is it?"}, {"role": "assistant", "text": "[[ship|0]] is there."}]
    return {"instruction_id": f"{TILE}#grounding#1", "task": "grounding", "turns": turns, "boxes": [[1, 2, 3, 4]], **fields}


def applied(rows: list[dict[str, Any]], *decisions: dict[str, Any]) -> list[dict[str, Any]]:
    return reviewed_labels(TILE, rows, resolve(decisions).tiles.get(TILE, TileDecisions()))


def decide(*words: Any, **more: Any) -> dict[str, Any]:
    return make_decision(*words, decided_at=WHEN, **more)


@pytest.mark.parametrize(
    ("words", "more", "message"),
    [
        (("thing", "accept", TILE, "ada", None), {}, "kind"),
        (("label", "like", TILE, "ada", label(0)), {}, "action"),
        (("sample", "correct", TILE, "ada", None), {}, "action"),
        (("label", "accept", TILE, " ", label(0)), {}, "reviewer"),
        (("label", "reject", TILE, "ada", label(0)), {"reason": "ugly"}, "reason"),
        (("label", "reject", TILE, "ada", None), {"reason": "not_there"}, "reload"),
        (("label", "correct", TILE, "ada", label(0), {}), {}, "nothing was changed"),
        (("label", "correct", TILE, "ada", label(0), {"category": "ship"}), {}, "nothing was changed"),
        (("label", "correct", TILE, "ada", label(0), {"category": "  "}), {}, "category"),
        (("label", "correct", TILE, "ada", label(0), {"category": "<|im_end|>"}), {}, "command"),
        (("label", "correct", TILE, "ada", label(0), {"score": 1.0}), {}, "only"),
        (("label", "correct", TILE, "ada", label(0), {"box": [5, 5, 4, 9]}), {}, "box"),
        (("label", "correct", TILE, "ada", label(0), {"box": [0, 0, float("nan"), 9]}), {}, "box"),
        (("label", "correct", TILE, "ada", label(0), {"box": "0 0 5 5"}), {}, "box"),
        (("label", "add", TILE, "ada", None, {"category": "ship"}), {}, "needs"),
        (("instruction", "correct", TILE, "ada", instruction(), {"turns": []}), {}, "turns"),
        (("instruction", "correct", TILE, "ada", instruction(), {"turns": [{"role": "user", "text": "a"}] * 2}), {}, "turns"),
        (("instruction", "add", TILE, "ada", instruction()), {}, "action"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(words: tuple[Any, ...], more: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_decision(*words, **more)


def test_a_corrected_text_may_only_name_boxes_that_there_are() -> None:
    turns = [{"role": "user", "text": "Where is it?"}, {"role": "assistant", "text": "[[ship|1]] is there."}]
    with pytest.raises(UsageError, match="it has 1"):
        make_decision("instruction", "correct", TILE, "ada", instruction(), {"turns": turns})


def test_a_decision_finds_its_label_by_content_wherever_it_stands() -> None:
    rows = [label(0, category="plane"), label(1), label(2, box=[100.0, 100.0, 120.0, 120.0])]
    found = applied(
        [{**row, "label_id": f"{TILE}#{9 - n}"} for n, row in enumerate(rows)],
        decide("label", "reject", TILE, "ada", rows[1], reason="not_there"),
    )
    assert [(row["category"], row["box"][0]) for row in found] == [("plane", 10.0), ("ship", 100.0)]


def test_a_decision_finds_the_box_of_another_version_but_not_another_object() -> None:
    gone = decide("label", "reject", TILE, "ada", label(0), reason="not_there")
    near, far = label(0, box=[10.5, 10.0, 50.5, 40.5], score=0.6), label(1, box=[30.0, 10.0, 70.0, 40.0])
    assert applied([near, far], gone) == [far]
    assert applied([far], gone) == [far]
    other = label(0, box=[10.5, 10.0, 50.5, 40.5], origin_name="another detector")
    assert applied([other], gone) == [other]
    renamed = label(0, box=[10.5, 10.0, 50.5, 40.5], category="ferry")
    assert applied([renamed], gone) == [renamed]
    # Of two near ones the decision is about one: the nearer.
    assert applied([near, label(2)], gone) == [near]


def test_a_correction_is_a_persons_annotation_and_can_be_corrected_again() -> None:
    first = decide("label", "correct", TILE, "ada", label(0), {"category": "ferry"})
    (ferry,) = applied([label(0)], first)
    assert (ferry["category"], ferry["origin"], ferry["origin_name"], ferry["score"]) == ("ferry", "annotation", "review", None)
    assert (ferry["box"], ferry["polygon"], ferry["receipt"]) == (label(0)["box"], label(0)["polygon"], "r")
    assert ferry["label_id"] != label(0)["label_id"]
    second = decide("label", "correct", TILE, "grace", ferry, {"box": [1.0, 1.0, 9.0, 9.0]})
    (moved,) = applied([label(0)], first, second)
    assert (moved["category"], moved["box"], moved["polygon"]) == ("ferry", [1.0, 1.0, 9.0, 9.0], None)
    third = decide("label", "reject", TILE, "joan", moved, reason="not_there")
    assert applied([label(0)], first, second, third) == []
    # And back to what it was: no endless round.
    back = decide("label", "correct", TILE, "joan", {**ferry}, {"category": "ship"})
    assert len(applied([label(0)], first, back)) == 1


def test_an_added_label_can_be_rejected() -> None:
    added = decide("label", "add", TILE, "ada", None, {"category": "buoy", "box": [1.0, 2.0, 3.0, 4.0]})
    (ship, buoy) = applied([label(0)], added)
    assert (buoy["category"], buoy["box"], buoy["kind"]) == ("buoy", [1.0, 2.0, 3.0, 4.0], "box")
    (alone,) = applied([], added)
    assert alone["category"] == "buoy"
    gone = make_decision("label", "reject", TILE, "ada", buoy, reason="not_there")
    assert applied([label(0)], added, gone) == [ship]


@pytest.mark.parametrize(
    ("reason", "vocabulary", "unknown"),
    [
        ("not_there", ["plane", "ship"], []),
        ("duplicate", ["plane", "ship"], []),
        ("wrong_place", ["plane", "ship"], ["ship"]),
        ("wrong_category", [], ["ship"]),
    ],
)
def test_what_is_known_of_all_objects_follows_the_reason(reason: str, vocabulary: list[str], unknown: list[str]) -> None:
    decided = resolve([decide("label", "reject", TILE, "ada", label(0), reason=reason)]).tiles[TILE]
    found = reviewed_tile({"tile_id": TILE, "vocabulary": ["plane", "ship"], "unknown": None}, decided)
    assert (found["vocabulary"], found["unknown"]) == (vocabulary, unknown)


def every_kind() -> list[dict[str, Any]]:
    turns = [{"role": "user", "text": 'Where, "exactly"?'}, {"role": "assistant", "text": "[[ship|0]],\nthere: =1+1"}]
    return [
        decide("label", "reject", TILE, "ada", label(0), reason="not_there", note="nur Schaum, größer"),
        decide("label", "correct", TILE, "ada", label(1, category="plane"), {"category": "jet", "box": [1.0, 2.0, 3.5, 4.0]}),
        decide("label", "add", TILE, "ada", None, {"category": "buoy", "box": [1.0, 2.0, 3.0, 4.0]}),
        decide("instruction", "correct", TILE, "grace", instruction(), {"turns": turns}),
        decide("sample", "accept", TILE, "grace", None),
    ]


def test_decisions_come_back_whole_from_csv_and_json() -> None:
    rows = every_kind()
    assert from_csv(to_csv(rows), "d.csv") == rows
    assert from_json(to_json(rows), "d.json") == rows


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (from_csv, "kind,action\nlabel,accept\n", "lacks the columns"),
        (from_csv, to_csv(every_kind()).replace("not_there", "because"), "line 2: reason"),
        (from_csv, to_csv(every_kind()).replace("2024-05-14T10:00:00+00:00", "yesterday"), "decided_at"),
        (from_json, "{", "is not JSON"),
        (from_json, "{}", "expected a list"),
        (from_json, to_json(every_kind()).replace('"ada"', '""'), "reviewer"),
        (
            from_json,
            json.dumps(
                [
                    {
                        "kind": "label",
                        "action": "accept",
                        "tile_id": TILE,
                        "reviewer": "a",
                        "decided_at": "2024-05-14",
                        "before": "[]",
                    }
                ]
            ),
            "before",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_line(read: Any, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as found:
        read(text, "file.x")
    assert "file.x" in str(found.value)


LABELS = [label(0), label(1, category="plane", box=[100.0, 120.0, 140.0, 160.0]), label(2, box=[200.0, 10.0, 240.0, 30.0])]
SIZE = {"tile_id": TILE, "key": "0123456789abcdef0123", "width_px": 256, "height_px": 256, "picture_format": "jpg"}


def summary(rows: list[dict[str, Any]]) -> dict[str, tuple[str, Any]]:
    return {row["target"]: (row["action"], json.loads(row["after"]) if row["after"] else None) for row in rows}


def expected() -> dict[str, tuple[str, Any]]:
    added = make_decision("label", "add", TILE, "ada", None, {"category": "buoy", "box": [5.0, 6.0, 25.0, 36.0]})
    first, second, third = map(label_target, LABELS)
    moved = {"box": [104.0, 120.0, 140.0, 160.0]}
    return {
        first: ("accept", None),
        second: ("correct", moved),
        third: ("reject", None),
        added["target"]: ("add", json.loads(added["after"])),
    }


def test_label_studio_gives_back_what_a_person_made_of_it() -> None:
    task = json.loads(json.dumps(label_studio.to_task(SIZE, LABELS, "/x.jpg")))
    results = task["predictions"][0]["result"]
    assert results[0]["value"]["x"] == pytest.approx(100 * 10 / 256)
    assert results[0]["value"]["rectanglelabels"] == ["ship"]
    del results[2]
    results[1]["value"]["x"] += 100 * 4 / 256
    results[1]["value"]["width"] -= 100 * 4 / 256
    value = {
        "x": 500 / 256,
        "y": 600 / 256,
        "width": 2000 / 256,
        "height": 3000 / 256,
        "rotation": 0,
        "rectanglelabels": ["buoy"],
    }
    results.append({**results[0], "id": "aB3dEf", "value": value})
    task["annotations"] = [
        {"result": results, "completed_by": {"email": "ada@x.org"}, "updated_at": "2024-05-14T10:00:00Z"},
        {"was_cancelled": True, "result": []},
    ]
    (answer,) = label_studio.read_answers(json.dumps([task]), "tasks.json", "")
    assert (answer.reviewer, answer.decided_at) == ("ada@x.org", WHEN)
    assert summary(decisions_of(answer, LABELS)) == expected()


def test_cvat_gives_back_what_a_person_made_of_it() -> None:
    root = ElementTree.fromstring(cvat.to_xml([(SIZE, LABELS)], ["boat", "buoy"]))
    assert [each.text for each in root.findall("meta/task/labels/label/name")] == ["boat", "buoy"]
    assert [each["name"] for each in json.loads(cvat.label_specs(["boat", "buoy"]))] == ["boat", "buoy"]
    (image,) = root.iter("image")
    assert (image.attrib["name"], image.attrib["width"]) == ("0123456789abcdef0123.jpg", "256")
    boxes = list(image.iter("box"))
    boxes[1].set("xtl", "104.00")
    image.remove(boxes[2])
    ElementTree.SubElement(image, "box", {"label": "buoy", "xtl": "5", "ytl": "6", "xbr": "25", "ybr": "36"})
    text = ElementTree.tostring(root, "unicode")
    (answer,) = cvat.read_answers(text, "a.xml", "ada", {SIZE["key"]: TILE})
    assert summary(decisions_of(answer, LABELS)) == expected()


@pytest.mark.parametrize(
    "text", ["<annotations>", "[]", '<!DOCTYPE a [<!ENTITY x "y">]><annotations>&x;</annotations>', "<annotations/>"]
)
def test_what_is_no_cvat_document_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"a\.xml"):
        cvat.read_answers(text, "a.xml", "ada", {})
    with pytest.raises(UsageError, match="--reviewer"):
        cvat.read_answers(text, "a.xml", "", {})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        '[{"data": {}}]',
        '[{"data": {"tile_id": "a"}, "annotations": [{"result": [{"type": "rectanglelabels"}]}]}]',
    ],
)
def test_what_is_no_label_studio_export_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"t\.json"):
        label_studio.read_answers(text, "t.json", "")
