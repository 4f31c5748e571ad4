"""Counts: numbers said of things, exact, approximate and vague ("several", "about 40", "at least three").

One idea: the range of the words against the range of the labels. Where a number may be of some of the things alone (an
adjective, a part of the picture, "two of the"), it must only not be too large; several numbers may also be parts of a whole.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Amount, Known
from rsflow.instructions.checks.mentions import Mention
from rsflow.instructions.checks.talk import Talk

SUBJECT = 3  # words into a sentence
_SOME = frozenset(["one", "a pair of", "a couple of", "a few", "few", "a group of", "a handful of", "both"])
_THAN = frozenset([("than",), ("than", "it", "does"), ("than", "there", "are")])
_COMPARED = frozenset(["compared", "than"])
_TOTAL = re.compile(
    r"\btotal of (\d+) (?:[a-z]+ )?(?:objects|targets|instances|items)\b|\b(\d+) (?:objects|targets|instances|items) in total\b"
)


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    said: dict[tuple[int, str], list[Mention]] = defaultdict(list)
    for mention in talk.mentions:
        if mention.quantity and not mention.hedged and not (mention.denied and not mention.asked):
            said[mention.turn, mention.sense.word].append(mention)
    for numbers in said.values():
        amount = known.amount(numbers[0].sense)
        if (amount.most or numbers[0].asked) and (amount.least or not math.isinf(amount.most)):
            yield from _compare(numbers, amount)
    yield from _more_or_fewer(known, talk)
    yield from _totals(known, talk)


def _compare(numbers: Sequence[Mention], amount: Amount) -> Iterator[Finding]:
    whole = [one for one in numbers if not _some_alone(one)]
    told = any(_exact(one) and _meets(one, amount) for one in whole)
    exact = [one for one in numbers if _exact(one)]
    parts = not told and len(exact) > 1 and _add_up(exact, amount)
    for one in numbers:
        if one.quantity:
            alone = one not in whole or (_exact(one) and not one.quantity.total and (told or parts))
            wrong = one.quantity.least > amount.most if alone else not _meets(one, amount)
            if one.denied:
                wrong = one.quantity.least <= amount.least and one.quantity.most >= amount.most and not one.narrowed
            yield Finding("counts", one.turn, one.said, f"{one.sense.word}: {amount}", one.quantity.words, wrong)


def _meets(one: Mention, amount: Amount) -> bool:
    return one.quantity is not None and one.quantity.meets(amount.least, amount.most)


def _exact(one: Mention) -> bool:
    return one.quantity is not None and one.quantity.least == one.quantity.most


def _add_up(numbers: Sequence[Mention], amount: Amount) -> bool:
    least = sum(one.quantity.least for one in numbers if one.quantity)
    return least <= amount.most and sum(one.quantity.most for one in numbers if one.quantity) >= amount.least


def _some_alone(one: Mention) -> bool:
    """Whether the number may be of some of the things only."""
    in_part = any(place.how == "some" for place in one.places)
    number = one.quantity
    # "A pair of ships lies apart", "one ship is moving": as the subject of a sentence, some may be meant.
    opens = one.start <= SUBJECT and number is not None and not number.total and number.words in _SOME and not one.asked
    return one.narrowed or in_part or opens


def _more_or_fewer(known: Known, talk: Talk) -> Iterator[Finding]:
    """`more cars than ships`, `cars outnumber ships`."""
    for one, other in zip(talk.mentions, talk.mentions[1:], strict=False):
        if one.sentence is not other.sentence or one.hedged:
            continue
        words = one.sentence.words
        between, before = words[one.stop : other.start], words[max(0, one.start - 1) : one.start]
        sign = (between[:1] == ("outnumber",)) + (between in _THAN and before == ("more",))
        sign -= between in _THAN and before == ("fewer",)
        sign += between[:1] == ("exceed",) and other.sentence.words[other.stop : other.stop + 2] == ("in", "number")
        sign -= _COMPARED.isdisjoint(words[: one.start]) is False and between == (",", "there", "are", "more")
        numbered = one.sentence.words[max(0, one.start - 2) : one.start] == ("number", "of")
        sign += numbered and between in {("is", size, "than", "that", "of") for size in ("larger", "greater", "higher")}
        sign += between in {("are", "more", "numerous", "than"), ("are", "more", "common", "than")}
        if sign and not (one.narrowed and before not in {("more",), ("fewer",)}):
            left, right = known.amount(one.sense), known.amount(other.sense)
            if math.isinf(left.most + right.most):
                continue
            wrong = left.most <= right.least if sign > 0 else left.least >= right.most
            expected = f"{one.sense.word}: {left}, {other.sense.word}: {right}"
            yield Finding("counts", one.turn, one.sentence.said(one.start - 1, other.stop), expected, " ".join(between), wrong)


def _totals(known: Known, talk: Talk) -> Iterator[Finding]:
    """`a total of 12 objects`, where every object is known."""
    groups = known.groups.values()
    if not groups or known.mentioned or not all(group.exact for group in groups):
        return
    total = sum(group.count for group in groups)
    for turn in talk.answers:
        for found in _TOTAL.finditer(talk.lowered[turn]):
            value = int(found[1] or found[2])
            yield Finding("counts", turn, found[0], f"{total} objects", str(value), value != total)
