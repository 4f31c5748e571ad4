"""Segmentation: the outline of one thing that a phrase refers to, or of every object of a category.

One idea: what detection and grounding ask about boxes, asked about outlines. A thing is asked for only where its outline is
known and a text can hold it (rsflow.instructions.facts.outlines); a category only where it is complete and every object has
such an outline. The structured answer holds both: `outlines`, the rings that the text names, and `polygons` or `parts`, the
exact outline, of which masks are made (rsflow.loading.masks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.detection import refusal_reason
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import expressions
from rsflow.instructions.facts.objects import TileObject, polygon_fields
from rsflow.instructions.facts.outlines import Rings, written_outline
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.instructions.wording.references import references
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import outline_mark


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions) -> Iterator[QuestionAnswer | Reject]:
    for item in expressions(facts, settings, "segmentation"):
        if not isinstance(item, Reject):  # grounding has counted it
            yield from _thing_question("segmentation_phrase", item.text, item.category, item.thing, item.labels, facts)
    for group in tile_facts.object_groups(facts):
        if not any(thing.outline for thing in group.objects):
            continue
        fault = refusal_reason(group, settings, facts)
        if fault:
            yield reject_instruction(facts, "segmentation", *fault)
        else:
            yield from _group_question(group, facts)
        if group.complete:
            for phrase, thing in references(group, facts.height_px, facts.width_px):
                if thing.shorter_px >= settings.min_box_px:
                    yield from _thing_question("segmentation", phrase, group.category, thing, (thing.label,), facts)


def _thing_question(
    kind: str, phrase: str, category: str, thing: TileObject, labels: tuple[int, ...], facts: TileFacts
) -> Iterator[QuestionAnswer]:
    rings = written_outline(thing.outline, facts) if thing.outline else None
    if rings is None:
        return
    full = f"{english.capitalise(phrase)} covers {outline_mark('', 0)}." if kind == "segmentation" else outline_mark("", 0)
    yield QuestionAnswer(
        task="segmentation",
        kind=kind,
        subject=phrase,
        short_answer=outline_mark("", 0),
        full_answer=full,
        answer={"kind": "outline", "phrase": phrase, "category": category, "box": 0, **_outline_fields([thing], [rings])},
        labels=labels,
        boxes=(thing.box,),
        placeholders={"phrase": phrase},
    )


def _group_question(group: Group, facts: TileFacts) -> Iterator[QuestionAnswer | Reject]:
    found = [written_outline(thing.outline, facts) if thing.outline else None for thing in group.objects]
    rings = [one for one in found if one is not None]
    if len(rings) < len(found):
        missing = len(found) - len(rings)
        yield reject_instruction(
            facts,
            "segmentation",
            "outline_unwritten",
            f"{group.category}: {missing} of {len(found)} without one that a text holds",
        )
        return
    counted = f"{group.count} {group.noun if group.count == 1 else english.pluralise(group.noun)}"
    sentence = f"There {'is' if group.count == 1 else 'are'} {outline_mark(counted, *range(group.count))}"
    boxes = list(range(group.count))
    yield QuestionAnswer(
        task="segmentation",
        kind="segmentation_all",
        subject=group.noun,
        short_answer=sentence,
        full_answer=f"{sentence}.",
        answer={
            "kind": "outlines",
            "category": group.category,
            "boxes": boxes,
            "count": group.count,
            **_outline_fields(group.objects, rings),
        },
        labels=group.labels,
        boxes=tuple(thing.box for thing in group.objects),
        placeholders={"many": english.pluralise(group.noun), "one_bare": group.noun},
    )


def _outline_fields(things: Sequence[TileObject], rings: Sequence[Rings]) -> dict[str, Any]:
    return {"outlines": [[list(ring) for ring in one] for one in rings], **polygon_fields(things)}
