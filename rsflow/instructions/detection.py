"""Detection: all objects of one category, or of all, with their boxes.

A list states completeness. It is made only of complete groups, in the order of rsflow.instructions.facts.tile_facts, with at
most `max_boxes` boxes and none too small to name or to write; otherwise it is refused with its reason. Where every object is
oriented, the list is also given with oriented boxes. On one tile in four an absent category is asked for, so that a model
learns to find nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import collapses_when_rounded, polygon_fields
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import choose, hash_number
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import mark

ABSENT_EVERY = 4


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    groups = tile_facts.object_groups(facts)
    fit = []
    for group in groups:
        fault = refusal_reason(group, settings, facts)
        if fault:
            yield reject_instruction(facts, "detection", *fault)
        else:
            fit.append(group)
            yield _group_question(group, False)
            if _fits_oriented(group, facts):
                yield _group_question(group, True)
    nouns = tile_facts.uncertain_by_noun(facts)
    for noun in nouns:
        if noun not in {group.noun for group in groups}:
            yield reject_instruction(
                facts, "detection", "uncertain_objects", f"{noun}: not certain (difficult, a crowd): {nouns[noun]}"
            )
    if groups and fit == groups and len(nouns) == len(groups) and not facts.unknown:
        total = sum(group.count for group in groups)
        if total <= settings.max_boxes:
            yield _all_objects_question(groups, False)
            if all(_fits_oriented(group, facts) for group in groups):
                yield _all_objects_question(groups, True)
        elif len(groups) > 1:
            yield reject_instruction(
                facts, "detection", "too_many_boxes", f"{total} objects in all; the limit is {settings.max_boxes}"
            )
    missing = tile_facts.absent_categories(facts)
    if missing and hash_number(seed, facts.tile_id, "detection", "absent") % ABSENT_EVERY == 0:
        yield _absent_question(choose(missing, seed, facts.tile_id, "detection", "which absent"))


def counted_boxes_text(groups: Sequence[Group]) -> str:
    """`There are [[13 ships|…]]. There is [[1 car|…]]`: the seeds' form, the marks counting boxes group after group."""
    parts, start = [], 0
    for group in groups:
        be, noun = ("is", group.noun) if group.count == 1 else ("are", english.pluralise(group.noun))
        parts.append(f"There {be} {mark(f'{group.count} {noun}', *range(start, start + group.count))}")
        start += group.count
    return ". ".join(parts)


def _fits_oriented(group: Group, facts: TileFacts) -> bool:
    return group.oriented and not any(collapses_when_rounded(thing.region, facts) for thing in group.objects)


def refusal_reason(group: Group, settings: config.Instructions, facts: TileFacts) -> tuple[str, str] | None:
    """Why no list of all objects of the group can be given, as (reason, detail); None where one can."""
    if group.uncertain_count:
        return "uncertain_objects", f"{group.category}: not certain (difficult, a crowd): {group.uncertain_count}"
    if not group.complete:
        return "not_exhaustive", f"{group.category}: not every instance is known, so a list would claim too much"
    if group.count > settings.max_boxes:
        return "too_many_boxes", f"{group.category}: {group.count} boxes; the limit is {settings.max_boxes}"
    if group.smallest_px() < settings.min_box_px:
        return "box_too_small", f"{group.category}: {group.smallest_px():.1f} pixels; the least is {settings.min_box_px:g}"
    if any(collapses_when_rounded(thing.box, facts) for thing in group.objects):
        return (
            "box_collapses",
            f"{group.category}: a box would lose its area in the coarsest text form, hundredths of the picture",
        )
    return None


def _group_question(group: Group, oriented: bool) -> QuestionAnswer:
    return QuestionAnswer(
        task="detection",
        kind=f"detection_one{'_oriented' * oriented}",
        subject=group.noun,
        short_answer=counted_boxes_text([group]),
        full_answer=counted_boxes_text([group]) + ".",
        answer=_boxes_answer(group, 0, oriented),
        labels=group.labels,
        boxes=tuple(thing.region if oriented else thing.box for thing in group.objects),
        placeholders={"many": english.pluralise(group.noun), "one_bare": group.noun},
    )


def _boxes_answer(group: Group, start: int, oriented: bool) -> dict[str, Any]:
    answer = {"kind": "boxes", "category": group.category, "boxes": list(range(start, start + group.count))}
    return {**answer, "count": group.count, **({"oriented": True} if oriented else polygon_fields(group.objects))}


def _all_objects_question(groups: Sequence[Group], oriented: bool) -> QuestionAnswer:
    found, start = [], 0
    for group in groups:
        found.append(_boxes_answer(group, start, oriented))
        start += group.count
    return QuestionAnswer(
        task="detection",
        kind=f"detection_all{'_oriented' * oriented}",
        subject="all",
        short_answer=counted_boxes_text(groups),
        full_answer=counted_boxes_text(groups) + ".",
        answer={"kind": "all_boxes", "groups": found, "count": start, **({"oriented": True} if oriented else {})},
        labels=tuple(position for group in groups for position in group.labels),
        boxes=tuple(thing.region if oriented else thing.box for group in groups for thing in group.objects),
    )


def _absent_question(category: str) -> QuestionAnswer:
    noun = english.singular_noun(category)
    text = f"There are no {english.pluralise(noun)} in the image."
    answer = {"kind": "boxes", "category": category, "boxes": [], "count": 0}
    fill = {"many": english.pluralise(noun), "one_bare": noun}
    return QuestionAnswer("detection", "detection_one", f"absent {noun}", text, text, answer, (), (), fill)
