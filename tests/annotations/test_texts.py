"""Captions, questions and the conversations of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import UsageError


def written(folder: Path, data: Any, name: str = "dataset.json") -> str:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return str(path)


def test_captions_in_the_layout_of_karpathy(tmp_path: Path) -> None:
    raws = ["A ship .", "A  ship .", "Two ships.", " ", None]
    entry = {"filename": "airport_1.jpg", "split": "val", "sentences": [{"raw": raw} for raw in raws]}
    annotated = read_annotations(
        Annotations("captions", written(tmp_path, {"images": [entry, {"split": "x"}], "dataset": "rsicd"}))
    )
    picture = annotated.pictures["airport_1"]
    assert [label.text for label in picture.labels] == ["A ship .", "Two ships."]
    assert (picture.split, picture.complete, annotated.categories) == ("val", False, ())
    assert [(reject.subject, reject.reason) for reject in annotated.rejects] == [
        ("dataset.json images[0].sentences[3]", "empty_caption"),
        ("dataset.json images[0].sentences[4]", "empty_caption"),
        ("dataset.json images[1]", "broken_picture_entry"),
    ]


def test_captions_in_the_layout_of_nwpu(tmp_path: Path) -> None:
    texts = {"raw": "One .", "raw_1": "Two .", "raw_2": "One .", "raw_3": "Three .", "raw_4": "Four ."}
    row = {"filename": "airplane_001.jpg", "split": "test", "imgid": 0, "sentids": 0, **texts}
    annotated = read_annotations(Annotations("captions", written(tmp_path, {"airplane": [row], "bridge": []})))
    picture = annotated.pictures["airplane_001"]
    assert [label.category for label in picture.labels if label.kind == "category"] == ["airplane"]
    assert [label.text for label in picture.labels if label.kind == "caption"] == ["One .", "Two .", "Three .", "Four ."]
    assert picture.split == "test"


@pytest.mark.parametrize(("sentences", "kept"), [("A ship.", 1), ({"raw": "A ship."}, 1), (7, 0), (True, 0), ({}, 0), ("", 0)])
def test_sentences_that_are_no_list_are_one_sentence_or_a_reject(tmp_path: Path, sentences: Any, kept: int) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"images": [{"filename": "a.tif", "sentences": sentences}]}))
    found = read_annotations(Annotations("captions", str(tmp_path / "a.json")))
    assert [label.text for picture in found.pictures.values() for label in picture.labels] == ["A ship."] * kept
    assert len(found.rejects) == 1 - kept


@pytest.mark.parametrize("data", ["{", [1], {"info": {}}, {}])
@pytest.mark.parametrize("form", ["captions", "floodnet"])
def test_a_json_of_something_else_stops_with_its_name(tmp_path: Path, form: str, data: Any) -> None:
    with pytest.raises(UsageError, match=r"dataset\.json"):
        read_annotations(Annotations(form, written(tmp_path, data)))


def rsvqa(folder: Path, split: str = "train", **changes: Any) -> str:
    parts: dict[str, Any] = {
        "images": [{"id": 0, "active": True, "questions_ids": [0, 1]}, {"id": 1, "active": False}, {"id": 2, "active": True}],
        "questions": [
            {"id": 0, "img_id": 0, "type": "presence", "question": "Is a road present?", "answers_ids": [0], "active": True},
            {"id": 1, "img_id": 0, "type": "count", "question": "How many roads?", "answers_ids": [1], "active": True},
            {"id": 2, "active": False},
            {"id": 3, "img_id": 1, "type": "count", "question": "How many?", "answers_ids": [1], "active": True},
        ],
        "answers": [
            {"id": 0, "question_id": 0, "answer": "yes", "active": True},
            {"id": 1, "question_id": 1, "answer": "0", "active": True},
        ],
    }
    for part, entries in {**parts, **changes}.items():
        if entries is not None:
            written(folder, {part: entries}, f"LR_split_{split}_{part}.json")
    return str(folder / "*.json")


def test_rsvqa_joins_its_three_files_and_keeps_what_is_active(tmp_path: Path) -> None:
    rsvqa(tmp_path)
    annotated = read_annotations(
        Annotations("rsvqa", rsvqa(tmp_path, "test", images=[{"id": 9, "active": True}], questions=[], answers=[]))
    )
    assert {name: picture.split for name, picture in annotated.pictures.items()} == {"0": "train", "2": "train", "9": "test"}
    labels = annotated.pictures["0"].labels
    assert [(label.text, label.category, label.provenance.name) for label in labels] == [
        ("Is a road present?", "yes", "rsvqa:presence"),
        ("How many roads?", "0", "rsvqa:count"),
    ]
    assert annotated.rejects == ()


def test_rsvqa_tells_the_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"LR_split_train_answers\.json"):
        read_annotations(Annotations("rsvqa", rsvqa(tmp_path, answers=None)))
    with pytest.raises(UsageError, match="its name has none"):
        read_annotations(Annotations("rsvqa", written(tmp_path, {}, "other.json")))


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"id": 5, "img_id": 7, "question": "?", "answers_ids": [0], "active": True}, "missing_picture_entry"),
        ({"id": 5, "img_id": 0, "question": "Is it?", "answers_ids": [8], "active": True}, "missing_answer"),
        ({"id": 5, "img_id": 0, "question": "Is it?", "active": True}, "broken_record"),
        ({"id": 5, "img_id": 0, "question": " ", "answers_ids": [0], "active": True}, "empty_question"),
        ("no object", "broken_record"),
    ],
)
def test_a_broken_question_is_a_reject_with_its_place(tmp_path: Path, question: Any, reason: str) -> None:
    annotated = read_annotations(Annotations("rsvqa", rsvqa(tmp_path, questions=[question])))
    (reject,) = annotated.rejects
    assert (reject.subject, reject.reason) == ("LR_split_train_questions.json questions[0]", reason)


def test_floodnet_counts_are_answers_and_types_are_kept(tmp_path: Path) -> None:
    entries = {
        "0": {"Image_ID": "10168.JPG", "Question": "How many?", "Ground_Truth": 3, "Question_Type": "Simple_Counting"},
        "1": {"Image_ID": "10168.JPG", "Question": "How many?", "Ground_Truth": None},
        "2": {"Question": "How many?", "Ground_Truth": 3},
    }
    annotated = read_annotations(Annotations("floodnet", written(tmp_path, entries)))
    (label,) = annotated.pictures["10168"].labels
    assert (label.text, label.category, label.provenance.name) == ("How many?", "3", "floodnet:Simple_Counting")
    assert [(reject.subject, reject.reason) for reject in annotated.rejects] == [
        ("dataset.json entry 1", "empty_answer"),
        ("dataset.json entry 2", "broken_record"),
    ]


def row(*texts: str, image: Any = "sets/a.jpg") -> dict[str, Any]:
    turns = [{"from": "gpt" if i % 2 else "human", "value": text} for i, text in enumerate(texts)]
    return {"id": 1, "image": image, "conversations": turns}


def test_conversations_become_claims(tmp_path: Path) -> None:
    hint = " Answer the question using a single word or phrase."
    turns = (
        f"<image>\nHow many ships are there?{hint}",
        "4",
        f"What is the category of this remote sensing image?{hint}",
        "Stadium.",
        "Please provide a one-sentence caption for the provided remote sensing image in details.",
        "A stadium by a road.",
    )
    annotated = read_annotations(Annotations("conversations", written(tmp_path, [row(*turns)])))
    assert [(label.kind, label.text, label.category) for label in annotated.pictures["a"].labels] == [
        ("question", "How many ships are there?", "4"),
        ("category", "", "Stadium"),
        ("caption", "A stadium by a road.", ""),
    ]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Please provide a short description for this region in this remote sensing image :[0.1,0.2,0.3,0.4]", "The ship"),
        ("Detect ship shown in the image.", "There are <p>2 ships</p>[0.1,0.2,0.3,0.4;0.5,0.5,0.6,0.6]"),
        ("[refer] where is <p>the plane</p> ?", "{<12><34><56><78>|<90>}"),
        ("Where?", "<box>[[1, 2, 3, 4]]</box>"),
        ("Where?", "<|box_start|>(1,2),(3,4)<|box_end|>"),
        ("Where?", '```json [{"bbox_2d": [1, 2, 3, 4]}]'),
    ],
)
def test_spelled_boxes_are_left_to_those_who_know_their_rule(tmp_path: Path, asked: str, answered: str) -> None:
    annotated = read_annotations(
        Annotations("conversations", written(tmp_path, [row("Is there a ship?", "yes", asked, answered)]))
    )
    assert len(annotated.pictures["a"].labels) == 1
    assert [(reject.subject, reject.reason) for reject in annotated.rejects] == [("dataset.json row 0 turn 2", "boxes_in_text")]


def test_json_lines_and_messages_are_read_too(tmp_path: Path) -> None:
    messages = [{"role": role, "content": text} for role, text in (("system", "Be."), ("user", "Is it?"), ("assistant", "no"))]
    lines = [{"images": ["b.png"], "messages": messages}, row("[vqa] Is it?", "yes")]
    text = "\n".join(map(json.dumps, lines))
    annotated = read_annotations(Annotations("conversations", written(tmp_path, text, "set.jsonl")))
    assert [(name, p.labels[0].text, p.labels[0].category) for name, p in annotated.pictures.items()] == [
        ("b", "Is it?", "no"),
        ("a", "Is it?", "yes"),
    ]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (row("hello"), "broken_record"),
        (row("hello", "world", image=None), "no_picture"),
        (row("hello", "world", image=["a.jpg", "b.jpg"]), "no_picture"),
        (
            {"image": "b.jpg", "conversations": [{"from": "gpt", "value": "x"}, {"from": "human", "value": "y"}]},
            "broken_record",
        ),
        (["a.jpg"], "no_picture"),
        (row("<image>", "yes"), "empty_question"),
        (row("Is it?", ""), "empty_answer"),
    ],
)
def test_a_broken_row_is_a_reject_with_its_place(tmp_path: Path, broken: Any, reason: str) -> None:
    annotated = read_annotations(Annotations("conversations", written(tmp_path, [row("Is it?", "no"), broken])))
    (reject,) = annotated.rejects
    assert reject.subject.startswith("dataset.json row 1")
    assert reject.reason == reason
