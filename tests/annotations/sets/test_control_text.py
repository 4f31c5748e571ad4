"""Characters that nobody sees make no other category and hide no token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import read_annotations
from rsflow.annotations.annotated_set import AnnotatedSet
from rsflow.config.settings import Annotations
from rsflow.text.control_tokens import find_control_token, neutralise


def read(folder: Path, labels: list[dict[str, Any]], **settings: Any) -> AnnotatedSet:
    (folder / "a.jsonl").write_text(json.dumps({"file": "a.jpg", "height_px": 90, "width_px": 90, "labels": labels}))
    return read_annotations(Annotations("rsflow", str(folder / "a.jsonl"), **settings))


def box(category: str, left: int) -> dict[str, Any]:
    return {"kind": "box", "category": category, "box": [left, 2, left + 9, 20]}


@pytest.mark.parametrize("sign", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200d", "\u200b\u200c"])
def test_a_name_with_an_invisible_character_is_the_name(tmp_path: Path, sign: str) -> None:
    question = {"kind": "question", "category": f"y{sign}es", "text": f"Is it{sign} wet?"}
    found = read(
        tmp_path,
        [box("ship", 1), box(f"sh{sign}ip", 30), {"kind": "caption", "category": "", "text": f"A{sign} port."}, question],
    )
    (picture,) = found.pictures.values()
    assert [label.category for label in picture.labels] == ["ship", "ship", "", "yes"]
    assert [label.text for label in picture.labels][2:] == ["A port.", "Is it wet?"]
    assert (found.categories, found.rejects, picture.complete) == (("ship",), (), True)


@pytest.mark.parametrize(
    "text", ["<im\u200bage>", "<|im_\ufeffend|>", "[SEG]", "<loc_12>", "<patch_index_0044>", "<delim>", "<boi>"]
)
def test_a_token_is_found_behind_them_and_neutralised(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, [box("ship", 1), {"kind": "caption", "category": "", "text": f"A {text} port."}])
    assert [reject.reason for reject in found.rejects] == ["control_token"]
    assert find_control_token(neutralise(f"A {text} port.")) == ""


def test_blanks_that_they_hide_go_with_them_and_settings_name_what_is_left(tmp_path: Path) -> None:
    caption = {"kind": "caption", "category": "", "text": "\ufeff A \u200b port. \u200b"}
    found = read(tmp_path, [box("ship\u200b ", 1), box("ship", 30), caption], categories={"ship": "vessel"})
    (picture,) = found.pictures.values()
    assert [(label.category, label.text) for label in picture.labels] == [("vessel", ""), ("vessel", ""), ("", "A port.")]
    assert (found.categories, picture.vocabulary) == (("vessel",), ("vessel",))


def test_what_has_nothing_else_is_a_reject_and_not_an_empty_text(tmp_path: Path) -> None:
    blank = [
        box("\u200b", 1),
        {"kind": "caption", "category": "", "text": "\u200b \ufeff"},
        {"kind": "question", "category": "\u2060", "text": "Is it wet?"},
        {"kind": "question", "category": "yes", "text": "\u200b"},
    ]
    found = read(tmp_path, [*blank, box("ship", 30)])
    (picture,) = found.pictures.values()
    assert [label.category for label in picture.labels] == ["ship"]
    assert not picture.complete
    reasons = [(reject.subject, reject.reason) for reject in found.rejects]
    expected = ("unknown_category", "empty_caption", "empty_answer", "empty_question")
    assert reasons == [(f"a label {number}", reason) for number, reason in enumerate(expected, 1)]


def test_scripts_keep_their_joiners(tmp_path: Path) -> None:
    text = "\u182e\u180e\u1820 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f33e"
    found = read(tmp_path, [{"kind": "caption", "category": "", "text": text}])
    assert [label.text for picture in found.pictures.values() for label in picture.labels] == [text]
