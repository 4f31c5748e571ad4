"""Numbers and determiners around a noun: `three`, `about 40`, `at least a dozen`, `several`, `a pair of`, `no`, `ships: 3`.

One idea: every number is a range of what it can be said of. "Several" is three to about fifteen, "about 40" within a tenth,
"dozens" at least twenty; a claim is wrong only where its range and the known one do not meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.checks.english import (
    AUXILIARY,
    CONJUNCTIONS,
    IDLE,
    IMAGE,
    PREPOSITIONS,
    PRONOUNS,
    SHOWING,
    number,
    number_before,
    word_set,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """From `least` to `most`, as said in `words`. `total`: said of all there are (`only one`, `exactly five`)."""

    least: float
    most: float
    words: str
    total: bool = False

    def meets(self, least: float, most: float) -> bool:
        return self.least <= most and self.most >= least


@dataclass(frozen=True, slots=True)
class Before:
    """What stands before a noun: from word `start` on, its number, its determiner and its adjectives. `subset`: "of the"."""

    start: int
    quantity: Quantity | None
    determiner: str
    adjectives: tuple[str, ...]
    subset: bool = False


_VAGUE: dict[tuple[str, ...], tuple[float, float]] = {
    ("several",): (3, 15),
    ("a", "few"): (2, 9),
    ("few",): (1, 9),
    ("a", "handful", "of"): (2, 9),
    ("many",): (5, math.inf),
    ("numerous",): (5, math.inf),
    ("countless",): (20, math.inf),
    ("a", "large", "number", "of"): (6, math.inf),
    ("a", "lot", "of"): (5, math.inf),
    ("lots", "of"): (5, math.inf),
    ("plenty", "of"): (5, math.inf),
    ("multiple",): (2, math.inf),
    ("various",): (2, math.inf),
    ("a", "number", "of"): (2, math.inf),
    ("a", "group", "of"): (2, math.inf),
    ("a", "cluster", "of"): (2, math.inf),
    ("groups", "of"): (2, math.inf),
    ("clusters", "of"): (2, math.inf),
    ("rows", "of"): (4, math.inf),
    ("a", "row", "of"): (2, math.inf),
    ("a", "line", "of"): (2, math.inf),
    ("a", "couple", "of"): (2, 3),
    ("a", "pair", "of"): (2, 2),
    ("a", "trio", "of"): (3, 3),
    ("a", "quartet", "of"): (4, 4),
    ("two", "pairs", "of"): (4, 4),
    ("dozens", "of"): (20, math.inf),
    ("scores", "of"): (30, math.inf),
    ("hundreds", "of"): (100, math.inf),
    ("thousands", "of"): (1000, math.inf),
    ("both",): (2, 2),
    ("a", "single"): (1, 1),
    ("a", "solitary"): (1, 1),
    ("a", "lone"): (1, 1),
    ("one", "single"): (1, 1),
    ("just", "a"): (1, 1),
    ("only", "a"): (1, 1),
    ("single",): (1, 1),
    ("lone",): (1, 1),
    ("solitary",): (1, 1),
    ("sole",): (1, 1),
    ("the", "only"): (1, 1),
    ("more", "than", "one"): (2, math.inf),
}
_BY_LAST: dict[str, list[tuple[tuple[str, ...], tuple[float, float]]]] = {}
for _words, _range in sorted(_VAGUE.items(), key=lambda item: -len(item[0])):
    _BY_LAST.setdefault(_words[-1], []).append((_words, _range))

_TOTAL_WORDS = word_set("only just exactly precisely lone single sole solitary merely")
_ABOUT = word_set("about around approximately roughly some circa approx estimated near")
_LEAST = {
    ("at", "least"): 0,
    ("no", "fewer", "than"): 0,
    ("no", "less", "than"): 0,
    ("minimum", "of"): 0,
    ("not", "less", "than"): 0,
}
_LEAST |= {("more", "than"): 1, ("over",): 1, ("above",): 1, ("exceeding",): 1, ("greater", "than"): 1, ("upwards", "of"): 0}
_MOST = {("at", "most"): 0, ("up", "to"): 0, ("no", "more", "than"): 0, ("maximum", "of"): 0}
_MOST |= {("fewer", "than"): 1, ("less", "than"): 1, ("under",): 1, ("below",): 1}
_DETERMINERS = word_set(
    "a an the this these those its all both each every any some another other additional further remaining most half"
)
_THINGS = word_set("objects items targets features instances things elements")
_REST = word_set("other additional further remaining more")
_STOPS = AUXILIARY | CONJUNCTIONS | PREPOSITIONS | SHOWING | (PRONOUNS - _DETERMINERS) | IMAGE | {"no", "not", "any", "neither"}
ADJECTIVES = 4  # words between a number and its noun, at most
_UNITS = word_set("m km metres meters metre meter cm ft feet % percent per pixel pixels px square hectares ha")


def before(words: Sequence[str], noun: int) -> Before:
    """What belongs to the noun at `noun`, read from right to left."""
    adjectives: list[str] = []
    at = noun
    while at > 0 and len(adjectives) <= ADJECTIVES:
        found = _quantity(words, at)
        if found:
            quantity, start = found
            start, determiner = _the(words, start)
            determiner = determiner or ("no" if quantity.most == 0 else "")
            subset = bool(_REST & {*adjectives, *words[max(0, start - 1) : start]})
            return Before(start, quantity, determiner, tuple(adjectives), subset)
        word = words[at - 1]
        if word == "no":
            return Before(at - 1, None, "no", tuple(adjectives))
        if word in _DETERMINERS:
            if word in {"other", "additional", "further", "remaining"}:
                adjectives.append(word)
                at -= 1
                continue
            return Before(at - 1, None, word, tuple(adjectives), _subset(words, at - 1))
        if word in {"are", "is"} and words[max(0, at - 4) : at - 2] == ("of", "the") and words[at - 2] in _THINGS:
            counted = _quantity(words, at - 4)
            if counted:  # "four of the objects are ships"
                return Before(counted[1], counted[0], "", tuple(adjectives))
        if word in {"are", "is"} and (counted := _quantity(words, at - 1)) and words[: counted[1]][-1:] in {(), (",",)}:
            return Before(counted[1], counted[0], "", tuple(adjectives))  # "of the objects, three are ships"
        if word in _STOPS or not word[0].isalpha() or _verb(word):
            if word == "," and adjectives and at > 1 and words[at - 2] not in _STOPS and words[at - 2][0].isalpha():
                at -= 1
                continue
            break
        adjectives.append(word)
        at -= 1
    return Before(at, None, "", tuple(adjectives))


def after(words: Sequence[str], start: int, stop: int) -> Quantity | None:
    """A number said behind the noun: `ships: 3`, `ships (3)`, `number of ships is 3`, `ships, three in total`."""
    rest = tuple(words[stop : stop + 8])
    while rest and rest[0] in {
        "in",
        "within",
        "the",
        "this",
        "image",
        "scene",
        "picture",
        "visible",
        "present",
        "here",
        "count",
    }:
        rest = rest[1:]
    asked = any(word in {"number", "count", "total", "tally"} for word in words[max(0, start - 4) : start])
    if len(rest) > 1 and rest[0] in {":", "(", "=", "totalling", "totaling", "numbering", "number", "×", "x"}:
        if rest[0] == "(" and not {")", "in", "total", "visible"} & set(rest[2:4]):
            return None
        return _said(rest[1:3] if rest[1] == "about" else rest[1:2], rest[2:])
    counted = asked or "count" in words[stop : stop + 1]
    if counted and rest and rest[0] in {"is", "are", "equals", "totals", "amounts", "comes", "stands", "reaches"}:
        at = 2 if rest[1:2] in {("to",), ("at",), ("exactly",)} else 1
        return _said(rest[at : at + 1], rest[at + 1 :])
    if len(rest) > 3 and rest[0] == "," and rest[2:4] in {("in", "total"), ("in", "all"), ("of", "them"), ("in", "number")}:
        return _said(rest[1:2], ())
    return None


def _said(words: Sequence[str], behind: Sequence[str]) -> Quantity | None:
    found = _quantity(words, len(words)) if words and not set(behind[:1]) & _UNITS else None
    return found[0] if found else None


def _quantity(words: Sequence[str], stop: int) -> tuple[Quantity, int] | None:
    """The number that ends just before `stop`, with what qualifies it, and where it starts."""
    if stop < 1:
        return None
    for said, (least, most) in _BY_LAST.get(words[stop - 1], ()):
        start = stop - len(said)
        if start >= 0 and tuple(words[start:stop]) == said:
            total = _TOTAL_WORDS.issuperset({said[-1]}) or bool(start and words[start - 1] in _TOTAL_WORDS)
            return Quantity(least, most, " ".join(said), total), start
    counted = number_before(words, stop)
    if counted is None or counted[0] != int(counted[0]):
        return None
    value, start = counted
    if start and words[start - 1] in {"/", ".", "-", "–", "$", "#"}:
        return None
    return _qualified(words, value, start, stop)


def _qualified(words: Sequence[str], value: float, start: int, stop: int) -> tuple[Quantity, int]:
    least = most = value
    for size in (3, 2, 1):
        if start >= size:
            lead = tuple(words[start - size : start])
            if lead in _LEAST:
                least, most, start = value + _LEAST[lead], math.inf, start - size
                break
            if lead in _MOST:
                least, most, start = 0, value - _MOST[lead], start - size
                break
    else:
        if start and words[start - 1] in _ABOUT:
            slack = max(1, 0.15 * value)
            least, most, start = value - slack, value + slack, start - 1
        elif start and words[start - 1] in {"nearly", "almost"}:
            least, start = value - max(1, 0.15 * value), start - 1
        elif start > 1 and number(words[start - 2]) is not None and _joins(words, start - 1):
            least, start = number(words[start - 2]) or 0, start - 2
    total = bool(start and words[start - 1] in _TOTAL_WORDS)
    return Quantity(least, most, " ".join(words[start:stop]), total), start - total


def _joins(words: Sequence[str], at: int) -> bool:
    """Whether two numbers around a word are one range: `3 to 5`, `three or four`, `between 3 and 5`."""
    return words[at] in {"to", "or"} or (words[at] == "and" and at > 1 and words[at - 2] == "between")


def _the(words: Sequence[str], start: int) -> tuple[int, str]:
    """The determiner in front of a number, and where it starts: `the three`, `a total of seven`, `all four`."""
    if start > 2 and tuple(words[start - 3 : start]) in {("a", "total", "of"), ("the", "total", "of")}:
        return start - 3, ""
    if start > 1 and tuple(words[start - 2 : start]) == ("of", "the"):
        return start - 2, "the"
    if start and words[start - 1] in {"the", "these", "those", "all", "another"}:
        return start - 1, words[start - 1]
    return start, ""


def _subset(words: Sequence[str], start: int) -> bool:
    """Whether only some of them are meant: `two of the ships`, `most of the cars`."""
    return start > 1 and words[start - 1] == "of" and words[start - 2] not in IDLE | {"number", "presence", "total"}


def _verb(word: str) -> bool:
    return (word.endswith("s") and not word.endswith(("ous", "ss"))) or word in {"lie", "sit", "stand"}
