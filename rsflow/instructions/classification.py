"""Classification: one word or phrase for the whole picture.

An annotated class of the picture comes first; else a land cover of at least 60 %; else, where every object is known, the one
category of all annotated objects, if one of them is large enough to be seen: that is asked for as the kind of the objects. Two
annotated classes are no unique answer and are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.records import Instruction, Reject, TileFacts

DOMINANT_SHARE = 0.6


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    classes = {
        english.category_words(label.category): position for position, label in tile_facts.labels_of_kind(facts, "category")
    }
    if len(classes) > 1:
        yield reject_instruction(
            facts, "classification", "ambiguous", f"the picture has {len(classes)} classes: {', '.join(sorted(classes))}"
        )
        return
    for name, position in classes.items():
        yield _class_question(facts.labels[position].category, name, f"Its category is {name}.", (position,))
    if not classes:
        yield from _from_covers_or_objects(facts, settings)


def _from_covers_or_objects(facts: TileFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    covers = tile_facts.land_covers(facts)
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    if covers and covers[0].share >= DOMINANT_SHARE and covers[0].name:
        first = covers[0]
        yield _class_question(first.category, first.name, f"It is mostly {first.name}.", (first.label,))
    elif (
        len(groups) == len(tile_facts.uncertain_by_noun(facts)) == 1
        and groups[0].exact
        and not facts.unknown
        and tile_facts.has_several_categories(facts)
    ):
        group = groups[0]
        yield _object_question(group)


def _object_question(group: Group) -> QuestionAnswer:
    """A picture of objects is no kind of place: what is asked for is the kind of its objects."""
    full = (
        f"The objects here are {english.pluralise(group.noun)}."
        if group.count > 1
        else f"The object here is {english.with_article(group.noun)}."
    )
    answer = {"kind": "category", "value": group.category}
    return QuestionAnswer(
        "classification", "classification_object", group.noun, f"{english.capitalise(group.noun)}.", full, answer, group.labels
    )


def _class_question(category: str, name: str, full: str, labels: tuple[int, ...]) -> QuestionAnswer:
    answer = {"kind": "category", "value": category}
    return QuestionAnswer("classification", "classification", category, f"{english.capitalise(name)}.", full, answer, labels)
