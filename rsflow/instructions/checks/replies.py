"""Short answers as claims: a question read as the statement that "yes", "three" or "upper left" makes true.

One idea: the question holds the noun, the answer what is said of it; together they are one mention. Questions with a choice
("or"), with two nouns, or with conditions beside the place are left alone where the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsflow.instructions.checks.denials import denial_ends
from rsflow.instructions.checks.english import number_before, word_set
from rsflow.instructions.checks.lexicon import Lexicon
from rsflow.instructions.checks.mentions import Mention, Place
from rsflow.instructions.checks.mentions import mentions as stated
from rsflow.instructions.checks.quantities import Quantity
from rsflow.instructions.checks.regions import parts
from rsflow.instructions.checks.sentences import Sentence

OPENINGS = word_set("is are does do can could has have did was were")
_WHERE = word_set("where whereabouts")
_RELATIVE = word_set("relative respect relation direction compared from")
_SHORT = 7  # words: a longer answer speaks for itself


def mentions(question: Sequence[Sentence], answer: Sequence[Sentence], lexicon: Lexicon) -> Iterator[Mention]:
    """At most one mention: what the answer says of the noun in the question."""
    asked, reply = _asked(question), answer[0]
    if not asked:
        return
    found = [replace(one, asked=True) for one in stated(asked, lexicon)]
    if len(found) != 1 or found[0].hedged:
        return
    if asked.words[0] in OPENINGS or asked.words[1:2] in {("there",)}:
        yield from _yes_or_no(found[0], asked, reply)
    elif len(answer) == 1 and len(reply.words) <= _SHORT and not stated(reply, lexicon):
        yield from _how_many(found[0], asked, reply)
        yield from _where(found[0], asked, reply)


def _asked(question: Sequence[Sentence]) -> Sentence | None:
    """The sentence that asks: without a hint at the form of the answer, and without the politeness in front of it."""
    for sentence in question:
        words = sentence.words
        if words[0] in {"answer", "please", "look"} and not {"how", "where", "count", "number"} & set(words):
            continue
        if words[0] in {"please", "overall", "now", "and", "so", "then"}:
            words = words[2:] if words[1:2] == (",",) else words[1:]
        if words:
            return Sentence(sentence.turn, words)
    return None


def _yes_or_no(found: Mention, asked: Sentence, reply: Sentence) -> Iterator[Mention]:
    said = reply.words[0]
    if "or" in asked.words or said not in {"yes", "no"} or found.denied:
        return
    if said == "yes":
        yield found
    else:
        yield replace(found, denied=True, narrowed=found.narrowed or not denial_ends(asked.words, found.stop))


def _how_many(found: Mention, asked: Sentence, reply: Sentence) -> Iterator[Mention]:
    words = asked.words
    if not ("many" in words or "number" in words or "count" in words) or {"more", "percentage", "share"} & set(words):
        return
    numbers = [counted for stop in range(len(reply.words), 0, -1) if (counted := number_before(reply.words, stop))]
    if reply.words[0] in {"none", "no"}:
        yield replace(found, denied=True, quantity=None, narrowed=found.narrowed or not denial_ends(words, found.stop))
    elif numbers and parts(reply.words) == []:
        vague = {"about", "around", "approximately", "roughly", "least", "over", "than", "nearly", "almost"} & set(reply.words)
        value = numbers[0][0]
        if value == 0:
            yield replace(found, denied=True, quantity=None, narrowed=found.narrowed or not denial_ends(words, found.stop))
            return
        slack = max(1, 0.15 * value) if vague else 0
        yield replace(found, quantity=Quantity(value - slack, value + slack, reply.said()), definite=False)


def _where(found: Mention, asked: Sentence, reply: Sentence) -> Iterator[Mention]:
    words = asked.words
    if _RELATIVE & set(words):
        return
    part_asked = "part" in words and bool({"which", "what"} & set(words))
    told = parts(reply.words)
    if (_WHERE & set(words) or part_asked) and len(told) == 1 and not found.places:
        yield replace(found, places=(Place(told[0], found.picked or "some"),), reply=reply.said())
