"""Relations: one kind of thing left of, right of, above or below another in the picture.

A claim stands as long as any two objects that may be meant stand in it by their centres; a denial is wrong where all of the
one are plainly so to all of the other (rsflow.instructions.wording.positions). "North of" is not compared: nothing known of a
tile says which way is north. "Near" and "beside" have no measure and are not compared either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rsflow.instructions.checks.english import AUXILIARY, CONJUNCTIONS, PREPOSITIONS, SHOWING, word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.mentions import mentions
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.quantities import ADJECTIVES
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.short_answers import OPENINGS
from rsflow.instructions.checks.superlatives import candidates
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.facts.objects import TileObject
from rsflow.instructions.wording import positions as places

SHORT = 6  # words of an answer to a choice
AWAY = 8  # words between two nouns of one relation
SLACK = 0.01  # of a side: how far a centre may be on the wrong side
_LEAD = (
    r"(?:(?:,|is|are|was|were|be|being|lies?|lying|sits?|sitting|stands?|standing|appears?|that|which|and|it|both|all|can|"
    r"(?:seen|viewed) from above|located|arranged|"
    r"positioned|situated|placed|set|found|seen|spotted|observed|visible|docked|moored|anchored|parked|sails|sailing|"
    "floats|floating|cruising|just|somewhat|a|bit|"
    r"little|"
    r"further|far|well|off|in|the|image|picture|scene|to|on|towards?|its?|\w+ly) ){0,12}"
)
_WAY = re.compile(
    rf"{_LEAD}(?:(?P<also>above|below|beneath) and (?:slightly |just |further )?(?:to the )?)?"
    r"(?:(?P<across>left|right)(?: hand)?(?: side)? of|(?P<down>above|below|beneath))(?P<rest>(?: \w+)*)"
)
_MEASURE = re.compile(
    r"^(?:, )?(?:of |is |measures |measuring |with a length of )?(?:about |roughly |around |approximately )?\d[\d.,]*(?: \w+)?"
    r"(?: (?:by|x|×) \d[\d.,]*)? (?:m|met(?:re|er)s?|km)(?: (?:long|wide|across|in (?:length|size)))?(?: ,| and)? "
)
_HEAP = re.compile(r" (?:\w+ ){0,2}(?:rows?|lines?|groups?|clusters?|pair|set) of( the| \w+)?$")
_EITHER = re.compile(
    r"\b(left|right) or (?:to the )?(?:left|right)(?: side)? of\b|\b(above|below|beneath) or (?:above|below|beneath)\b"
)
_TOLD = re.compile(rf"{_LEAD}(?:(left|right)(?: hand)?(?: side)?|(above|below|beneath))$")
_AHEAD = re.compile(
    r"(?:^|, )(?:just |directly )?(?:(?:to|on) the (left|right)(?: side)? of|(above|below|beneath)) (?:the|a|an|all)(?: \w+)?$"
)
_ANSWER = re.compile(r"\b(left|right|above|below|beneath)\b")
_FROM = word_set("to from with of")
_OTHER_PHRASE = AUXILIARY | PREPOSITIONS | CONJUNCTIONS | SHOWING | {"not", "no"}
_FLYING = word_set("flying hovering passing crossing over suspended elevated")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    stated = [mention for mention in talk.mentions if not mention.asked]
    for one, other in pairwise(stated):
        if one.sentence is other.sentence and not (one.denied or one.hedged or other.hedged):
            ways = _between(one, other)
            seen = "" if ways or not _seen_from(one) else _behind(other)
            front = _front(one, other)
            if front:
                yield from _compare(known, other, one, front, one.turn, True)
            elif ways:
                for way in ways:
                    yield from _compare(known, one, other, way, one.turn, True)
            elif seen:
                yield from _compare(known, other, one, seen, one.turn, True)
    for question, answer in talk.pairs:
        yield from _asked(known, question, answer[0])


def _asked(known: Known, question: Sequence[Sentence], reply: Sentence) -> Iterator[Finding]:
    for sentence in question:
        found = mentions(sentence, known.lexicon)
        if len(found) == 2:
            one, other = found
            ways = _between(one, other)
            if len(ways) == 1 and sentence.words[0] in OPENINGS and reply.words[0] in {"yes", "no"}:
                yield from _compare(known, one, other, ways[0], reply.turn, reply.words[0] == "yes")
            told = _ANSWER.search(reply.said())
            choice = _EITHER.search(sentence.said(one.stop, other.start))
            if choice and told and len(reply.words) <= SHORT:
                yield from _compare(known, one, other, told[1], reply.turn, True)
            elif not ways and told and not mentions(reply, known.lexicon):
                subject, seen_from = (other, one) if _seen_from(one) else (one, other)
                if _seen_from(seen_from):
                    yield from _compare(known, subject, seen_from, told[1], reply.turn, True)


def _between(one: Mention, other: Mention) -> tuple[str, ...]:
    """The relation that the words between two mentions say, or two of them: `above and to the left of`."""
    between = one.sentence.words[one.stop : other.start]
    found = _WAY.fullmatch(_MEASURE.sub("", " ".join(between), count=1)) if not _FLYING & set(between) else None
    if not found or not _before_a_noun(found["rest"]):
        return ()
    return tuple(way for way in (found["also"], found["across"] or found["down"]) if way)


def _before_a_noun(text: str) -> bool:
    """Whether the words can stand between a relation and its noun: an article, numbers, adjectives, "the rows of"."""
    words = _HEAP.sub("", text).split()
    return len(words) <= ADJECTIVES and not any(word in _OTHER_PHRASE for word in words)


def _front(one: Mention, other: Mention) -> str:
    """The direction before the first noun: `to the left of the bridge, there are ships`."""
    words = one.sentence.words
    if words[one.stop : one.stop + 1] != (",",) or other.start - one.stop > AWAY:
        return ""
    found = _AHEAD.search(one.sentence.said(0, one.start))
    return (found[1] or found[2]) if found else ""


def _behind(mention: Mention) -> str:
    """The direction after the second noun: `relative to the bridge, the ships are to the left`."""
    found = _TOLD.match(mention.sentence.said(mention.stop))
    return (found[1] or found[2]) if found else ""


def _seen_from(mention: Mention) -> bool:
    """Whether a question asks from here: `relative to the bridge`, `seen from the ships`, `compared with the car`."""
    before = [
        word for word in mention.sentence.words[max(0, mention.start - 3) : mention.start] if word not in {"the", "largest"}
    ]
    return (bool(before) and before[-1] in _FROM and mention.sentence.words[0] != "what") or before[-2:] in (
        ["respect", "to"],
        ["relative", "to"],
        ["relation", "to"],
    )


def _compare(known: Known, one: Mention, other: Mention, way: str, turn: int, affirmed: bool) -> Iterator[Finding]:
    if one.sense == other.sense or not (known.all_known(one.sense) and known.all_known(other.sense)):
        return
    subjects = candidates(known.objects(one.sense), one.picked)
    objects = candidates(known.objects(other.sense), other.picked)
    if subjects and objects:
        way = "below" if way == "beneath" else way
        if affirmed:
            wrong = not any(_so(known, a, b, way) for a in subjects for b in objects)
        else:
            wrong = all(_plainly(known, a, b) == way for a in subjects for b in objects)
        claim = f"{one.sense.word} {'' if affirmed else 'not '}{way} {other.sense.word}"
        expected = (
            f"{len(subjects)} {one.sense.word}, {len(objects)} {other.sense.word}: {'not ' if wrong else ''}so by their boxes"
        )
        yield Finding("relations", turn, one.sentence.said(), expected, claim, wrong)


def _so(known: Known, one: TileObject, other: TileObject, way: str) -> bool:
    a, b = known.scaled(one.box), known.scaled(other.box)
    axis = 0 if way in {"left", "right"} else 1
    ahead = (b[axis] + b[axis + 2] - a[axis] - a[axis + 2]) / 2
    return (ahead if way in {"left", "above"} else -ahead) > -SLACK


def _plainly(known: Known, one: TileObject, other: TileObject) -> str | None:
    return places.direction(one.box, other.box, known.facts.height_px, known.facts.width_px)
