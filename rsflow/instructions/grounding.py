"""Grounding: a phrase that refers to one thing of the tile, answered by its box.

The phrase must be unique, whether annotators wrote it (rsflow.instructions.facts.expressions) or it is composed from the boxes
(rsflow.instructions.wording.references). A group without a unique phrase is refused as ambiguous. The largest region of a land
cover can be asked for too, unless it is a speck or nearly the whole tile. An oriented object is asked for both ways.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import Expression, expressions
from rsflow.instructions.facts.given_regions import TileMarks, tile_marks
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded, polygon_fields
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording.references import references
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.spatial.geometry import Box, Region, area
from rsflow.text.turns import mark

LEAST_REGION, MOST_REGION = 0.01, 0.8  # of the tile's area


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    marks = tile_marks(facts, settings, seed)
    for item in expressions(facts, settings, "grounding"):
        if isinstance(item, Reject):
            yield item
        else:
            yield from _expression_questions(item, facts)
    for group in tile_facts.object_groups(facts):
        if not group.complete:
            reason = "uncertain_objects" if group.uncertain_count else "not_exhaustive"
            yield reject_instruction(facts, "grounding", reason, f"{group.category}: another instance may be there")
            continue
        found = list(references(group, facts.height_px, facts.width_px))
        named = [(phrase, thing) for phrase, thing in found if thing.shorter_px >= settings.min_box_px]
        if not found:
            yield reject_instruction(
                facts, "grounding", "ambiguous", f"{group.category}: {group.count} objects, no phrase means just one"
            )
        elif not named:
            yield reject_instruction(
                facts, "grounding", "box_too_small", f"{group.category}: under {settings.min_box_px:g} pixels"
            )
        elif all(collapses_when_rounded(thing.box, facts) for _, thing in named):
            yield reject_instruction(
                facts, "grounding", "box_collapses", f"{group.category}: no area left in the coarsest text form"
            )
        for phrase, thing in named:
            if marks and thing.label in marks.numbers:
                yield _mark_question(phrase, group.category, thing, marks)
            yield from _object_questions(phrase, group.category, thing, facts)
    for cover in tile_facts.land_covers(facts):
        if cover.name and cover.region and _has_askable_size(cover.region, facts):
            phrase = f"the largest area of {cover.name}"
            yield _box_question("grounding", phrase, cover.category, cover.region, (cover.label,), _full_answer(phrase))


def _has_askable_size(region: Box, facts: TileFacts) -> bool:
    share = area(region) / (facts.height_px * facts.width_px)
    return LEAST_REGION <= share <= MOST_REGION and not collapses_when_rounded(region, facts)


def _object_questions(phrase: str, category: str, thing: TileObject, facts: TileFacts) -> Iterator[QuestionAnswer]:
    for kind, region in _box_forms("grounding", thing, facts):
        yield _box_question(kind, phrase, category, region, (thing.label,), _full_answer(phrase), thing)


def _mark_question(phrase: str, category: str, thing: TileObject, marks: TileMarks) -> QuestionAnswer:
    number = marks.numbers[thing.label]
    answer = {"kind": "mark", "phrase": phrase, "category": category, "value": number, "box": 0, **marks.fields}
    full = f"{english.capitalise(phrase)} has mark {number}."
    placeholders = {"phrase": phrase}
    return QuestionAnswer(
        "grounding", "grounding_mark", phrase, str(number), full, answer, (thing.label,), (thing.box,), placeholders
    )


def _expression_questions(found: Expression, facts: TileFacts) -> Iterator[QuestionAnswer]:
    for kind, region in _box_forms("grounding_phrase", found.thing, facts):
        yield _box_question(kind, found.text, found.category, region, found.labels, f"It is at {mark('', 0)}.", found.thing)


def _full_answer(phrase: str) -> str:
    return f"{english.capitalise(phrase)} is at {mark('', 0)}."


def _box_forms(kind: str, thing: TileObject, facts: TileFacts) -> Iterator[tuple[str, Region]]:
    if not collapses_when_rounded(thing.box, facts):
        yield kind, thing.box
    if thing.quad and not collapses_when_rounded(thing.quad, facts):
        yield f"{kind}_oriented", thing.quad


def _box_question(
    kind: str, phrase: str, category: str, region: Region, labels: tuple[int, ...], full: str, thing: TileObject | None = None
) -> QuestionAnswer:
    details = {"oriented": True} if len(region) == 8 else polygon_fields([thing]) if thing else {}
    return QuestionAnswer(
        task="grounding",
        kind=kind,
        subject=phrase,
        short_answer=mark("", 0),
        full_answer=full,
        answer={"kind": "box", "phrase": phrase, "category": category, "box": 0, **details},
        labels=labels,
        boxes=(region,),
        placeholders={"phrase": phrase},
    )
