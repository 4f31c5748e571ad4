"""Questions about where a measured index rose or fell by a stated amount between two dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rsflow.instructions.facts.objects import collapses_when_rounded
from rsflow.instructions.groups.change_facts import ChangedAreas, ChangeFacts, topic_phrase
from rsflow.instructions.groups.change_questions import ASKED_AREAS, LEAST_SHARE, ground_area_phrase
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.text.turns import mark

TASK = "change"


def question_answers(group: GroupFacts, facts: ChangeFacts, index: str, seed: int) -> Iterator[QuestionAnswer]:
    """Whether it changed anywhere, in which direction in single areas, and on what share of the image and how much ground."""
    if index not in facts.least:
        return
    named = topic_phrase(index)
    placeholders = {"index": named, "least": f"{facts.least[index]:g}"}
    ways = [way for way in facts.of_topic(index) if way.areas]
    if ways:
        where = english.join_list([f"{way.way[2]} in {_areas_phrase(len(way.areas))}" for way in ways])
        full = f"Yes, {named} {where}, by {facts.least[index]:g} or more."
        yield _yes_no(index, True, full, tuple(label for way in ways for label in way.labels), placeholders)
    elif facts.is_unchanged(index):
        full = f"No, {named} changed by {facts.least[index]:g} or more in no area of the image."
        yield _yes_no(index, False, full, facts.compared[index], placeholders)
    for way in ways:
        yield from _ask_directions(group, way, seed)
        if facts.is_exact(index):
            yield from _ask_amounts(group, way)


def _ask_directions(group: GroupFacts, way: ChangedAreas, seed: int) -> Iterator[QuestionAnswer]:
    """Of a few areas, which need not be all there are."""
    last = len(group.members) - 1
    fit = {str(area.label): area for area in way.areas if not collapses_when_rounded(area.box, group.members[last].facts)}
    for name in hash_order(list(fit), seed, group.tile_id, TASK, way.what)[:ASKED_AREAS]:
        area, direction = fit[name], way.way[2]
        placeholders = {"region": mark("the area", 0), "index": topic_phrase(way.topic)}
        full = f"It {direction} by {way.least:g} or more there."
        answer = {"kind": "fact", "name": f"direction of {way.topic}", "value": direction, "changed": True, "least": way.least}
        yield QuestionAnswer(
            *(
                TASK,
                "index_change_direction",
                f"{way.what} {name}",
                direction,
                full,
                answer,
                (area.label,),
                (area.box,),
                placeholders,
            ),
            box_pictures=(last,),
        )


def _areas_phrase(count: int) -> str:
    return "one area" if count == 1 else f"{english.number_word(count)} areas"


def _yes_no(index: str, value: bool, full: str, labels: tuple[int, ...], placeholders: dict[str, str]) -> QuestionAnswer:
    answer = {"kind": "yes_no", "value": value, "category": index, "changed": value}
    answer_text = "yes" if value else "no"
    return QuestionAnswer(TASK, "index_change_any", f"{index} {value}", answer_text, full, answer, labels, (), placeholders)


def _ask_amounts(group: GroupFacts, way: ChangedAreas) -> Iterator[QuestionAnswer]:
    last = group.members[-1].facts
    area_px = sum(area.area_px for area in way.areas)
    share = area_px / (last.height_px * last.width_px)
    same: dict[str, Any] = {"category": way.topic, "direction": way.way[2], "least": way.least, "changed": True}
    if share >= LEAST_SHARE:
        amount = english.percent_phrase(share)
        answer = {"kind": "share", "value": share, **same}
        full = f"It is {amount} of the image."
        yield QuestionAnswer(TASK, "index_change_share", way.what, amount, full, answer, way.labels, (), {"area": way.what})
    if last.gsd_m is not None:
        square_m = area_px * last.metres(1, 0) * last.metres(0, 1)
        amount = ground_area_phrase(square_m)
        name = f"ground {way.what}"
        answer = {"kind": "fact", "name": name, "value": amount, "number": square_m, "unit": "square metres", **same}
        full = f"The ground {way.what} measures {amount}."
        yield QuestionAnswer(TASK, "index_change_ground", way.what, amount, full, answer, way.labels, (), {"area": way.what})
