"""Questions about the damage of objects between two dates: whether, how bad, how many, where.

An object whose damage could not be assessed, or of which the tile shows less than MIN_VISIBLE, is uncertain: then nothing is
counted, listed or said to be undamaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded, polygon_fields, tile_object
from rsflow.instructions.groups.change_facts import least_side_px
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.records import UNKNOWN, Reject
from rsflow.text.turns import mark

TASK = "change"
UNDAMAGED = "no damage"
MIN_VISIBLE = 0.3  # of an object: less does not show how badly it is damaged
ASKED_OBJECTS = 3
# How several objects in a state are called; other states are written as "in the state …".
_STATES = {
    UNDAMAGED: "undamaged {many}",
    "minor damage": "{many} with minor damage",
    "major damage": "{many} with major damage",
    "destroyed": "destroyed {many}",
}


@dataclass(frozen=True, slots=True)
class Damage:
    """Objects of one category by their state, in the order of states. `compared`: the number of the label that states that
    all were compared, None where not all were; `exact`: the state of every one is known."""

    category: str
    states: dict[str, tuple[TileObject, ...]]
    compared: int | None
    exact: bool

    @property
    def noun(self) -> str:
        return english.singular_noun(self.category)

    def phrase(self, state: str) -> str:
        """`destroyed buildings`."""
        return _STATES.get(state, "{many} in the state " + state).format(many=english.pluralise(self.noun))

    def counted(self, state: str) -> str:
        """`one destroyed building`, `three buildings with major damage`."""
        count = len(self.states.get(state, ()))
        many = english.pluralise(self.noun) if count != 1 else self.noun
        return f"{english.number_word(count)} {_STATES.get(state, '{many} in the state ' + state).format(many=many)}"

    @property
    def damaged(self) -> tuple[TileObject, ...]:
        return tuple(thing for state, things in self.states.items() if state != UNDAMAGED for thing in things)


def question_answers(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    for damage in damages(group, settings):
        yield from _ask_presence(damage)
        yield from _ask_single_objects(group, damage, seed)
        yield from _ask_counts(damage)
        yield from _ask_boxes(group, damage, settings)
        yield from _ask_description(damage)


def damages(group: GroupFacts, settings: config.Instructions) -> list[Damage]:
    """The damage that labels of the last picture state, by category."""
    labels = list(group.labels(len(group.members) - 1))
    facts, least = group.members[-1].facts, least_side_px(group, settings)
    compared = {label.category: number for number, label in labels if label.kind == "compared" and label.text == "damage"}
    states: dict[str, dict[str, list[TileObject]]] = defaultdict(lambda: defaultdict(list))
    unsure = set()
    for number, label in labels:
        if label.kind != "damage" or label.shape is None:
            continue
        thing = tile_object(number, label.shape, facts)
        if UNKNOWN in label.shape.flags or label.shape.visibility < MIN_VISIBLE or thing.shorter_px < least or not label.text:
            unsure.add(label.category)
        else:
            states[label.category][label.text].append(thing)
    found = []
    for category in sorted({*states, *compared}):
        order = [*(state for state in _STATES if state in states[category]), *sorted({*states[category]} - {*_STATES})]
        by_state = {state: tuple(sorted(states[category][state], key=lambda thing: thing.label)) for state in order}
        exact = category in compared and category not in unsure
        found.append(Damage(category, by_state, compared.get(category), exact))
    return [damage for damage in found if damage.noun]


def _ask_presence(damage: Damage) -> Iterator[QuestionAnswer]:
    placeholders = {"thing": damage.noun, "things": english.pluralise(damage.noun)}
    answer = {"kind": "yes_no", "category": damage.category}
    if damage.damaged:
        full = f"Yes, at least one {damage.noun} was damaged."
        labels = tuple(thing.label for thing in damage.damaged)
        yield _question("damage_any", "yes", "yes", full, {**answer, "value": True, "changed": True}, labels, placeholders)
    elif damage.exact and damage.states:
        full = f"No, no {damage.noun} was damaged."
        labels = tuple(thing.label for things in damage.states.values() for thing in things)
        yield _question("damage_any", "no", "no", full, {**answer, "value": False, "changed": False}, labels, placeholders)


def _ask_single_objects(group: GroupFacts, damage: Damage, seed: int) -> Iterator[QuestionAnswer]:
    """The damage of a few objects: one of each state before a second of any."""
    facts, last = group.members[-1].facts, len(group.members) - 1
    queues = []
    for state, things in damage.states.items():
        fit = {str(thing.label): thing for thing in things if not collapses_when_rounded(thing.box, facts)}
        names = hash_order(list(fit), seed, group.tile_id, TASK, state)
        queues.append([(place, state, fit[name]) for place, name in enumerate(names)])
    ordered = sorted((one for queue in queues for one in queue), key=lambda one: (one[0], one[1]))
    for _, state, thing in ordered[:ASKED_OBJECTS]:
        answer = {"kind": "fact", "name": f"damage of {damage.noun}", "value": state, "changed": state != UNDAMAGED}
        full = f"The {damage.noun} has {state}." if "damage" in state else f"The {damage.noun} was {state}."
        placeholders = {"thing": damage.noun, "region": mark("the area", 0)}
        yield QuestionAnswer(
            TASK,
            "damage_of",
            str(thing.label),
            state,
            full,
            answer,
            (thing.label,),
            (thing.box,),
            placeholders,
            box_pictures=(last,),
        )


def _ask_counts(damage: Damage) -> Iterator[QuestionAnswer]:
    if not damage.exact:
        return
    for state, things in damage.states.items():
        about = f"{damage.category}, {state}"
        answer = {"kind": "count", "value": len(things), "category": about, "changed": state != UNDAMAGED}
        full = f"There {'is' if len(things) == 1 else 'are'} {damage.counted(state)}."
        labels = tuple(thing.label for thing in things)
        count_text = english.number_word(len(things))
        yield _question("damage_count", state, count_text, full, answer, labels, {"which": damage.phrase(state)})


def _ask_boxes(group: GroupFacts, damage: Damage, settings: config.Instructions) -> Iterator[QuestionAnswer | Reject]:
    facts, last = group.members[-1].facts, len(group.members) - 1
    for state, things in damage.states.items():
        which = damage.phrase(state)
        if not damage.exact:
            detail = f"{which}: not every one is known, a list would claim too much"
            yield reject_instruction(group, TASK, "not_exhaustive", detail)
        elif len(things) > settings.max_boxes:
            detail = f"{which}: {len(things)} boxes; the limit is {settings.max_boxes}"
            yield reject_instruction(group, TASK, "too_many_boxes", detail)
        elif not any(collapses_when_rounded(thing.box, facts) for thing in things):
            count = len(things)
            text = f"There {'is' if count == 1 else 'are'} {mark(damage.counted(state), *range(count))}."
            answer = {"kind": "boxes", "category": f"{damage.category}, {state}", "boxes": list(range(count)), "count": count}
            answer |= {"changed": state != UNDAMAGED, **polygon_fields(things)}
            yield QuestionAnswer(
                TASK,
                "damage_boxes",
                state,
                text,
                text,
                answer,
                tuple(thing.label for thing in things),
                tuple(thing.box for thing in things),
                {"which": which},
                box_pictures=(last,) * count,
            )


def _ask_description(damage: Damage) -> Iterator[QuestionAnswer]:
    if not damage.exact or not damage.states:
        return
    parts = [damage.counted(state) for state in damage.states]
    total = sum(map(len, damage.states.values()))
    text = f"Of {english.count_phrase(total, damage.noun)}, the images show {english.join_list(parts)}."
    if not damage.damaged:
        many = english.pluralise(damage.noun)
        text = f"No {damage.noun} was damaged: image 2 shows {damage.counted(UNDAMAGED)}." if total else f"There are no {many}."
    labels = tuple(thing.label for things in damage.states.values() for thing in things)
    answer = {"kind": "text", "changed": bool(damage.damaged)}
    placeholders = {"things": english.pluralise(damage.noun)}
    yield _question("damage_description", "all", text, text, answer, labels, placeholders)


def _question(
    kind: str,
    subject: str,
    short: str,
    full: str,
    answer: dict[str, Any],
    labels: tuple[int, ...],
    placeholders: dict[str, str],
) -> QuestionAnswer:
    return QuestionAnswer(TASK, kind, subject, short, full, answer, labels, (), placeholders)
