"""Positions: the part of the picture that things are said to be in.

A claim stands as long as anybody could call the place so (rsflow.instructions.checks.regions) for any object that
may be meant: one of them for "a ship", as many as are said for "two ships", more than a few for "mostly", every one for "all",
the largest for "the largest". Nothing is compared where objects may be there that the labels do not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention, Place
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import Part, may_be
from rsflow.instructions.checks.superlatives import candidates
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.facts.objects import TileObject

MOST = 0.4  # share of the objects from which "mostly" may be said


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for mention in talk.mentions:
        if mention.places and not mention.denied and not mention.hedged and known.all_known(mention.sense):
            things = known.objects(mention.sense)
            if things:
                yield from (_finding(known, mention, place, things) for place in mention.places)


def _finding(known: Known, mention: Mention, place: Place, things: Sequence[TileObject]) -> Finding:
    meant = candidates(things, place.how) if place.how not in {"some", "any", "all", "most"} else things
    there = sum(may_be(known.scaled(thing.box), place.part) for thing in meant)
    needed = place.portion.of(len(meant)) if place.portion else _needed(mention, place.how, len(meant))
    expected = f"{mention.sense.word}: {there} of {len(meant)} there, {_centres(known, meant)}"
    return Finding("positions", mention.turn, mention.said, expected, _said(place.part, place.how), there < needed)


def _needed(mention: Mention, how: str, count: int) -> float:
    """How many must be there for the claim to stand."""
    if how == "all" and not mention.narrowed:
        return count
    if how == "most":
        return max(1, MOST * count)
    if how == "some" and mention.quantity and not (mention.definite and mention.narrowed):
        return max(1, min(mention.quantity.least, count))
    if how == "some" and mention.definite and mention.plural and not mention.narrowed:
        return max(1, MOST * count)
    return 1


def _said(part: Part, how: str) -> str:
    return part.said if how in {"some", "any"} else f"{how}: {part.said}"


def _centres(known: Known, things: Sequence[TileObject]) -> str:
    """Where they are, the first few, in percent of the width and height."""
    boxes = [known.scaled(thing.box) for thing in things[:3]]
    centres = [f"({50 * (x0 + x1):.0f} %, {50 * (y0 + y1):.0f} %)" for x0, y0, x1, y1 in boxes]
    return f"at {', '.join(centres)}{' …' if len(things) > 3 else ''}"
