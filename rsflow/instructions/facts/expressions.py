"""Referring expressions that annotators wrote for one object each: `the tiny vehicle on the left`.

An expression is used word for word in both directions (expression to box, box to expression), and only where it refers to one
object: the same words for two boxes, or the bare name of a category with several objects, are refused as ambiguous.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.objects import TileObject, collapses_when_rounded, tile_object
from rsflow.instructions.question_answers import reject_instruction
from rsflow.instructions.wording import english
from rsflow.records import Reject, TaskName, TileFacts
from rsflow.spatial.box_index import suppress_overlaps
from rsflow.spatial.geometry import Box, area
from rsflow.text.turns import escape

SAME_IOU = 0.7  # two boxes that overlap so much are drawn around one object


@dataclass(frozen=True, slots=True)
class Expression:
    """`text` as written, escaped for a turn; `category` may be empty; `labels` are all with the same text."""

    text: str
    category: str
    thing: TileObject
    labels: tuple[int, ...]


def expressions(facts: TileFacts, settings: config.Instructions, task: TaskName) -> Iterator[Expression | Reject]:
    """Each expression once per object, in the order of their boxes; what cannot be used as a reject of the task."""
    found: dict[str, list[Expression]] = defaultdict(list)
    for position, label in tile_facts.labels_of_kind(facts, "phrase"):
        text = " ".join(label.text.split())
        if text and label.shape and area(label.shape.box) > 0:
            found[normalise_text(text)].append(
                Expression(escape(text), label.category, tile_object(position, label.shape, facts), (position,))
            )
    for wording in sorted(found):
        fault = _refusal_reason(wording, found[wording], facts, settings)
        if fault:
            yield reject_instruction(facts, task, *fault)
        else:
            first = min(found[wording], key=lambda one: (one.thing.box, one.text, one.category))
            yield replace(first, labels=tuple(one.thing.label for one in found[wording]))


def normalise_text(text: str) -> str:
    """The text in lower case, with single spaces and without a final mark: equal for texts that say the same."""
    return " ".join(text.casefold().split()).rstrip(" .?!")


def _refusal_reason(
    text: str, candidates: Sequence[Expression], facts: TileFacts, settings: config.Instructions
) -> tuple[str, str] | None:
    first = candidates[0]
    if len(suppress_overlaps([one.thing.box for one in candidates], SAME_IOU)) > 1:
        return "ambiguous", f"{first.text!r} is said of {len(candidates)} boxes"
    noun = english.singular_noun(first.category)
    if noun and normalise_text(text).removeprefix("the ") in {noun.casefold(), english.with_article(noun).casefold()}:
        count = len(suppress_overlaps(_boxes_of(noun, facts), SAME_IOU))
        if count > 1:
            return "ambiguous", f"{first.text!r} may mean any of {count} objects"
    if first.thing.shorter_px < settings.min_box_px:
        return "box_too_small", f"{first.text!r}: {first.thing.shorter_px:.1f} pixels; the least is {settings.min_box_px:g}"
    if collapses_when_rounded(first.thing.box, facts):
        return "box_collapses", f"{first.text!r}: its box would lose its area in the coarsest text form"
    return None


def _boxes_of(noun: str, facts: TileFacts) -> list[Box]:
    return [
        label.shape.box
        for label in facts.labels
        if label.kind in {"box", "phrase"} and label.shape and english.singular_noun(label.category) == noun
    ]
