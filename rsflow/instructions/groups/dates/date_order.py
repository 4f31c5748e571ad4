"""In which order images of one place were taken that are not shown in the order of time.

A single picture does not show its date, so the order is asked only where a development that is measured at every date goes one
way, and the question states which way: the number of a kind of thing, or the share of a land cover. Each step must be larger
than what it is measured with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rsflow.config import settings as config
from rsflow.instructions.groups.dates.series_facts import count_series, cover_series, least_change
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english

TASK = "series"


def question_answers(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    times = [member.acquired_at.timestamp() for member in group.members if member.acquired_at]
    if len({*times}) < len(group.members):
        return
    order = sorted(range(len(times)), key=lambda place: times[place])
    for counts in count_series(group, settings):
        if way := _name_direction([counts.counts[place] for place in order], 1, "grew", "fell"):
            name = f"number of {english.pluralise(counts.noun)}"
            yield from _ask_order(order, f"the {name} {way}", name, counts.labels)
    for covers in cover_series(group):
        shares = [covers.covers[place].share for place in order if place in covers.covers]
        if len(shares) == len(order) and (way := _name_direction(shares, least_change(group), "grew", "shrank")):
            name = f"share of {covers.name}"
            yield from _ask_order(order, f"the {name} {way}", name, covers.labels(group))


def _name_direction(values: Sequence[float], least: float, up: str, down: str) -> str:
    """How values go from each date to the next: `up`, `down`, "" where a step goes another way or is smaller than `least`."""
    steps = [after - before for before, after in pairwise(values)]
    if all(step >= least for step in steps):
        return up
    return down if all(-step >= least for step in steps) else ""


def _ask_order(order: list[int], development: str, name: str, labels: tuple[int, ...]) -> Iterator[QuestionAnswer]:
    """`order`: places of the images in the order of time."""
    numbers = [place + 1 for place in order]
    placeholders = {"development": development}
    if len(order) > 2:
        text = english.join_list([f"image {number}" for number in numbers])
        answer = {"kind": "fact", "name": f"order of dates by the {name}", "value": text}
        full = f"In the order of time: {text}."
        yield QuestionAnswer(TASK, "series_order", name, text, full, answer, labels, (), placeholders)
    for kind, which, number in (("series_earliest", "first", numbers[0]), ("series_latest", "last", numbers[-1])):
        text = f"image {number}"
        answer = {"kind": "fact", "name": f"image taken {which} by the {name}", "value": text}
        full = f"Image {number} was taken {which}."
        yield QuestionAnswer(TASK, kind, name, text, full, answer, labels, (), placeholders)
