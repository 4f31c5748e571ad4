"""One answer, one score: how each kind of answer is judged.

A kind is a row of KINDS, but for names (NAMED_KINDS): from a question and an answer's text and boxes to measures between 0
and 1, or None where the text cannot be read as an answer of that kind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rsflow.dialects import Dialect
from rsflow.evaluation.answers import Answer
from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.box_scores import IOU_THRESHOLDS, BoxList, mean_matched_iou, region_iou
from rsflow.evaluation.scores.graph_scores import graph_measures
from rsflow.evaluation.scores.group_answers import (
    SHARE_TOLERANCE,
    BoxesByPicture,
    judge_boxes_in_both,
    judge_counts,
    judge_shares,
    parse_boxes,
)
from rsflow.evaluation.scores.number_ranges import RSVQA_TYPES
from rsflow.evaluation.scores.outline_scores import OUTLINE_KINDS, outline_measures
from rsflow.evaluation.scores.short_answers import mentions, named_values, normalise, parse_number, parse_share, parse_yes_no
from rsflow.evaluation.scores.value_judges import Measures, judge_annotated, judge_measured, judge_same_words, judge_value
from rsflow.spatial.geometry import Region
from rsflow.text.turns import replace_marks, without_marks


@dataclass(frozen=True, slots=True)
class Scored:
    """`measures`: name -> value between 0 and 1, or an error in the answer's own unit (`count_error`).

    `parsed` is False where there was no answer or it could not be read; its shares are then 0, its errors not known. `text`: as
    it was written. `words`, `reference`: the answer and the right one without box spellings. `boxes`: by category, for average
    precision. `found`: all regions of the answer, of a group's on any of its pictures.
    """

    question: Question
    text: str
    parsed: bool
    measures: Measures
    words: str = ""
    reference: str = ""
    boxes: tuple[BoxList, ...] = field(default=())
    found: tuple[Region, ...] = ()


def score_answers(rows: Iterable[tuple[Question, Answer]], dialect: Dialect) -> list[Scored]:
    """Every row's answer, judged by its question's kind; a named value beside all that the same question has elsewhere."""
    rows = list(rows)
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for question, _ in rows:
        if question.kind in NAMED_KINDS:
            values[_about(question)].add(str(question.answer["value"]))
        elif _captions_region(question):
            values[_about(question)].add(_category_words(question))
    return [_score(question, answer, dialect, values[_about(question)]) for question, answer in rows]


def _about(question: Question) -> tuple[str, str]:
    """Questions with the same are alternatives to each other: their values are what an answer could have named."""
    return question.kind, question.subject if question.kind == "answer" else str(question.answer.get("name", ""))


def _score(question: Question, answer: Answer, dialect: Dialect, values: set[str]) -> Scored:
    if question.kind in OUTLINE_KINDS:
        overlaps = outline_measures(question, answer.text or "", dialect)
        return Scored(question, answer.text or "", overlaps is not None, overlaps or {"iou": 0.0})
    text = ""
    boxes: list[Region] = []
    by_picture: BoxesByPicture = {}
    if answer.text is not None and question.sizes:
        text, boxes, by_picture = parse_boxes(dialect, answer.text, question)
    elif answer.text is not None:
        text, boxes = dialect.parse(answer.text, question.height_px, question.width_px)
    plain, reference = _plain(text), _plain(question.reference)
    named = judge_annotated if question.kind == "answer" else judge_value
    judge = partial(named, values) if question.kind in NAMED_KINDS else KINDS.get(question.kind, _judge_text)
    if {"number", "least", "most"} <= question.answer.keys():
        judge = judge_measured
    elif question.kind in _WORDED and not reference.isascii():
        judge = judge_same_words
    elif _captions_region(question):
        judge = partial(_judge_region_caption, values)
    measures = None
    if answer.text:
        measures = _judge_group(question, plain, by_picture) if _is_of_group(question) else judge(question, plain, boxes)
    lists = _box_lists(question, text, boxes) if question.kind in {"boxes", "all_boxes"} else ()
    if measures is None:
        worst = dict.fromkeys(judge(question, reference, boxes) or {}, 0.0) if _captions_region(question) else _worst(question)
        return Scored(question, answer.text or "", False, worst, plain, reference, lists)
    return Scored(question, answer.text or "", True, measures, plain, reference, lists, tuple(boxes))


def _captions_region(question: Question) -> bool:
    """Whether the answer describes one object, whose category is known."""
    return question.kind == "text" and {"box", "category"} <= question.answer.keys()


def _category_words(question: Question) -> str:
    return str(question.answer["category"]).replace("_", " ")


def _is_of_group(question: Question) -> bool:
    """Whether the answer says something of each of several pictures."""
    return question.kind == "boxes_in_both" or (question.kind == "text" and bool({"values", "from"} & question.answer.keys()))


def _judge_group(question: Question, text: str, by_picture: BoxesByPicture) -> Measures | None:
    if question.kind == "boxes_in_both":
        return judge_boxes_in_both(question, by_picture)
    return judge_counts(question, text) if "values" in question.answer else judge_shares(question, text)


def _plain(text: str) -> str:
    """A text without marks: phrases stay, boxes go."""
    return " ".join(without_marks(text).split())


def _judge_yes_no(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    found = parse_yes_no(text)
    return None if found is None else {"accuracy": float(found == question.answer["value"])}


def _judge_count(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    found = parse_number(text)
    if found is None:
        return None
    error = abs(found - question.answer["value"])
    allowed = question.answer["value"] * question.answer.get("tolerance_percent", 0) / 100
    return {"accuracy": float(error <= allowed), "count_error": error}


def _judge_mark(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    found = parse_number(text)
    return None if found is None else {"accuracy": float(found == question.answer["value"])}


def _judge_share(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    found = parse_share(text)
    if found is None:
        return None
    error = abs(found - question.answer["value"])
    return {"accuracy": float(error <= SHARE_TOLERANCE), "share_error": error}


def _judge_box(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    if not boxes:
        return None
    # The first box is the answer; a model that names several has not located one.
    overlap = region_iou(question.boxes[question.answer["box"]], boxes[0])
    return {**{f"acc@{threshold}": float(overlap >= threshold) for threshold in IOU_THRESHOLDS}, "iou": overlap}


def _judge_boxes(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    expected = [region for each in _expected(question).values() for region in each]
    if not boxes and expected and parse_yes_no(text) is not False and parse_number(text) != 0:
        return None
    return {"iou": mean_matched_iou(expected, boxes), "count_error": float(abs(len(boxes) - len(expected)))}


def _judge_choice(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """Right is the right letter alone or first, or else the right option and no other."""
    options = [str(option) for option in question.answer["options"]]
    letter = re.match(r"\W*([A-Z])(?![\w'])", text)
    if letter and ord(letter[1]) - ord("A") < len(options):
        return {"accuracy": float(letter[1] == question.answer["letter"])}
    found = named_values(text, options)
    return {"accuracy": float(found == {normalise(str(question.answer["value"]))})} if found else None


def _judge_text(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    return {} if text else None


def _judge_region_caption(values: set[str], question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """Right is a caption that names the object's category and none of the others. Without a measure where the right caption
    names other objects too, or the category by another word (another language)."""
    if not text:
        return None
    category = {normalise(_category_words(question))}
    is_named = named_values(_plain(question.reference), values) == category
    return {"accuracy": float(named_values(text, values) == category)} if is_named else {}


Judge = Callable[[Question, str, list[Region]], Measures | None]

NAMED_KINDS = frozenset({"answer", "category", "fact", "place", "predicate", "relation"})  # whose answer is a name, or may be
_WORDED = NAMED_KINDS | {"yes_no", "share"}  # whose answer is words
KINDS: dict[str, Judge] = {
    "all_boxes": _judge_boxes,
    "box": _judge_box,
    "boxes": _judge_boxes,
    "choice": _judge_choice,
    "count": _judge_count,
    "mark": _judge_mark,
    "scene_graph": graph_measures,
    "share": _judge_share,
    "text": _judge_text,
    "yes_no": _judge_yes_no,
}
_WORST: dict[str, Measures] = {
    "box": {**dict.fromkeys([f"acc@{threshold}" for threshold in IOU_THRESHOLDS], 0.0), "iou": 0.0},
    "boxes": {"iou": 0.0},
    "all_boxes": {"iou": 0.0},
    "scene_graph": {"triple_f1": 0.0, "iou": 0.0},
    "boxes_in_both": {"iou": 0.0},
    "text": {},
}


def _worst(question: Question) -> Measures:
    if question.kind == "text" and _is_of_group(question):
        return {"accuracy": 0.0}
    if question.kind == "answer" and question.question_type in RSVQA_TYPES:
        return {"accuracy": 0.0, "ranged_accuracy": 0.0}
    return dict(_WORST.get(question.kind, {"accuracy": 0.0}))


def _expected(question: Question) -> dict[str, list[Region]]:
    """Category -> its regions."""
    groups: list[dict[str, Any]] = question.answer.get("groups") or [question.answer]
    return {group["category"]: [question.boxes[index] for index in group["boxes"]] for group in groups if "category" in group}


def _box_lists(question: Question, text: str, boxes: list[Region]) -> tuple[BoxList, ...]:
    """The answer's boxes by category: of the one asked for, or by the phrase that each mark has, by name."""
    expected = _expected(question)
    if len(expected) == 1 and question.kind == "boxes":
        (category,) = expected
        return (BoxList(question.key, category, tuple(expected[category]), tuple(boxes)),)
    found: dict[str, list[Region]] = {category: [] for category in expected}

    def collect(mark: Any) -> str:
        for category in expected:
            if any(mentions(mark.phrase, form) for form in (category, f"{category}s", f"{category}es")):
                found[category] += [boxes[index] for index in mark.boxes]
        return ""

    replace_marks(text, collect)
    return tuple(BoxList(question.key, name, tuple(expected[name]), tuple(found[name])) for name in expected)
