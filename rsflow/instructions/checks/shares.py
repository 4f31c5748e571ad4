"""Land-cover shares: "about 40 % water", "two thirds", "mostly", "no water", and what covers most.

One idea: a share is paired with a cover only where the sentence leaves no choice: one of each, or as many of the one as of the
other, in one order. Shares are compared within five points, a seventh of the true share, or what the words leave open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.covers import LITTLE, MOSTLY, Share, lexicon, shares
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.lexicon import Lexicon
from rsflow.instructions.checks.mentions import Mention, mentions
from rsflow.instructions.checks.regions import may_be
from rsflow.instructions.checks.replies import OPENINGS
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.talk import Talk

RELATIVE = 0.15
MOST = 0.4  # what covers less is not "mostly" there
LEAD = 0.05  # by which another cover must be larger to say that this one does not dominate
SMALL = 0.25  # what covers more is no "small part"
THERE, NOT_THERE = 0.05, 0.001  # as in rsflow.instructions.vqa

_LARGEST = re.compile(r"(?:largest|biggest|main) (?:area|patch|expanse|region|part|body|stretch|block|piece)s? of (?:the )?$")
_SHOWN = re.compile(r"\b(?:there (?:is|are)|with|shows?|contains?|includes?|visible|covered|features?|mix of|some|depicts?)\b")
_HOW_MUCH = re.compile(r"\b(?:share|percentage|percent|how much|proportion|fraction)\b")
_WHICH = re.compile(r"\b(?:dominant|main|predominant|covers most|largest (?:part|share)|dominates)\b")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    if not known.covers:
        return
    names = lexicon(tuple(sorted(known.covers)), frozenset(known.lexicon.entries))
    for sentence in talk.sentences:
        found = mentions(sentence, names)
        if found:
            yield from _stated(known, sentence, found)
    for question, answer in talk.pairs:
        yield from _answered(known, question, answer, names)


def _stated(known: Known, sentence: Sentence, found: Sequence[Mention]) -> Iterator[Finding]:
    told = list(shares(sentence))
    affirmed = [mention for mention in found if not (mention.denied or mention.hedged)]
    if told and len(told) == len(affirmed) and not _of_a_part(sentence, affirmed):
        for mention, share in zip(affirmed, told, strict=True):
            yield _share(known, mention.turn, mention.sense.word, share, sentence.said())
    elif not told:
        yield from _vague(known, sentence, found)
    for mention in found:
        if mention.hedged:
            continue
        yield from _placed(known, mention)
        if mention.denied and not mention.narrowed and not mention.places:
            yield _presence(known, mention.turn, mention.sense.word, sentence.said(), False)
        elif not mention.denied and not told and _SHOWN.search(sentence.said(0, mention.start)):
            yield _presence(known, mention.turn, mention.sense.word, sentence.said(), True)


def _of_a_part(sentence: Sentence, found: Sequence[Mention]) -> bool:
    """Whether the share is of the cover itself (`40 % of the vegetation`) and not of the picture."""
    return any(sentence.words[max(0, mention.start - 2) : mention.start] == ("of", "the") for mention in found)


def _share(known: Known, turn: int, name: str, share: Share, said: str) -> Finding:
    true = known.covers[name].share
    slack = max(share.slack, RELATIVE * true)
    off = share.value - true
    wrong = off > slack if share.bound > 0 else -off > slack if share.bound < 0 else abs(off) > slack
    return Finding("shares", turn, said, f"{name}: {true:.0%}", share.said, wrong)


def _vague(known: Known, sentence: Sentence, found: Sequence[Mention]) -> Iterator[Finding]:
    text = sentence.said()
    names = list(dict.fromkeys(mention.sense.word for mention in found))
    if MOSTLY.search(text) and names:
        word = MOSTLY.search(text)
        after = [mention for mention in found if word and sentence.said(0, mention.start).count(word[0])]
        meant = (after or list(found))[0]
        if not (meant.hedged or meant.denied):
            yield _mostly(known, sentence, meant.sense.word)
    elif LITTLE.search(text) and len(names) == 1:
        true = known.covers[names[0]].share
        yield Finding("shares", sentence.turn, text, f"{names[0]}: {true:.0%}", "a small part", true > SMALL)


def _mostly(known: Known, sentence: Sentence, name: str) -> Finding:
    true = known.covers[name].share
    larger = [cover.name for cover in known.covers.values() if cover.share > true + LEAD]
    few = true < MOST and not re.search(r"dominant|dominat|main |principal", sentence.said())
    expected = f"{name}: {true:.0%}{f', {larger[0]}: {known.covers[larger[0]].share:.0%}' if larger else ''}"
    return Finding("shares", sentence.turn, sentence.said(), expected, f"mostly {name}", bool(larger) or few)


def _placed(known: Known, mention: Mention) -> Iterator[Finding]:
    """`the largest area of water lies in the upper left`."""
    region = known.covers[mention.sense.word].region
    if mention.places and region and _LARGEST.search(f"{mention.sentence.said(0, mention.start)} "):
        part = mention.places[0].part
        wrong = not may_be(known.scaled(region), part)
        x0, y0, x1, y1 = known.scaled(region)
        expected = f"its largest area is around ({50 * (x0 + x1):.0f} %, {50 * (y0 + y1):.0f} %)"
        yield Finding("positions", mention.turn, mention.said, expected, part.said, wrong)


def _presence(known: Known, turn: int, name: str, said: str, there: bool) -> Finding:
    true = known.covers[name].share
    wrong = true <= NOT_THERE if there else true >= THERE
    return Finding("shares", turn, said, f"{name}: {true:.1%}", "there" if there else "not there", wrong)


def _answered(known: Known, question: Sequence[Sentence], answer: Sequence[Sentence], names: Lexicon) -> Iterator[Finding]:
    """Short answers: a share, yes or no, or the name of a cover."""
    reply = answer[0]
    for sentence in question:
        found, text = mentions(sentence, names), sentence.said()
        told = list(shares(reply))
        if len(found) == 1 and len(told) == 1 and _HOW_MUCH.search(text) and not mentions(reply, names):
            yield _share(known, reply.turn, found[0].sense.word, told[0], f"{text}? {reply.said()}")
        elif (
            len(found) == 1
            and sentence.words[0] in OPENINGS
            and reply.words[0] in {"yes", "no"}
            and "or" not in _rest(found[0])
        ):
            if not found[0].narrowed and not found[0].places and not shares_or_most(sentence):
                said = f"{text}? {reply.words[0]}"
                yield _presence(known, reply.turn, found[0].sense.word, said, reply.words[0] == "yes")
        elif _WHICH.search(text) and not found:
            named = mentions(reply, names)
            if len(named) == 1 and len(reply.words) <= len(named[0].sense.word.split()) + 3:
                yield _mostly(known, Sentence(reply.turn, (*sentence.words, "?", *reply.words)), named[0].sense.word)


def shares_or_most(sentence: Sentence) -> bool:
    """Whether a question asks about how much, not whether."""
    return bool(list(shares(sentence)) or MOSTLY.search(sentence.said()) or "more" in sentence.words)


def _rest(mention: Mention) -> tuple[str, ...]:
    """The words around a noun, without those of the noun itself ("bare or built-up land")."""
    words = mention.sentence.words
    return (*words[: mention.start], *words[mention.stop :])
