"""Short answers as claims: a question read as the statement that "yes", "three" or "upper left" makes true.

The question holds the noun, the answer what is said of it; together they are one mention. Questions with a choice
("or"), with two nouns, or with conditions beside the place are left alone where the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsflow.instructions.checks.amounts import Quantity
from rsflow.instructions.checks.english import IMAGE, SHOWING, THERE, number_before, word_set
from rsflow.instructions.checks.lexicon import Lexicon
from rsflow.instructions.checks.mention import Mention, Place
from rsflow.instructions.checks.mentions import mentions as stated
from rsflow.instructions.checks.negation import denial_ends
from rsflow.instructions.checks.regions import parts
from rsflow.instructions.checks.sentences import Sentence

OPENINGS = word_set("is are does do can could has have did was were")
_WHERE = word_set("where whereabouts")
_WHAT = word_set("where how what which estimate give state tell determine measure")
_RELATIVE = word_set("relative respect relation direction compared from")
_MEANS_YES = frozenset([("it", "does"), ("they", "do"), ("it", "is"), ("they", "are"), ("there", "is"), ("there", "are")])
_MEANS = {"none": "no", "several": "yes", "many": "yes", "some": "yes", "doesn't": "no"}
FRAGMENT = 4  # words of an answer that is no sentence
_PRONOUNS = word_set("it they it's they're")
_NEUTRAL = THERE | IMAGE | SHOWING | word_set("are is do does can you we i one be there would say in")
_SHORT = 7  # words: a longer answer speaks for itself


def resolved(question: Sequence[Sentence], answer: Sequence[Sentence], lexicon: Lexicon) -> Sentence | None:
    """The answer's first sentence with the thing that was asked about in the place of its pronoun: `where is the ship? it is at
    the top`; None where nothing or more than one may be meant."""
    words = answer[0].words
    if words[0] not in _PRONOUNS:
        return None
    asked = _asked(question)
    words = (words[0][:-3], "are", *words[1:]) if words[0] == "they're" else words
    words = ("it", "is", *words[1:]) if words[0] == "it's" else words
    if not asked or not (_WHAT.intersection(asked.words[:1]) or "or" in asked.words):
        return None
    found = stated(asked, lexicon)
    if len(found) != 1 or found[0].hedged or found[0].places:
        return None
    front = (found[0].picked,) if found[0].picked else ()
    noun = asked.words[found[0].start : found[0].stop]
    return Sentence(answer[0].turn, ("the", *front, *noun, *words[1:]))


def mentions(question: Sequence[Sentence], answer: Sequence[Sentence], lexicon: Lexicon) -> Iterator[Mention]:
    """At most one mention: what the answer says of the noun in the question, or the noun that it puts in the asked place."""
    asked, reply = _asked(question), answer[0]
    if not asked:
        return
    yield from _named_there(asked, answer, lexicon)
    found = [replace(one, asked=True) for one in stated(asked, lexicon)]
    if len(found) != 1 or found[0].hedged:
        return
    if asked.words[0] in OPENINGS or asked.words[0] == "any" or asked.words[1:2] == ("there",):
        yield from _yes_or_no(found[0], asked, reply)
    elif fragment(answer, found[0], lexicon):
        yield from _how_many(found[0], asked, reply)
    elif asked and len(answer) == 1 and len(reply.words) <= _SHORT and not stated(reply, lexicon):
        yield from _how_many(found[0], asked, reply)
        yield from _where(found[0], asked, reply)


def _named_there(asked: Sentence, answer: Sequence[Sentence], lexicon: Lexicon) -> Iterator[Mention]:
    """`what lies in the upper left? a ship`."""
    if asked.words[0] != "what" or len(answer) > 1 or len(answer[0].words) > _SHORT:
        return
    told = parts(asked.words)
    if len(told) != 1:
        return
    named = stated(answer[0], lexicon)
    if len(named) == 1 and not (named[0].denied or named[0].hedged or named[0].places) and not stated(asked, lexicon):
        yield replace(named[0], places=(Place(told[0], "some"),), quantity=None, bare=False)


def fragment(answer: Sequence[Sentence], asked: Mention, lexicon: Lexicon) -> bool:
    """Whether the answer is a number with the noun of the question alone: `how many are on the left? two ships`."""
    reply = answer[0]
    named = stated(reply, lexicon) if len(answer) == 1 and len(reply.words) <= FRAGMENT else ()
    return len(named) == 1 and named[0].sense == asked.sense and reply.words[0] not in {"there", "it", "they"}


def narrowed(question: Sequence[Sentence], answer: Sequence[Sentence], lexicon: Lexicon) -> bool:
    """Whether the answer is such a fragment, and the question is about some of the things."""
    asked = _asked(question) if len(answer) == 1 and len(answer[0].words) <= FRAGMENT else None
    found = stated(asked, lexicon) if asked else ()
    if not asked or len(found) != 1 or not fragment(answer, found[0], lexicon):
        return False
    some = "many" in asked.words and not _of_all(asked.words[found[0].stop :])
    return bool(found[0].places or found[0].narrowed or some)


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
    if reply.words[:2] in _MEANS_YES:
        said = "no" if reply.words[2:3] in {("not",), ("none",), ("no",)} else "yes"
    said = _MEANS.get(said, said) if len(reply.words) == 1 or reply.words[1] == "." else said
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
        some = found.narrowed or not _of_all(words[found.stop :])
        yield replace(found, quantity=Quantity(value - slack, value + slack, reply.said()), definite=False, narrowed=some)


def _of_all(words: Sequence[str]) -> bool:
    """Whether nothing behind the noun of a question narrows it down."""
    return denial_ends(words, 0) or _NEUTRAL.issuperset(words)


def _where(found: Mention, asked: Sentence, reply: Sentence) -> Iterator[Mention]:
    words = asked.words
    if _RELATIVE & set(words):
        return
    part_asked = "part" in words and bool({"which", "what"} & set(words))
    told = parts(reply.words)
    if (_WHERE & set(words) or part_asked) and len(told) == 1 and not found.places:
        yield replace(found, places=(Place(told[0], found.picked or "some"),), reply=reply.said())
