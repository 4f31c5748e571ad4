"""Boxes: those of the instruction lie in the picture, marks point at boxes that exist, and what a mark calls a thing is one.

Numbers first (finite, inside, with an area), then names: a mark's phrase, or the noun of the question that a bare box
answers, against the objects that overlap the box by at least a half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.claims.object_checks import lies_in
from rsflow.instructions.reader import Conversation, TileWords
from rsflow.instructions.reader.objects import find_extreme
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.read_sentence import read_sentence
from rsflow.instructions.reader.parsing.sentences import split_sentences
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Box, Region, bounding_box, iou
from rsflow.text.turns import Mark, marks

EDGE_PX = 0.5  # rounding
SAME = 0.5  # intersection over union


def check(conversation: Conversation) -> Iterator[Finding]:
    boxes, turns = conversation.instruction.boxes, conversation.instruction.turns
    if boxes:
        facts = conversation.tile.facts
        faults = [(index, region, fault) for index, region in enumerate(boxes) if (fault := _box_fault(facts, region))]
        found = "; ".join(f"box {index} ({_format_region(region)}): {fault}" for index, region, fault in faults)
        yield Finding("boxes", len(turns) - 1, f"{len(boxes)} boxes", "inside the picture", found, bool(faults))
    for turn in conversation.answers:
        for mark in marks(turns[turn].text) if "[[" in turns[turn].text else []:
            yield from _check_mark(conversation, turn, mark)


def _box_fault(facts: TileFacts, region: Region) -> str:
    if not all(map(math.isfinite, region)):
        return "not a number"
    x0, y0, x1, y1 = bounding_box(region)
    least, right, bottom = -EDGE_PX, facts.width_px + EDGE_PX, facts.height_px + EDGE_PX
    if min(x0, x1, y0, y1) < least or max(x0, x1) > right or max(y0, y1) > bottom:
        return f"outside {facts.width_px} by {facts.height_px} pixels"
    is_ordered = len(region) == 8 or (region[0] < region[2] and region[1] < region[3])
    return "" if is_ordered and x1 > x0 and y1 > y0 else "no area"


def _check_mark(conversation: Conversation, turn: int, mark: Mark) -> Iterator[Finding]:
    boxes, tile = conversation.instruction.boxes, conversation.tile
    missing = [index for index in mark.boxes if index >= len(boxes)]
    if missing:
        yield Finding("boxes", turn, f"mark {mark.phrase!r}", f"{len(boxes)} boxes", f"box {missing[0]}", True)
        return
    is_only = len(marks(conversation.instruction.turns[turn].text)) == 1
    phrase = mark.phrase or (conversation.question_of(turn) if is_only else "")
    named = [one for sentence in split_sentences(phrase, turn) for one in read_sentence(sentence.words, tile).mentions]
    if len(named) == 1 and tile.claims.is_counted(named[0].noun) and tile.numbers_of(named[0].noun):
        yield _check_name(tile, named[0], turn, mark, [bounding_box(boxes[index]) for index in mark.boxes])


def _check_name(tile: TileWords, mention: Mention, turn: int, mark: Mark, boxes: list[Box]) -> Finding:
    objects = {tile.claims.by_number[number].object.box for number in _meant(tile, mention, len(boxes) == 1)}
    astray = [box for box in boxes if box not in objects and not any(iou(box, other) >= SAME for other in objects)]
    quantity = mention.quantity
    is_wrong_number = bool(mark.phrase and quantity and not quantity.at_least and quantity.value != len(boxes))
    found = f"{len(boxes)} boxes, {len(astray)} of them on no {mention.noun}"
    return Finding(
        "boxes", turn, mark.phrase or mention.noun, f"{len(objects)} objects", found, bool(astray) or is_wrong_number
    )


def _meant(tile: TileWords, mention: Mention, is_one: bool) -> list[int]:
    """The numbers of the objects that a phrase may point at: at its place, and the largest where it says so."""
    numbers = list(tile.numbers_of(mention.noun))
    if is_one and mention.superlative and (extreme := find_extreme(mention, tile)) is not None:
        return [extreme]
    if is_one and mention.place:
        place, tolerance, claims = mention.place.name, mention.place.tolerance, tile.claims
        return [n for n in numbers if lies_in(claims.by_number[n].object, place, claims, tolerance) is not False]
    return numbers


def _format_region(region: Region) -> str:
    return ", ".join(f"{value:g}" for value in region)
