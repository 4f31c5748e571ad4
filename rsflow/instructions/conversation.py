"""Conversation: several questions and answers about one tile, of more than one task.

One idea: no claim of its own. It takes the claims of the other tasks, one per topic, asks them in an order that people would
(the whole, then what is there, how many, where, and boxes last) and answers in sentences. Under three pairs, or with one task
alone, there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions import captioning, classification, detection, grounding, region_captioning, vqa
from rsflow.instructions.hash_choice import hash_number
from rsflow.instructions.question_answers import GENERATOR, QuestionAnswer, conversation_question
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.spatial.geometry import Region
from rsflow.text.turns import Turn, mark, replace_marks

LEAST_PAIRS, MOST_PAIRS = 3, 6
SOURCES = (captioning, classification, vqa, region_captioning, grounding, detection)
# Kinds in the order they are asked in, each with its topic: one question per topic, so that nobody is asked the same twice.
TOPICS = {
    "captioning": "whole",
    "classification": "ground",
    "dominant_cover": "ground",
    "cover_share": "ground",
    "cover_presence": "cover",
    "presence": "number",
    "count": "number",
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
    "index_share": "index",
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
    chosen = _chosen(facts, settings, seed)
    if len(chosen) >= LEAST_PAIRS and len({claim.task for claim in chosen}) > 1:
        yield _together(chosen, facts, seed)


def _chosen(facts: TileFacts, settings: config.Instructions, seed: int) -> list[QuestionAnswer]:
    """One claim per topic, at most MOST_PAIRS, in the order of TOPICS. Refusals are counted by the claims' own tasks."""
    best: dict[str, tuple[int, QuestionAnswer]] = {}
    for source in SOURCES:
        for claim in source.question_answers(facts, settings, seed):
            if isinstance(claim, QuestionAnswer):
                topic, rank = TOPICS[claim.kind], hash_number(seed, facts.tile_id, "conversation", claim.kind, claim.subject)
                if topic not in best or rank < best[topic][0]:
                    best[topic] = (rank, claim)
    # A caption opens where there is one, and each task has a turn before any has a second.
    turns_of: Counter[str] = Counter()
    ranked = []
    for rank, claim in sorted(best.values(), key=lambda pair: pair[0]):
        ranked.append((claim.task != "captioning", turns_of[claim.task], rank, claim))
        turns_of[claim.task] += 1
    ranked.sort(key=lambda item: item[:3])
    order = list(TOPICS)
    return sorted((item[3] for item in ranked[:MOST_PAIRS]), key=lambda claim: order.index(claim.kind))


def _together(chosen: list[QuestionAnswer], facts: TileFacts, seed: int) -> Instruction:
    turns: list[Turn] = []
    boxes: list[Region] = []
    answers: list[dict[str, Any]] = []
    for claim in chosen:
        start = len(boxes)
        turns.append(Turn("user", _moved_marks(conversation_question(claim, facts, seed), start)))
        turns.append(Turn("assistant", _moved_marks(claim.full_answer, start)))
        boxes.extend(claim.boxes)
        answers.append(_moved(claim.answer, start))
    labels = tuple(sorted({position for claim in chosen for position in claim.labels}))
    answer = {**answers[-1], "earlier": answers[:-1]}
    return Instruction("conversation", tuple(turns), tuple(boxes), labels, answer, GENERATOR)


def _moved_marks(text: str, start: int) -> str:
    return replace_marks(text, lambda found: mark(found.phrase, *(index + start for index in found.boxes)))


def _moved(answer: dict[str, Any], start: int) -> dict[str, Any]:
    """The structured answer with its indices of boxes moved along."""
    moved = dict(answer)
    if "box" in answer:
        moved["box"] = answer["box"] + start
    if "boxes" in answer:
        moved["boxes"] = [index + start for index in answer["boxes"]]
    if "groups" in answer:
        moved["groups"] = [_moved(group, start) for group in answer["groups"]]
    return moved
