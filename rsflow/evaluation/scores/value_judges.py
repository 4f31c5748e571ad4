"""Answers that are values: a name among others, a number with a unit, or what an annotator wrote."""

from __future__ import annotations

import re

from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.number_ranges import RSVQA_TYPES, number_class
from rsflow.evaluation.scores.short_answers import named_values, normalise, parse_number, parse_yes_no
from rsflow.instructions.wording.positions import PLACES
from rsflow.spatial.geometry import Region

Measures = dict[str, float]

_NUMBER = re.compile(r"[\d.,]+")


def judge_value(values: set[str], question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """Right is an answer that names the value and none of the others: neither "left" for "upper left" nor a list of all."""
    value = str(question.answer["value"])
    return {"accuracy": float(named_values(text, values | _places(question.kind)) == {normalise(value)})} if text else None


def judge_measured(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """Right is a number in the interval that the rounded answer stands for; kilometres are read where metres are meant."""
    found, answer = parse_number(text), question.answer
    if found is None:
        return None
    if answer.get("unit") == "m" and re.search(r"\d\s*(?:km|kilomet)", text):
        found *= 1000
    slack = 1e-9 * abs(answer["number"])
    error = abs(found - answer["number"]) / max(abs(answer["number"]), 1e-12)
    return {"accuracy": float(answer["least"] - slack <= found <= answer["most"] + slack), "relative_error": error}


def judge_annotated(values: set[str], question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """An annotator's answer is read as what it is: yes or no, a number, or a name among those that the question has. Of
    RSVQA's questions also `ranged_accuracy`, by the classes that its papers make of numbers; areas are right by class alone."""
    found = _judge_number(question, text) or _judge_words(values, question, text, boxes)
    if found is None or question.question_type not in RSVQA_TYPES:
        return found
    expected = number_class(str(question.answer["value"])) if question.question_type in {"count", "area"} else None
    ranged = found["accuracy"] if expected is None else float(number_class(text) == expected)
    accuracy = ranged if question.question_type == "area" else found["accuracy"]
    return {**found, "accuracy": accuracy, "ranged_accuracy": ranged}


def _judge_number(question: Question, text: str) -> Measures | None:
    """None where the right answer is no number, or the text has none."""
    expected, number = parse_number(str(question.answer["value"])), parse_number(text)
    if expected is None or not _NUMBER.fullmatch(str(question.answer["value"]).strip()):
        return None
    if number is None:
        is_class = question.question_type in RSVQA_TYPES and number_class(text) is not None
        return {"accuracy": 0.0} if is_class else None
    return {"accuracy": float(number == expected), "count_error": abs(number - expected)}


def _judge_words(values: set[str], question: Question, text: str, boxes: list[Region]) -> Measures | None:
    value = str(question.answer["value"])
    if _NUMBER.fullmatch(value.strip()):
        return None
    if normalise(value) in {"yes", "no"}:
        found = parse_yes_no(text)
        return None if found is None else {"accuracy": float(found == (normalise(value) == "yes"))}
    return judge_value(values, question, text, boxes)


def judge_same_words(question: Question, text: str, boxes: list[Region]) -> Measures | None:
    """Of a language whose words are not read: right is the very answer, without punctuation and spaces."""
    answered, expected = (re.sub(r"[\W_]+", "", words) for words in (text, question.reference))
    return {"accuracy": float(answered == expected)} if answered else None


def _places(kind: str) -> set[str]:
    return {place for row in PLACES for place in row} if kind in {"place", "relation"} else set()
