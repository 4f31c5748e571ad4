"""Presence: that there are none, said or answered, and that there are some, answered to a question.

A denial is wrong where a certain object contradicts it. What is narrowed down ("no ships at the pier") is not
compared, and a denial of a part of the picture is wrong only where an object is plainly within it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import must_be
from rsflow.instructions.checks.tile_knowledge import Known


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for mention in talk.mentions:
        if mention.hedged or (mention.quantity and mention.quantity.least > 0) or not (mention.denied or mention.asked):
            continue
        if mention.denied and not mention.narrowed:
            yield from _denied(known, mention)
        elif not mention.denied and not mention.places:
            amount = known.amount(mention.sense)
            if amount.least or not amount.most:
                expected = f"{mention.sense.word}: {amount}"
                yield Finding("presence", mention.turn, mention.said, expected, "said to be there", not amount.most)


def _denied(known: Known, mention: Mention) -> Iterator[Finding]:
    nouns = (*mention.sense.same, *mention.sense.kinds)
    boxes = [known.scaled(thing.box) for noun in nouns if noun in known.groups for thing in known.groups[noun].objects]
    if mention.places:
        boxes = [box for box in boxes if must_be(box, mention.places[0].part)]
    if boxes or known.closed(mention.sense):
        found = f"denied{f' at the {mention.places[0].part.said}' if mention.places else ''}"
        yield Finding("presence", mention.turn, mention.said, f"{mention.sense.word}: {len(boxes)}", found, bool(boxes))
