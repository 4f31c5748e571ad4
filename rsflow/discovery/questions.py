"""What the files do not state, as questions to the user, and the sources with the answers put in.

One idea: a question is a value (which source, what, between which answers, what is taken without one), so a terminal can ask it
and a test can answer it; without an answer the draft keeps the question as a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rsflow.discovery.scenes.band_names import usual_order
from rsflow.discovery.sources import DraftSource
from rsflow.sensors import SENSOR_NAMES

QuestionKind = Literal["sensor", "licence", "exhaustive", "bands"]
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Question:
    """`choices`: the answers that count; empty: any text. `default`: what an empty answer means."""

    source: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...]
    default: str


def list_questions(source: DraftSource) -> Iterator[Question]:
    """What is not known of a source."""
    if not source.sensor_reason:
        yield Question(source.name, "sensor", "which sensor took these scenes?", SENSOR_NAMES, source.sensor)
    if not source.scenes.catalogue:  # whose items state theirs
        yield Question(source.name, "licence", "which licence are its files under (an SPDX name)?", (), "unknown")
    if source.annotations:
        text = f"is every object of every category annotated ({source.annotations.format})? Else nothing is counted"
        yield Question(source.name, "exhaustive", text, YES_NO, "yes")
    if order := unnamed_bands(source):
        named = ", ".join(f"{number}: {name}" for name, number in order.items())
        yield Question(source.name, "bands", f"are its bands in the usual order ({named})?", YES_NO, "no")


def unnamed_bands(source: DraftSource) -> dict[str, int]:
    """The usual order of the bands of such files, where theirs have no names."""
    group, info = source.scenes, source.scenes.info
    if group.bands or group.catalogue or not info or len(info.bands) < 4 or "red" in info.bands or not group.files:
        return {}
    return usual_order(group.files[0], len(info.bands))


def answer_questions(sources: Sequence[DraftSource], ask: Callable[[Question], str]) -> list[DraftSource]:
    """The sources with every question asked, in order; an answer that is none of a question's choices is asked for again."""
    answered = []
    for source in sources:
        for question in list_questions(source):
            source = _put_in(source, question, _valid_answer(question, ask))
        answered.append(source)
    return answered


def _valid_answer(question: Question, ask: Callable[[Question], str]) -> str:
    while True:
        answer = ask(question).strip() or question.default
        fitting = [choice for choice in question.choices if choice.startswith(answer.lower())]
        if not question.choices:
            return answer
        if len(fitting) == 1:
            return fitting[0]


def _put_in(source: DraftSource, question: Question, answer: str) -> DraftSource:
    if question.kind == "sensor":
        return replace(source, sensor=answer, sensor_reason="you")
    if question.kind == "licence":
        return replace(source, licence=answer)
    if question.kind == "exhaustive":
        return replace(source, exhaustive=answer == "yes")
    return replace(source, usual_bands=answer == "yes")
