"""Whether a sentence says that there are things, that there are none, or neither.

Three answers. A negation that is understood makes a denial; one that is near and not understood leaves the claim
open, and an open claim is compared with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rsflow.instructions.checks.english import BE, BREAKS, IMAGE, PREPOSITIONS, SHOWING, THERE, word_set
from rsflow.instructions.checks.regions import parts

Stance = Literal["said", "denied", "open"]

_NOT = r"(?:not|cannot|never|\w+n't)"
_SHOW = "|".join(sorted(SHOWING))
_FRONT = re.compile(
    r"(?:without|lacks?|lacking|nor|neither|never|minus|zero)$"
    r"|\bnor (?:is|are|do|does|did|can|could)(?: (?:there|one|we|it|i|they))?(?: \w+){0,2}$"
    r"|(?:absence|lack|lacking|devoid|void|empty|free|clear|bereft|absent) (?:of|from)$"
    r"|\bno (?:visible |clear |apparent |discernible )?(?:signs?|traces?|evidence|indications?|instances?|hint|presence|"
    r"examples?) of$"
    rf"|\bneither .* nor .*(?:{_SHOW})$"
    rf"|{_NOT} (?:\w+ly |be |appear to |seem to |to |even )*(?:{_SHOW})$"
    r"|there (?:isn't|aren't|wasn't|weren't|is not|are not|is never)(?: even)?$"
    r"|there (?:does not|do not|doesn't|don't) (?:appear|seem) to be$"
    r"|(?:in vain for|nowhere (?:\w+ )*(?:do|does|is|are|can)|fails? to (?:show|contain|include|reveal|depict))$"
    r"|none of (?:the|these|those) \w+ (?:is|are|shows?|represents?)$"
)
_BEHIND = re.compile(
    r"(?:(?:is|are|was|were|seems?|appears?|remains?) )?(?:to be )?(?:\w+ly )?(?:nowhere|absent|missing|lacking|not there)\b"
    rf"|(?:is|are|was|were|do|does|did|can|could) not (?:\w+ly )?(?:be |to be )?(?:{'|'.join(sorted(THERE))}|part of|among|"
    rf"figure|feature)\b"
    rf"|(?:isn't|aren't|wasn't|weren't|don't|doesn't|can't|couldn't|cannot) (?:\w+ly )?(?:be |"
    rf"to be )?(?:{'|'.join(sorted(THERE))})\b"
    r"|(?:(?:is|are|was|were|do|does) not|isn't|aren't|don't|doesn't)$"
)
_SITE = re.compile(
    r"\b(?:(?:in|at|on|within|across) )?this (?!(?:corner|part|half|side|region|section|quadrant|zone|edge|row|third|end)\b)\w+"
)
_SOME_OF = word_set("most some many few half several not")
_WHOLE = IMAGE | word_set("it this that site we they place complex facility city town port airport")
_LYING = PREPOSITIONS | word_set("lie lies lying sit sits stand stands located positioned situated placed")
_TIMES = word_set("point time place part stage way")
_ENDING = PREPOSITIONS - {"of", "from"}
_FAINT = re.compile(
    r"\bnot (?:hard|difficult|far|only|too|very|so|quite|all|easy|easily|alike|identical|evenly|overlap|touch)\b"
)
_NONE = re.compile(r"(?:[:,(=–—] ?)(?:there (?:is|are|was|were) )?(?:none|zero|nil|0)\b(?! of)")
_NEGATIVE = word_set(
    "no not without lacks lack lacking absence absent devoid void neither nor never none nowhere missing cannot"
)
_NEGATIVE |= word_set("hardly barely scarcely minus free zero empty bereft")
_NEGATIVE |= word_set("vain fails fail")
_SHORTENED = word_set("isn't aren't wasn't weren't don't doesn't didn't can't couldn't won't hasn't haven't hadn't wouldn't")
_NEGATIVE |= _SHORTENED
_LATE = word_set("not nowhere absent missing lacking cannot never") | _SHORTENED


def stance(words: Sequence[str], since: int, start: int, stop: int, until: int) -> Stance:
    """What is said of the noun at words `start` to `stop`, its determiner and number included; the statement reaches from
    `since` to `until`."""
    front, behind = words[since:start], _up_to_comma(words[stop:until])
    if _NONE.match(" ".join(words[stop : stop + 5])):
        return "denied"
    front = _past_another(front)
    early, late = not _NEGATIVE.isdisjoint(front), not _LATE.isdisjoint(behind)
    if late and _FAINT.search(" ".join(behind)):
        late = False  # "not hard to find" denies nothing
    if not early and not late:
        return "said"
    if early and (front[0] in _SOME_OF or (front[-1] in {"have", "has"} and _WHOLE.isdisjoint(front))):
        return "open"  # "most houses do not have a pool"
    if early and "only" in front:
        return "said" if front[front.index("only") - 1] == "not" else "open"
    if (early and _FRONT.search(" ".join(front))) or (late and not early and _BEHIND.match(" ".join(behind))):
        return "denied"
    return "open"


def _past_another(front: Sequence[str]) -> Sequence[str]:
    """Without a "no" that belongs to another noun, which a preposition ends: `no trees in an area of`."""
    if "no" in front:
        at = len(front) - 1 - tuple(reversed(front)).index("no")
        if front[at + 1 : at + 2] and front[at + 1] in _TIMES:
            return front  # "at no point" is of the whole statement
        ends = [index for index in range(at + 2, len(front)) if front[index] in _ENDING]
        return front[ends[0] :] if ends else front
    return front


def _up_to_comma(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index(",")] if "," in words else words


def denial_ends(words: Sequence[str], stop: int) -> bool:
    """Whether nothing narrows down what is denied: `no ships`, `no ships are visible in the image`, but not `no ships move`."""
    if words[stop : stop + 1] == ("either",):
        return True
    rest = _SITE.sub("", " ".join(words[stop:])).split()  # "at this site" is the whole picture
    for at, word in enumerate(rest):
        if word in BREAKS or word in {",", "and", "or", "nor", ".", ")"}:
            return True
        if word not in _PASSED:
            named = parts(rest)
            return bool(named) and (word in _LYING or named[0].start <= at)
    return True


_PASSED = (
    THERE
    | BE
    | IMAGE
    | _LATE
    | word_set(
        "from sar infrared optical nowhere sight to isn't aren't don't doesn't can't n't do part among none there does did"
        " radar thermal satellite aerial shows show up around sort kind whatsoever type speak all rise rises stand stands site"
    )
)
