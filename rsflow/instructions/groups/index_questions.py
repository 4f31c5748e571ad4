"""Questions about where a measured index rose or fell by a stated amount between two dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rsflow.instructions.groups.change_facts import ChangedAreas, ChangeFacts, topic_phrase
from rsflow.instructions.groups.change_questions import LEAST_SHARE, ground_area_phrase
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english

TASK = "change"


def question_answers(group: GroupFacts, facts: ChangeFacts, index: str) -> Iterator[QuestionAnswer]:
    """Whether it changed anywhere, and of each direction on what share of the image and on how much ground."""
    if index not in facts.least:
        return
    named = topic_phrase(index)
    placeholders = {"index": named, "least": f"{facts.least[index]:g}"}
    ways = [way for way in facts.of_topic(index) if way.areas]
    if ways:
        where = english.join_list([f"{way.way[2]} in {_areas(len(way.areas))}" for way in ways])
        full = f"Yes, {named} {where}, by {facts.least[index]:g} or more."
        yield _yes_no(index, True, full, tuple(label for way in ways for label in way.labels), placeholders)
    elif facts.is_unchanged(index):
        full = f"No, {named} changed by {facts.least[index]:g} or more in no area of the image."
        yield _yes_no(index, False, full, facts.compared[index], placeholders)
    for way in ways:
        if facts.is_exact(index):
            yield from _amounts(group, way)


def _areas(count: int) -> str:
    return "one area" if count == 1 else f"{english.number_word(count)} areas"


def _yes_no(index: str, value: bool, full: str, labels: tuple[int, ...], placeholders: dict[str, str]) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": index, "changed": value}
    said = "yes" if value else "no"
    return QuestionAnswer(TASK, "index_any", f"{index} {value}", said, full, answer, labels, (), placeholders)


def _amounts(group: GroupFacts, way: ChangedAreas) -> Iterator[QuestionAnswer]:
    last = group.members[-1].facts
    area_px = sum(area.area_px for area in way.areas)
    share = area_px / (last.height_px * last.width_px)
    same: dict[str, Any] = {"category": way.topic, "direction": way.way[2], "least": way.least, "changed": True}
    if share >= LEAST_SHARE:
        said = english.percent_phrase(share)
        answer = {"kind": "share", "value": share, **same}
        full = f"It is {said} of the image."
        yield QuestionAnswer(TASK, "index_share", way.what, said, full, answer, way.labels, (), {"area": way.what})
    if last.gsd_m is not None:
        square_m = area_px * last.metres(1, 0) * last.metres(0, 1)
        said = ground_area_phrase(square_m)
        name = f"ground {way.what}"
        answer = {"kind": "fact", "name": name, "value": said, "number": square_m, "unit": "square metres", **same}
        full = f"The ground {way.what} measures {said}."
        yield QuestionAnswer(TASK, "index_ground", way.what, said, full, answer, way.labels, (), {"area": way.what})
