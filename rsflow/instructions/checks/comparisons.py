"""More and fewer: which kind of thing a text says that there is more of.

Four shapes of one claim, all compared by the ranges of both numbers: "cars outnumber ships", "more cars than ships",
"twice as many cars as ships", and "cars are the most common". Equal numbers are compared only where they are counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rsflow.instructions.checks.english import number
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.mentions import mentions
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.short_answers import OPENINGS
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.wording import english

ABOUT = (0.75, 1.35)  # of the true ratio: what "twice as many" may be said of
_ADVERBS = r"(?:(?:\w+ly|far|much|by far|also|thus|well|still) )*"
_MORE = re.compile(
    rf"(?:(?:is|are) )?{_ADVERBS}(?:outnumber(?:s|ed)?|more (?:numerous|common|frequent|abundant|plentiful|prevalent) than|"
    r"(?:more|greater|larger|higher) in number than)(?: (?:the|those|all))*"
)
_FEWER = re.compile(
    rf"(?:(?:is|are|being) )?{_ADVERBS}(?:outnumbered by|(?:fewer|less numerous|less common|less frequent|rarer|scarcer)"
    r"(?: in number)? than)(?: (?:the|those|all))*"
)
_THAN = re.compile(r"(?:(?:here|visible|present|parked|in (?:this|the) \w+) )?than(?: it does)?(?: there (?:are|is))?(?: the)?")
_LED = re.compile(r"\b(more|fewer|less)$")
_NUMBER = re.compile(r"(?:(?:is|was) )?(larger|greater|higher|smaller|lower) than(?: that of| the number of)?(?: the)?")
_TIMES = re.compile(
    r"(?:(more than|over|at least|less than|under|fewer than) )?(?:(?:about|roughly|approximately|nearly|almost|exactly) )?"
    r"(?:(twice|double|half)|(\w+) times)? ?as many$"
)
_RATIO = re.compile(r"(\w+) to (\w+)\b")
_FACTORS = {"twice": 2.0, "double": 2.0, "half": 0.5}
_RANK = (
    r"the (?:(rarest|scarcest|commonest)|(most|least) (?:numerous|common|frequent|abundant|prevalent|populous))"
    r"((?: \w+){0,3})"
)
_RANKED_BEHIND = re.compile(rf"(?:is|are) {_ADVERBS}{_RANK}")
_RANKED_AHEAD = re.compile(rf"{_RANK}(?: \w+){{0,3}}? (?:is|are)(?: the)?$")
_RANK_ASKED = re.compile(_RANK.removeprefix("the "))
_RANKS = frozenset(["most", "least", "rarest", "scarcest", "commonest"])
_COMPARING = _RANKS | {
    "more",
    "fewer",
    "less",
    "outnumber",
    "outnumbered",
    "than",
    "higher",
    "larger",
    "greater",
    "lower",
    "smaller",
}
_ANY_KIND = frozenset(["object", "category", "class", "type", "item", "feature", "target", "element", "thing", "kind"])


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    stated = [mention for mention in talk.mentions if not mention.asked]
    for mention in stated:
        if not (mention.hedged or mention.denied):
            yield from _ranked(known, mention)
    for one, other in pairwise(stated):
        if one.sentence is other.sentence and not (one.hedged or one.denied or other.denied):
            yield from _times(known, one, other)
            sign = _sign(one, other)
            if sign:
                yield from _compared(known, one, other, sign, one.turn)
    for question, answer in talk.pairs:
        for sentence in question:
            yield from _answered(known, sentence, answer[0])


def _sign(one: Mention, other: Mention) -> int:
    """1 where more of the one are claimed, -1 where fewer are, 0 where neither is."""
    words = one.sentence.words
    front, between = " ".join(words[max(0, one.start - 3) : one.start]), " ".join(words[one.stop : other.start])
    if not one.narrowed and (_MORE.fullmatch(between) or _FEWER.fullmatch(between)):
        return 1 if _MORE.fullmatch(between) else -1
    led = _LED.search(front)
    if led and _THAN.fullmatch(between):
        return 1 if led[1] == "more" else -1
    counted = _NUMBER.fullmatch(between) if front.endswith("number of") else None
    if counted:
        return -1 if counted[1] in {"smaller", "lower"} else 1
    if words[one.stop : other.start] == ("exceed",) and words[other.stop : other.stop + 2] == ("in", "number"):
        return 1
    if between == ", there are more" and {"compared", "than"} & set(words[: one.start]):
        return -1
    return 0


def _compared(known: Known, one: Mention, other: Mention, sign: int, turn: int, affirmed: bool = True) -> Iterator[Finding]:
    left, right = known.amount(one.sense), known.amount(other.sense)
    if math.isinf(left.most + right.most) or set(one.sense.every) & set(other.sense.every):
        return
    if affirmed:
        wrong = left.most <= right.least if sign > 0 else left.least >= right.most
    else:
        wrong = left.least > right.most if sign > 0 else left.most < right.least
    expected = f"{one.sense.word}: {left}, {other.sense.word}: {right}"
    found = f"{'' if affirmed else 'not '}{'more' if sign > 0 else 'fewer'} {one.sense.word}"
    yield Finding("counts", turn, one.sentence.said(), expected, found, wrong)


def _times(known: Known, one: Mention, other: Mention) -> Iterator[Finding]:
    """`twice as many cars as ships`, `cars outnumber ships two to one`."""
    words = one.sentence.words
    between = words[one.stop : other.start]
    led = _TIMES.search(one.sentence.said(0, one.start)) if between in {("as",), ("as", "there", "are")} else None
    ratio = _RATIO.match(other.sentence.said(other.stop)) if between in {("outnumber",), ("outnumbered",)} else None
    if ratio and number(ratio[1]) and number(ratio[2]):
        said, bound = (number(ratio[1]) or 1) / (number(ratio[2]) or 1), ""
    elif led:
        said, bound = _FACTORS.get(led[2], 0) or (number(led[3]) or 0 if led[3] else 1), led[1] or ""
    else:
        return
    left, right = known.amount(one.sense), known.amount(other.sense)
    if said and left.least == left.most and right.least == right.most and right.least:
        true = left.least / right.least
        low, high = ABOUT[0] * true <= said, said <= ABOUT[1] * true
        wrong = not (low if bound in {"less than", "under", "fewer than"} else high if bound else low and high)
        expected = f"{one.sense.word}: {left}, {other.sense.word}: {right}"
        yield Finding("counts", one.turn, one.sentence.said(), expected, f"{said:g} times as many", wrong)


def _ranked(known: Known, mention: Mention) -> Iterator[Finding]:
    text = mention.sentence
    if _RANKS.isdisjoint(text.words):
        return
    found = _RANKED_BEHIND.match(text.said(mention.stop)) or _RANKED_AHEAD.search(text.said(0, mention.start))
    if found:
        yield from _rank(known, mention, _end(found), found[3], mention.turn)


def _end(found: re.Match[str]) -> str:
    return found[2] or ("most" if found[1] == "commonest" else "least")


def _rank(known: Known, mention: Mention, end: str, scope: str, turn: int) -> Iterator[Finding]:
    mine = known.amount(mention.sense)
    nouns = [english.singular_noun(word) for word in scope.split()]
    among = next((noun for noun in nouns if noun in english.HYPONYMS), "") or (
        "object" if not _ANY_KIND.isdisjoint(nouns) else ""
    )
    if math.isinf(mine.most) or not among:
        return
    others = [
        group
        for group in known.groups.values()
        if group.noun not in mention.sense.every and (among == "object" or english.is_kind_of(group.noun, among))
    ]
    if end == "most":
        wrong = any(group.count > mine.most for group in others)
    else:
        wrong = any(group.exact and group.count < mine.least for group in others)
    expected = f"{mention.sense.word}: {mine}, {', '.join(f'{group.noun}: {group.count}' for group in others)}"
    yield Finding("counts", turn, mention.sentence.said(), expected, f"{end} common", wrong)


def _answered(known: Known, asked: Sentence, reply: Sentence) -> Iterator[Finding]:
    """`are there more cars than ships? no`, `which are more numerous, cars or ships? ships`, `the most common object? cars`."""
    if _COMPARING.isdisjoint(asked.words):
        return
    found, named = mentions(asked, known.lexicon), mentions(reply, known.lexicon)
    if len(found) == 2:
        sign = _sign(*found)
        if sign and asked.words[0] in OPENINGS and reply.words[0] in {"yes", "no"}:
            yield from _compared(known, *found, sign, reply.turn, reply.words[0] == "yes")
        way = _more_of(asked.words)
        told = [mention for mention in found if len(named) == 1 and mention.sense == named[0].sense]
        if way and len(told) == 1 and len(reply.words) <= 4:
            yield from _compared(known, named[0], found[told[0] is found[0]], way, reply.turn)
    ranked = _RANK_ASKED.search(asked.said())
    if ranked and len(named) == 1 and asked.words[0] in {"what", "which"} and len(reply.words) <= 4:
        yield from _rank(known, named[0], _end(ranked), ranked[3], reply.turn)


def _more_of(words: Sequence[str]) -> int:
    """Whether a choice ("which", "or") asks for more or for fewer."""
    if words[0] not in {"which", "what"} or "or" not in words:
        return 0
    if "fewer" in words or "less" in words:
        return -1
    return 1 if {"more"} & set(words) and {"numerous", "common", "are", "of"} & set(words) else 0
