"""Reasoning: questions of several steps whose answer shows them, and questions that the picture cannot answer.

Chains are programs over the tile's facts (rsflow.instructions.chains), run before they are written; `rsflow verify --deep`
runs them again. What a sensor cannot show (colours without colour bands, warmth in visible light) is asked too, so that a
model learns to say so; the answer follows from the sensor alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.chains.questions import ChainQuestion, chain_questions
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_number
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.sensors import SENSORS

UNANSWERABLE_EVERY = 4  # one tile in so many is asked what its sensor cannot show


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer]:
    groups = [
        group
        for group in tile_facts.object_groups(facts)
        if group.complete and group.count <= settings.max_boxes and group.smallest_px() >= settings.min_box_px
    ]
    missing = [english.singular_noun(category) for category in tile_facts.absent_categories(facts)]
    for found in chain_questions(facts, groups, missing, seed):
        yield _chain_answer(found)
    nouns = [group.noun for group in groups]
    if nouns and hash_number(seed, facts.tile_id, "reasoning", "unanswerable") % UNANSWERABLE_EVERY == 0:
        yield _unanswerable(facts, nouns[0], groups[0].labels)


def _chain_answer(found: ChainQuestion) -> QuestionAnswer:
    text = " ".join(found.sentences)
    steps = [{**step, "result": result} for step, result in zip(found.steps, found.run.results, strict=True)]
    answer = {"kind": "chain", "chain": found.kind, "steps": steps, "value": found.value}
    run = found.run
    return QuestionAnswer("reasoning", found.kind, found.subject, text, text, answer, run.labels, run.boxes, found.placeholders)


def _unanswerable(facts: TileFacts, noun: str, labels: tuple[int, ...]) -> QuestionAnswer:
    sensor = SENSORS[facts.sensor]
    quantity = "temperature" if sensor.has_colour else "colour"
    reason = "it shows reflected light and no warmth" if sensor.has_colour else "it shows no colours"
    picture = english.with_article(sensor.picture)
    text = f"That cannot be told from this picture: it is {picture}, and {reason}."
    answer = {"kind": "unanswerable", "asked": quantity, "value": "cannot be told"}
    fill = english.subject_forms(noun, len(labels))
    return QuestionAnswer(
        "reasoning", f"unanswerable_{quantity}", noun, text, text, answer, labels, (), fill, content={"sensor": facts.sensor}
    )
