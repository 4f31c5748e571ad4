"""Multiple choice: a question with lettered options, of which exactly one is right.

One idea: a wrong option must be wrong for sure. Numbers are offered only where the count is exact, kinds of things only where
their absence is known, places only where the thing does not reach into them, land covers only beside one that clearly leads.
Wrong options are near the right one: neighbouring numbers, other kinds of the same vocabulary. Their order, and so the right
letter, follows from a hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.classification import question_answers as class_questions
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.instructions.phrasings.choices import LETTER_HINTS
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.vqa import COUNT_LIMIT, clearly_dominant_cover
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import choose, hash_order
from rsflow.instructions.wording.options import LETTERS, arrange_options, wrong_numbers
from rsflow.instructions.wording.references import clearly_largest
from rsflow.records import Instruction, Reject, TileFacts

LEAST_WRONG = 2  # options beside the right one


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    groups = tile_facts.large_enough(tile_facts.object_groups(facts), settings.min_box_px)
    missing = [english.singular_noun(category) for category in tile_facts.absent_categories(facts)]
    for group in groups:
        if group.exact and group.count <= COUNT_LIMIT:
            yield from _count_question(group, facts, seed)
        yield from _place_question(group, facts, settings, seed)
    if groups:
        yield from _present_question(groups, missing, facts, seed)
        yield from _absent_question(groups, missing, facts, seed)
    yield from _class_question(facts, settings, missing, seed)
    yield from _cover_question(facts, seed)


def _count_question(group: Group, facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    placeholders = {"many": english.pluralise(group.noun)}
    yield from _choice(
        "count", group.noun, str(group.count), wrong_numbers(group.count), group.labels, placeholders, facts, seed
    )


def _place_question(group: Group, facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    thing = clearly_largest(group) if group.complete else None
    place = places.place_name(thing.box, facts.height_px, facts.width_px) if thing else None
    if thing is None or place is None or thing.shorter_px < settings.min_box_px:
        return
    names = [name for row in places.PLACES for name in row]
    wrong = [name for name in names if not places.touches_place(thing.box, name, facts.height_px, facts.width_px)]
    subject = f"the {'' if group.count == 1 else 'largest '}{group.noun}"
    yield from _choice("place", group.noun, place, wrong, (thing.label,), {"subject": subject}, facts, seed)


def _present_question(groups: Sequence[Group], missing: Sequence[str], facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    nouns = {group.noun: group for group in groups}
    noun = choose(sorted(nouns), seed, facts.tile_id, "choice", "present")
    wrong = [english.pluralise(other) for other in missing]
    yield from _choice("choice_present", noun, english.pluralise(noun), wrong, nouns[noun].labels, {}, facts, seed)


def _absent_question(groups: Sequence[Group], missing: Sequence[str], facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    if missing:
        noun = choose(missing, seed, facts.tile_id, "choice", "absent")
        present = [english.pluralise(group.noun) for group in groups]
        labels = tuple(position for group in groups for position in group.labels)
        yield from _choice("choice_absent", noun, english.pluralise(noun), present, labels, {}, facts, seed)


def _class_question(
    facts: TileFacts, settings: config.Instructions, missing: Sequence[str], seed: int
) -> Iterator[QuestionAnswer]:
    for item in class_questions(facts, settings, seed):
        if isinstance(item, QuestionAnswer) and tile_facts.labels_of_kind(facts, "category"):
            name = item.short_answer.rstrip(".").lower()
            yield from _choice("classification", name, name, missing, item.labels, {}, facts, seed)


def _cover_question(facts: TileFacts, seed: int) -> Iterator[QuestionAnswer]:
    first = clearly_dominant_cover(facts)
    if first:
        covers = tile_facts.land_covers(facts)
        others = [cover.name for cover in covers if cover.name and cover.name != first.name]
        labels = tuple(cover.label for cover in covers)
        yield from _choice("dominant_cover", "dominant", first.name, others, labels, {}, facts, seed)


def _choice(
    kind: str,
    subject: str,
    right: str,
    wrong: Sequence[str],
    labels: tuple[int, ...],
    placeholders: dict[str, str],
    facts: TileFacts,
    seed: int,
) -> Iterator[QuestionAnswer]:
    """The question where there are LEAST_WRONG wrong options."""
    key = (seed, facts.tile_id, "multiple_choice", kind, subject)
    distractors = [option for option in dict.fromkeys(wrong) if option != right]
    if len(distractors) < LEAST_WRONG:
        return
    options = arrange_options(right, hash_order(distractors, *key, "wrong"), *key)
    letter = LETTERS[options.index(right)]
    lines = "\n".join(f"{name}. {option}" for name, option in zip(LETTERS, options, strict=False))
    answer: dict[str, Any] = {"kind": "choice", "value": right, "letter": letter, "options": options, "about": kind}
    yield QuestionAnswer(
        task="multiple_choice",
        kind=kind,
        subject=subject,
        # The name of what is not there, with nothing around it, would read as if it were.
        short_answer=letter if kind == "choice_absent" else choose((letter, f"{letter}. {right}"), *key, "form"),
        full_answer=f"The right answer is {letter}.",
        answer=answer,
        labels=labels,
        placeholders={**placeholders, "options": lines, "hint": choose(LETTER_HINTS, *key, "hint")},
        own_phrasings=tuple(f"{bare}\n{{options}}\n{{hint}}" for bare in _without_hint(PHRASINGS[kind])),
    )


def _without_hint(phrasings: Sequence[str]) -> Sequence[str]:
    """Without the first, which asks for a word or phrase."""
    return phrasings[1:]
