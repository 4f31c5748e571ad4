"""Change between two dates: what changed, where, how much, into what, how badly, and what only seems to have changed.

Answers follow from the labels of an annotated pair or of two dates of a cell (rsflow.instructions.groups.change_facts,
damage_questions). Yes and no come in pairs on one pair of pictures where it changed; "nothing changed" is stated of pairs
that were searched everywhere. Boxes are on image 2, or on both images, each in its own pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.groups import apparent_changes, change_questions, damage_questions, index_questions
from rsflow.instructions.groups.change_facts import INDEX_NAMES, ChangeFacts, change_facts
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.records import Instruction, Reject

TASK = "change"


def make_instructions(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    if group.compares_two_dates:
        yield from instructions(question_answers(group, settings, seed), group, seed, settings)


def question_answers(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    facts = change_facts(group, settings)
    for topic in sorted({*facts.compared, *(way.topic for way in facts.ways)}):
        if topic in INDEX_NAMES:
            yield from index_questions.question_answers(group, facts, topic, seed)
        else:
            yield from change_questions.presence(group, facts, topic, seed)
            yield from change_questions.amounts(group, facts, topic)
    for way in facts.ways:
        yield from change_questions.boxes(group, way, settings)
        yield from change_questions.single_areas(group, way, seed)
    yield from change_questions.descriptions(group, facts)
    yield from _captions(group, facts)
    yield from damage_questions.question_answers(group, settings, seed)
    yield from apparent_changes.question_answers(group)


def _captions(group: GroupFacts, facts: ChangeFacts) -> Iterator[QuestionAnswer]:
    last = group.members[-1].facts
    start = group.first_label(len(group.members) - 1)
    for position, label in tile_facts.labels_of_kind(last, "change_caption"):
        answer = {"kind": "text", "changed": facts.has_changed if facts.stated else None}
        yield QuestionAnswer(TASK, "change_caption", str(position), label.text, label.text, answer, (start + position,))
