"""Conversation: several questions and answers about one tile, of as many tasks as there are.

It has no facts of its own: it takes those of the other tasks that no single instruction of the tile asks for, one per topic,
in an order that people would ask in (the whole, what is there, how many, where, boxes last), and answers in sentences.
Captions and descriptions are left out: they are instructions themselves. With fewer than three pairs there
is none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions import classification, detection, grounding, region_captioning, vqa
from rsflow.instructions.languages import in_language
from rsflow.instructions.question_answers import GENERATOR, QuestionAnswer, SampleFacts, conversation_question, instruction
from rsflow.instructions.wording.hash_choice import choose, hash_number
from rsflow.records import Instruction, Reject, TaskName, TileFacts
from rsflow.spatial.geometry import Region
from rsflow.text.turns import Turn, mark, replace_marks

LEAST_PAIRS, MOST_PAIRS = 3, 6
SOURCES = (classification, vqa, region_captioning, grounding, detection)
# Kinds in the order of their questions, each with its topic; a conversation has one question per topic.
TOPICS = {
    "classification": "ground",
    "classification_object": "number",
    "dominant_cover": "ground",
    "cover_share": "ground",
    "cover_presence": "cover",
    "presence": "number",
    "count": "number",
    "count_about": "number",
    "presence_at": "place",
    "place": "place",
    "relation": "relation",
    "brightness": "brightness",
    "texture": "texture",
    "colour": "colour",
    "brightest_part": "brightest part",
    "darkest_part": "darkest part",
    "low_backscatter": "backscatter",
    "strongest_backscatter_part": "strongest backscatter",
    "weakest_backscatter_part": "weakest backscatter",
    "warmest_part": "warmest part",
    "coolest_part": "coolest part",
    "field_mean": "field",
    "field_highest": "field highest",
    "field_lowest": "field lowest",
    "distance": "distance",
    "direction": "direction",
    "line_length": "length",
    "cover_border": "border",
    "cover_direction": "cover direction",
    "question": "question",
    "region_captioning": "region",
    "grounding": "box",
    "grounding_oriented": "box",
    "grounding_phrase": "box",
    "grounding_phrase_oriented": "box",
    "detection_one": "boxes",
    "detection_one_oriented": "boxes",
    "detection_all": "boxes",
    "detection_all_oriented": "boxes",
}


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    """Conversations of a tile of which nothing else is asked."""
    return make_conversation(facts, settings, seed, ())


def make_conversation(
    facts: TileFacts, settings: config.Instructions, seed: int, others: Collection[Instruction]
) -> Iterator[Instruction]:
    """At most one conversation, of questions that no other instruction of the tile (`others`) asks."""
    language = choose(settings.languages, seed, facts.tile_id, "language", "conversation")
    chosen = _choose(facts, settings, seed, language, {_key(each) for each in others})
    if len(chosen) >= LEAST_PAIRS:
        yield join_questions("conversation", chosen, facts, seed)


def _choose(
    facts: TileFacts, settings: config.Instructions, seed: int, language: str, used_keys: set[str]
) -> list[QuestionAnswer]:
    """One question per topic, at most MOST_PAIRS, in the order of TOPICS. Refusals are counted by the questions' own tasks."""
    best: dict[str, tuple[int, QuestionAnswer]] = {}
    for source in SOURCES:
        for found in source.question_answers(facts, settings, seed):
            is_single = isinstance(found, Reject) or "form" in found.answer or "marks" in found.answer  # paths stay with it
            each = None if is_single else in_language(found, language, settings)
            if each and _key(instruction(each, facts, seed)) not in used_keys:
                topic, rank = TOPICS[each.kind], hash_number(seed, facts.tile_id, "conversation", each.kind, each.subject)
                if topic not in best or rank < best[topic][0]:
                    best[topic] = (rank, each)
    # Each task has a turn before any has a second.
    turns_of: Counter[str] = Counter()
    ranked = []
    for rank, each in sorted(best.values(), key=lambda pair: pair[0]):
        ranked.append((turns_of[each.task], rank, each))
        turns_of[each.task] += 1
    ranked.sort(key=lambda item: item[:2])
    order = list(TOPICS)
    return sorted((each for *_, each in ranked[:MOST_PAIRS]), key=lambda each: order.index(each.kind))


def _key(single: Instruction) -> str:
    """Task, answer and boxes of a single instruction: what it asks, independent of the wording and the language."""
    text = single.turns[-1].text if single.answer["kind"] == "text" else ""
    return json.dumps([single.task, text, single.answer, single.boxes], sort_keys=True)


def join_questions(task: TaskName, chosen: Sequence[QuestionAnswer], facts: SampleFacts, seed: int) -> Instruction:
    """One instruction of these questions in their order, answered in sentences; the answers before the last are `earlier`."""
    turns: list[Turn] = []
    boxes: list[Region] = []
    answers: list[dict[str, Any]] = []
    pictures: list[int] = []
    for qa in chosen:
        start = len(boxes)
        turns.append(Turn("user", _shift_marks(conversation_question(qa, facts, seed), start)))
        turns.append(Turn("assistant", _shift_marks(qa.full_answer, start)))
        boxes.extend(qa.boxes)
        pictures.extend(qa.box_pictures)
        answers.append(_shift_boxes(qa.answer, start))
    labels = tuple(sorted({position for qa in chosen for position in qa.labels}))
    answer = {**answers[-1], "earlier": answers[:-1]}
    return Instruction(task, tuple(turns), tuple(boxes), labels, answer, GENERATOR, box_pictures=tuple(pictures))


def _shift_marks(text: str, start: int) -> str:
    return replace_marks(text, lambda found: mark(found.phrase, *(index + start for index in found.boxes)))


def _shift_boxes(answer: dict[str, Any], start: int) -> dict[str, Any]:
    """The structured answer with its indices of boxes moved along."""
    moved = dict(answer)
    if "box" in answer:
        moved["box"] = answer["box"] + start
    if "boxes" in answer:
        moved["boxes"] = [index + start for index in answer["boxes"]]
    if "groups" in answer:
        moved["groups"] = [_shift_boxes(group, start) for group in answer["groups"]]
    return moved
