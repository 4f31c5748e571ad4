"""Counts: numbers said of things, exact, approximate and vague ("several", "about 40", "at least three").

The range of the words against the range of the labels. Where a number may be of some of the things alone (an
adjective, a part of the picture, "two of the"), it must only not be too large; several numbers may also be parts of a whole.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks import comparisons
from rsflow.instructions.checks.amounts import Quantity
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import must_be
from rsflow.instructions.checks.tile_knowledge import Amount, Known

SUBJECT = 3  # words into a sentence
_SOME = frozenset(["one", "a pair of", "a couple of", "a few", "few", "a group of", "a handful of", "both"])
_LONE = frozenset(["single", "lone", "solitary", "sole"])  # "a lone ship at the top" may be lone there among others
_TOTAL = re.compile(
    r"\btotal of (\d+) (?:[a-z]+ )?(?:objects|targets|instances|items)\b|\b(\d+) (?:objects|targets|instances|items) in total\b"
)


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    said: dict[tuple[int, str], list[Mention]] = defaultdict(list)
    for mention in talk.mentions:
        if mention.arranged and not (mention.hedged or mention.denied or mention.narrowed):
            amount = known.amount(mention.sense)
            wrong = not mention.arranged.meets(amount.least, amount.most)
            yield Finding(
                "counts", mention.turn, mention.said, f"{mention.sense.word}: {amount}", mention.arranged.words, wrong
            )
        if mention.quantity and not mention.hedged and not (mention.denied and not mention.asked):
            said[mention.turn, mention.sense.word].append(mention)
    for numbers in said.values():
        amount = known.amount(numbers[0].sense)
        if (amount.most or numbers[0].asked) and (amount.least or not math.isinf(amount.most)):
            yield from _compare(known, numbers, amount)
    yield from comparisons.check(known, talk)
    yield from _totals(known, talk)


def _compare(known: Known, numbers: Sequence[Mention], amount: Amount) -> Iterator[Finding]:
    whole = [one for one in numbers if not _some_alone(one)]
    told = any(_exact(one) and _meets(one, amount) for one in whole)
    exact = [one for one in numbers if _exact(one)]
    parts = not told and len(exact) > 1 and _add_up(exact, amount)
    for one in numbers:
        if one.quantity:
            yield from _at_its_place(known, one, one.quantity)
            alone = one not in whole or (_exact(one) and not one.quantity.total and (told or parts))
            wrong = one.quantity.least > amount.most if alone else not _meets(one, amount)
            if one.denied:
                wrong = one.quantity.least <= amount.least and one.quantity.most >= amount.most and not one.narrowed
            yield Finding("counts", one.turn, one.said, f"{one.sense.word}: {amount}", one.quantity.words, wrong)


def _at_its_place(known: Known, one: Mention, number: Quantity) -> Iterator[Finding]:
    """`only one ship in the lower half`: no more than that are plainly there."""
    if (
        number.total
        and _LONE.isdisjoint(number.words.split())
        and one.places
        and one.places[0].how == "some"
        and not (one.narrowed or one.denied)
    ):
        part = one.places[0].part
        there = sum(must_be(known.scaled(thing.box), part) for noun in one.sense.sure for thing in known.of_noun(noun))
        yield Finding("counts", one.turn, one.said, f"{one.sense.word}: {there} there", number.words, there > number.most)


def _meets(one: Mention, amount: Amount) -> bool:
    return one.quantity is not None and one.quantity.meets(amount.least, amount.most)


def _exact(one: Mention) -> bool:
    return one.quantity is not None and one.quantity.least == one.quantity.most


def _add_up(numbers: Sequence[Mention], amount: Amount) -> bool:
    least = sum(one.quantity.least for one in numbers if one.quantity)
    return least <= amount.most and sum(one.quantity.most for one in numbers if one.quantity) >= amount.least


def _some_alone(one: Mention) -> bool:
    """Whether the number may be of some of the things only."""
    number = one.quantity
    in_part = any(place.how == "some" or (number is not None and number.most == 1) for place in one.places)
    # "A pair of ships lies apart", "one ship is moving": as the subject of a sentence, some may be meant.
    opens = one.start <= SUBJECT and number is not None and not number.total and number.words in _SOME and not one.asked
    return one.narrowed or in_part or opens


def _totals(known: Known, talk: Talk) -> Iterator[Finding]:
    """`a total of 12 objects`, where every object is known."""
    groups = known.groups.values()
    if not groups or known.mentioned or known.facts.unknown or not all(group.exact for group in groups):
        return
    total = sum(group.count for group in groups)
    for turn in talk.answers:
        for found in _TOTAL.finditer(talk.lowered[turn]):
            value = int(found[1] or found[2])
            yield Finding("counts", turn, found[0], f"{total} objects", str(value), value != total)
