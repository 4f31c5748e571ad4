"""How a record writes its boxes: in the spelling of its set, where they are asked for, of the category that is asked for.

What is left of a text once the boxes of its set's own form are taken out must hold no box of another family, and a question
that asks for places, or about a box, must come with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rsflow.audit.records.answer_kinds import asked_category
from rsflow.audit.records.stated_counts import OWN_BOXES, find_stated_counts
from rsflow.audit.records.template_texts import JSON_FORMS
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Exchange
from rsflow.imports.label_parsing import match_phrasing, strip_answer_hints
from rsflow.imports.swift_objects import MAX_COORDINATE
from rsflow.instructions.wording.english import singular_noun

_N = r"\s*-?\d+(?:\.\d+)?\s*"
_BRACKETS = rf"\[{_N}(?:,{_N}){{3}}(?:(?:,{_N}){{4}})?\]"
_TAGGED = r"<box>[^<]*</box>"
_JSON = r"[\"'](?:bbox(?:_2d)?|box|bounding_box)[\"']\s*:"
# The spellings of other families, by what all of them have.
_FOREIGN = re.compile(
    rf"<\|box_start\|>|{_TAGGED}|{_JSON}|\{{\s*(?:<[^<>{{}}]*>\s*){{3,}}|(?:<loc_?\d+>\s*){{3,}}|\({_N}(?:,{_N}){{3}}\)|"
    rf"\({_N},{_N}\)\s*,\s*\({_N},{_N}\)|\bx_?(?:1|min)\s*[=:]\s*\d|{_BRACKETS}"
)
_BRACKET_FORMS = ("lisa", "llava", "mmrs", "pixels")
_OWN: dict[str, re.Pattern[str]] = {
    **OWN_BOXES,
    "internvl": re.compile(r"<box>\s*\[.*?\]\s*</box>", re.DOTALL),
    **dict.fromkeys(_BRACKET_FORMS, re.compile(rf"(?<!\[){_BRACKETS}|(?<!\[)\[[^\[\]]*;[^\[\]]*\]")),
}
_ASKS_PLACES = re.compile(
    r"^\s*\[(?:refer|detection)\]|\b(?:give|provide|output|return|draw|mark|predict|report|list|state|find|detect|locate|show)\b"
    r"[^.?!]*\b(?:bounding box(?:es)?|bbox(?:es)?|(?<!geographic )coordinates)\b",
    re.IGNORECASE,
)
_ASKS_REGION = re.compile(r"^\s*\[identify\]|\[\s*\]|<box>\s*</box>", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:no|none|not|n't|cannot|nothing|zero|0|absent|without)\b|n't\b", re.IGNORECASE)
_EMPTY = re.compile(r"\s*(?:```json)?\s*(?:\[\s*\]|\{\s*\})?\s*(?:```)?\s*")  # a list of no objects
_PLACED_KINDS = ("grounding", "detection_one", "detection_all")
_OBJECT = re.compile(r"\{[^{}]*\}")
_REFERENCE = re.compile(r"<ref>(.*?)</ref>|<\|object_ref_start\|>(.*?)<\|object_ref_end\|>", re.DOTALL)


def find_foreign_boxes(exchange: Exchange, form: str) -> Iterator[str]:
    """Boxes in the spelling of another family than the set's."""
    for text in (exchange.question, exchange.answer):
        bare = _OWN[form].sub(" ", text)
        if form in JSON_FORMS:
            bare = re.sub(r'"bbox_2d"\s*:\s*\[[^\]]*\]', " ", bare)  # of an object that is not closed
        if found := _FOREIGN.search(bare):
            yield f"{found[0][:60]!r} in {text[:80]!r}"


def find_missing_boxes(exchange: Exchange, form: str) -> Iterator[str]:
    """Places that are asked for and not given, regions that are asked about and not given."""
    question, answer = exchange.question, exchange.answer
    is_asked = any(find_boxes(question, form))
    if _ASKS_REGION.search(question) and not is_asked:
        yield f"the question {question[:80]!r} has no box"
    asks = _ASKS_PLACES.search(question) or match_phrasing(strip_answer_hints(question))[0] in _PLACED_KINDS
    if asks and not is_asked and not _has_box(answer, form) and not _DENIES.search(answer) and not _EMPTY.fullmatch(answer):
        yield f"{question[:80]!r} asks for places, its answer is {answer[:40]!r}"


def find_broken_objects(exchange: Exchange, form: str) -> Iterator[str]:
    """Objects of a JSON answer that are not JSON, whose box is not four finite numbers or whose label is empty; empty marks."""
    for text in (exchange.question, exchange.answer):
        if form == "internvl" and (found := re.search(r"<box>\s*\[?[^\[\]]*\]?\s*</box>|<ref>\s*</ref>", text)):
            yield f"{found[0][:60]}: expected a name, and a list of boxes"
        for found in _OBJECT.finditer(text) if form in JSON_FORMS and "bbox" in text else ():
            if fault := _object_fault(found[0]):
                yield f"{found[0][:80]}: {fault}"


def find_other_labels(exchange: Exchange, form: str) -> Iterator[str]:
    """Boxes that are labelled with another category than the one whose objects are asked for."""
    asked = asked_category(exchange)
    for label in _labels(exchange.answer, form) if asked else ():
        if label.strip() and not _words(label) & _words(asked):
            yield f"{exchange.question[:60]!r} is answered with {label[:40]!r}"


def _has_box(text: str, form: str) -> bool:
    """A box of the form, or of another, which is a fault of its own."""
    return (
        any(find_boxes(text, form)) or _FOREIGN.search(text) is not None or "<box>" in text or len(re.findall(r"\d+", text)) > 3
    )


def _object_fault(text: str) -> str:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return "it is not JSON"
    box = value.get("bbox_2d")
    if "bbox_2d" in value and not (
        isinstance(box, list) and all(type(n) in (int, float) and -MAX_COORDINATE < n < MAX_COORDINATE for n in box)
    ):
        return f"its bbox_2d is {box!r}, expected four numbers"
    label = value.get("label", "-")
    return "" if isinstance(label, str) and label.strip() else f"its label is {label!r}, expected a name"


def _labels(answer: str, form: str) -> list[str]:
    if form in JSON_FORMS:
        return re.findall(r'"label"\s*:\s*"([^"\\]+)"', answer)
    named = [one or other for one, other in _REFERENCE.findall(answer)]
    return named or [name for _, name, _ in find_stated_counts(answer, form)]


def _words(name: str) -> set[str]:
    words = re.findall(r"[a-z]+", name.casefold())
    return {singular_noun(word) or word for word in words if word not in {"all", "no", "one", "the"}}
