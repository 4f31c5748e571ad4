"""Boxes: those of the instruction lie in the picture, marks point at boxes that exist, and what a mark calls a thing is one.

Numbers first (finite, inside, with an area), then names: a mark's phrase, or the noun of the question that a bare box
answers, against the objects that overlap the box by at least a half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.mentions import mentions
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import may_be
from rsflow.instructions.checks.sentences import sentences
from rsflow.instructions.checks.superlatives import candidates
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.spatial.geometry import Box, Region, bounding_box, iou
from rsflow.text.turns import Mark, marks

EDGE_PX = 0.5  # rounding
SAME = 0.5  # intersection over union


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    boxes = talk.instruction.boxes
    last = len(talk.instruction.turns) - 1
    if boxes:
        faults = [(index, region, fault) for index, region in enumerate(boxes) if (fault := _fault(known, region))]
        said = "; ".join(f"box {index} ({_spelled(region)}): {fault}" for index, region, fault in faults)
        yield Finding("boxes", last, f"{len(boxes)} boxes", "inside the picture", said, bool(faults))
    for turn in talk.answers:
        text = talk.instruction.turns[turn].text
        for found in marks(text) if "[[" in text else []:
            yield from _marked(known, talk, turn, found)


def _fault(known: Known, region: Region) -> str:
    across, down = known.facts.width_px, known.facts.height_px
    if not all(map(math.isfinite, region)):
        return "not a number"
    x0, y0, x1, y1 = bounding_box(region)
    least, right, bottom = -EDGE_PX, across + EDGE_PX, down + EDGE_PX
    if min(x0, x1, y0, y1) < least or max(x0, x1) > right or max(y0, y1) > bottom:
        return f"outside {across} by {down} pixels"
    ordered = len(region) == 8 or (region[0] < region[2] and region[1] < region[3])
    return "" if ordered and x1 > x0 and y1 > y0 else "no area"


def _marked(known: Known, talk: Talk, turn: int, found: Mark) -> Iterator[Finding]:
    boxes = talk.instruction.boxes
    missing = [index for index in found.boxes if index >= len(boxes)]
    if missing:
        yield Finding("boxes", turn, f"mark {found.phrase!r}", f"{len(boxes)} boxes", f"box {missing[0]}", True)
        return
    asked = talk.texts[turn - 1] if not found.phrase and turn and len(marks(talk.instruction.turns[turn].text)) == 1 else ""
    named = [one for sentence in sentences(found.phrase or asked, turn) for one in mentions(sentence, known.lexicon)]
    if len(named) == 1 and known.all_known(named[0].sense) and known.objects(named[0].sense):
        yield _named(known, named[0], turn, found, [bounding_box(boxes[index]) for index in found.boxes])


def _named(known: Known, mention: Mention, turn: int, found: Mark, boxes: list[Box]) -> Finding:
    meant = candidates(known.objects(mention.sense), mention.picked) if len(boxes) == 1 else known.objects(mention.sense)
    if mention.places and len(boxes) == 1:
        meant = [thing for thing in meant if may_be(known.scaled(thing.box), mention.places[0].part)]
    whole = {thing.box for thing in meant}
    astray = [box for box in boxes if box not in whole and not any(iou(box, other) >= SAME for other in whole)]
    counted = mention.quantity
    wrong_number = bool(found.phrase and counted and counted.least == counted.most != len(boxes))
    said = f"{len(boxes)} boxes, {len(astray)} of them on no {mention.sense.word}"
    return Finding("boxes", turn, found.phrase or mention.said, f"{len(meant)} objects", said, bool(astray) or wrong_number)


def _spelled(region: Region) -> str:
    return ", ".join(f"{value:g}" for value in region)
