"""Land-cover shares: "about 40 % water", "two thirds", "mostly", "no water", and what covers most.

A share is paired with a cover only where the sentence leaves no choice: one of each, or as many of the one as of the
other, in one order. Shares are compared within five points, a seventh of the true share, or what the words leave open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rsflow.instructions.checks.covers import LEAST, LITTLE, MOSTLY, Share, lexicon, shares
from rsflow.instructions.checks.english import CONJUNCTIONS, PREPOSITIONS, PRONOUNS, number, word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.lexicon import Lexicon
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.mentions import mentions
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import may_be
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.short_answers import OPENINGS
from rsflow.instructions.checks.tile_knowledge import Known

RELATIVE = 0.15
MOST = 0.4  # what covers less is not "mostly" there
LEAD = 0.05  # by which another cover must be larger to say that this one does not dominate
SMALL = 0.25  # what covers more is no "small part"
BETWEEN = 8  # words between two covers that are compared
EXACT = 0.05  # points either side of a number without a unit
THERE, NOT_THERE = 0.05, 0.001  # as in rsflow.instructions.vqa

_LARGER = word_set("more larger greater bigger wider")
_SMALLER = word_set("less smaller fewer")
_ROUGHLY = r"(?:(?:about|around|roughly|approximately|nearly|almost|over|under|some|more than|less than|just|only|a|the) ?)*"
_AFTER_COVER = re.compile(
    r"(?:\(|:|–)?(?:(?:which |that )?(?:is|are|covers?|covering|occup\w+|accounts? for|accounting for|makes? up|takes? "
    "up|at|with) )?"
    rf"{_ROUGHLY}"
)
_BEFORE_COVER = re.compile(
    r"%?(?: ?of)?(?: ?(?:of )?(?:the |this )?(?:image|scene|picture|tile|area|frame|it))? ?(?:(?:is|are|being|covered "
    "(?:by|with|in)) ?)?"
)
_COVERING = word_set(
    "cover covers covering occupy occupies occupying accounting accounts account make makes making take takes taking comprising"
    " comprises comprise constitutes constituting"
)
_NO_NOUN = PREPOSITIONS | PRONOUNS | CONJUNCTIONS | word_set("the a an together alone")
_OF_ITSELF = re.compile(r"\b(?:most|majority|bulk|part) of (?:the |these |this )?$")
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
            if _of_another(sentence.words[mention.stop : share.at]):
                continue
            yield _share(known, mention.turn, mention.sense.word, share, sentence.said())
    elif told and affirmed:
        paired = list(_beside(affirmed, told))
        for mention, share in paired:
            yield _share(known, mention.turn, mention.sense.word, share, sentence.said())
        rest = [mention for mention in affirmed if all(mention is not other for other, _ in paired)]
        if paired and rest and MOSTLY.search(sentence.said()):
            yield from _vague(known, sentence, rest)
    elif not told:
        yield from _vague(known, sentence, found)
        for one, other in pairwise(found):
            if not one.hedged and not one.denied and (sign := _sign(one, other)):
                yield _compared(known, one, other, sign, sentence.turn, True)
    for mention in found:
        if mention.hedged:
            continue
        yield from _placed(known, mention)
        if mention.denied and not mention.narrowed and not mention.places:
            yield _presence(known, mention.turn, mention.sense.word, sentence.said(), False)
        elif not mention.denied and not told and _SHOWN.search(sentence.said(0, mention.start)):
            yield _presence(known, mention.turn, mention.sense.word, sentence.said(), True)


def _beside(found: Sequence[Mention], told: Sequence[Share]) -> Iterator[tuple[Mention, Share]]:
    """Covers with a share in brackets behind them or right in front: `water ( 40 % )`, `40 % water`, `a third is water`."""
    for mention in found:
        words = mention.sentence.words
        for share in told:
            ahead = _AFTER_COVER.fullmatch(" ".join(words[mention.stop : share.at]))
            behind = share.at + 2 <= mention.start and _BEFORE_COVER.fullmatch(" ".join(words[share.at + 2 : mention.start]))
            if (ahead and share.at >= mention.stop) or behind:
                yield mention, share


def _sign(one: Mention, other: Mention) -> int:
    """1 where the first is said to cover more, -1 where less, 0 where neither."""
    words = one.sentence.words[one.stop : other.start]
    led = one.sentence.words[one.start - 1 : one.start]
    if words in {("than",), ("than", "there", "is")} and led in {("more",), ("less",)}:
        return 1 if led == ("more",) else -1
    if len(words) > BETWEEN or "not" in words or not words or words[-1] not in {"than", "the", "as", "exceeds"}:
        return 0
    if "exceeds" in words or ("times" in words and "as" in words) or "twice" in words:
        return 1
    signs = [1 if word in _LARGER else -1 for word in words if word in _LARGER | _SMALLER]
    return signs[0] if len(signs) == 1 and "than" in words[-2:] else 0


def _compared(known: Known, one: Mention, other: Mention, sign: int, turn: int, affirmed: bool) -> Finding:
    left, right = known.covers[one.sense.word], known.covers[other.sense.word]
    ahead = sign * (left.share - right.share)
    wrong = ahead <= -LEAD if affirmed else ahead >= LEAD
    expected = f"{left.name}: {left.share:.0%}, {right.name}: {right.share:.0%}"
    found = f"{'' if affirmed else 'not '}{'more' if sign > 0 else 'less'} {left.name}"
    return Finding("shares", turn, one.sentence.said(), expected, found, wrong)


def _of_another(between: Sequence[str]) -> bool:
    """Whether a share is said of a noun between the cover and it: `mostly paved, with grass covering 38 %`."""
    if "," not in between:
        return False
    last = between[len(between) - 1 - tuple(reversed(between)).index(",") + 1 :]
    verb = next((at for at, word in enumerate(last) if word in _COVERING), 0)
    return any(word not in _NO_NOUN for word in last[:verb])


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
        if after and "," in text[word.end() if word else 0 :].split(sentence.said(after[0].start, after[0].stop))[0]:
            return  # "mostly rural, with some woodland"
        meant = (after or list(found))[0]
        if _OF_ITSELF.search(f"{sentence.said(0, meant.start)} "):
            return  # "most of the trees stand alone"
        if not (meant.hedged or meant.denied):
            yield _mostly(known, sentence, meant.sense.word)
    elif LEAST.search(text) and len(names) == 1 and len(known.covers) > 1:
        smaller = [cover.name for cover in known.covers.values() if cover.share < known.covers[names[0]].share - LEAD]
        expected = f"{names[0]}: {known.covers[names[0]].share:.0%}{f', less: {smaller[0]}' if smaller else ''}"
        yield Finding("shares", sentence.turn, text, expected, f"least {names[0]}", bool(smaller))
    elif LITTLE.search(text) and len(names) == 1:
        true = known.covers[names[0]].share
        yield Finding("shares", sentence.turn, text, f"{names[0]}: {true:.0%}", "a small part", true > SMALL)


def _mostly(known: Known, sentence: Sentence, name: str) -> Finding:
    true = known.covers[name].share
    larger = [cover.name for cover in known.covers.values() if cover.share > true + LEAD]
    few = true < MOST and not re.search(r"dominant|dominat|main |principal|extensive|widespread|largest", sentence.said())
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
        if "percentage" in sentence.words and len(reply.words) == 1 and (value := number(reply.words[0])):
            told = [Share(0, value / 100, EXACT, 0, reply.words[0])]
        if len(found) == 2:
            yield from _choice(known, sentence, found, reply, mentions(reply, names))
        if len(found) == 1 and sentence.words[0] in OPENINGS and len(asked := list(shares(sentence))) == 1:
            yield from _bounded(known, sentence, found[0], asked[0], reply)
        if len(found) == 1 and len(told) == 1 and _HOW_MUCH.search(text) and not mentions(reply, names):
            yield _share(known, reply.turn, found[0].sense.word, told[0], f"{text}? {reply.said()}")
        elif (
            len(found) == 1
            and sentence.words[0] in OPENINGS
            and reply.words[0] in {"yes", "no"}
            and "or" not in _rest(found[0])
        ):
            if MOSTLY.search(text) and not list(shares(sentence)) and "more" not in sentence.words:
                yield from _dominant(known, sentence, found[0], reply)
            elif not found[0].narrowed and not found[0].places and not shares_or_most(sentence):
                said = f"{text}? {reply.words[0]}"
                yield _presence(known, reply.turn, found[0].sense.word, said, reply.words[0] == "yes")
        elif _WHICH.search(text) and not found:
            named = mentions(reply, names)
            if len(named) == 1 and len(reply.words) <= len(named[0].sense.word.split()) + 3:
                yield _mostly(known, Sentence(reply.turn, (*sentence.words, "?", *reply.words)), named[0].sense.word)


def _choice(
    known: Known, asked: Sentence, found: Sequence[Mention], reply: Sentence, named: Sequence[Mention]
) -> Iterator[Finding]:
    """`is there more water than vegetation? no`, `which covers more, water or vegetation? water`."""
    sign = _sign(found[0], found[1])
    if sign and asked.words[0] in OPENINGS and reply.words[0] in {"yes", "no"}:
        yield _compared(known, found[0], found[1], sign, reply.turn, reply.words[0] == "yes")
    signs = [1 if word in _LARGER else -1 for word in asked.words if word in _LARGER | _SMALLER]
    if len(signs) == 1 and "or" in asked.words and asked.words[0] in {"which", "what"} and len(named) == 1:
        other = [mention for mention in found if mention.sense != named[0].sense]
        if len(other) == 1 and len(reply.words) <= len(named[0].sense.word.split()) + 3:
            yield _compared(known, named[0], other[0], signs[0], reply.turn, True)


def _bounded(known: Known, asked: Sentence, mention: Mention, share: Share, reply: Sentence) -> Iterator[Finding]:
    """`is more than half of it water? no`."""
    true = known.covers[mention.sense.word].share
    if share.bound and reply.words[0] in {"yes", "no"}:
        over = (share.bound > 0) == (reply.words[0] == "yes")
        wrong = true < share.value - share.slack if over else true > share.value + share.slack
        said = f"{asked.said()}? {reply.words[0]}"
        yield Finding("shares", reply.turn, said, f"{mention.sense.word}: {true:.0%}", share.said, wrong)


def _dominant(known: Known, asked: Sentence, mention: Mention, reply: Sentence) -> Iterator[Finding]:
    """`is water the dominant cover? no`."""
    name = mention.sense.word
    if reply.words[0] == "yes":
        yield _mostly(known, Sentence(reply.turn, (*asked.words, "?", *reply.words)), name)
    else:
        true = known.covers[name].share
        ahead = true >= 0.5 and all(true >= cover.share + LEAD for cover in known.covers.values() if cover.name != name)
        yield Finding("shares", reply.turn, f"{asked.said()}? no", f"{name}: {true:.0%}", f"not mostly {name}", ahead)


def shares_or_most(sentence: Sentence) -> bool:
    """Whether a question asks about how much, not whether."""
    return bool(list(shares(sentence)) or MOSTLY.search(sentence.said()) or "more" in sentence.words)


def _rest(mention: Mention) -> tuple[str, ...]:
    """The words around a noun, without those of the noun itself ("bare or built-up land")."""
    words = mention.sentence.words
    return (*words[: mention.start], *words[mention.stop :])
