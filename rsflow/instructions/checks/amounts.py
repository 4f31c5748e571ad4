"""Amounts as English says them: `three`, `about 40`, `at least a dozen`, `three rows of four`, `most of the`.

Every number is a range of what it can be said of. "Several" is three to about fifteen, "about 40" within a seventh,
"dozens" at least twenty; a claim is wrong only where its range and the known one do not meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.checks.english import BREAKS, number, number_before, word_set


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
class Portion:
    """So many of them (`four of the`), or such a share (`most of the`, `three quarters of the`) where `of_all`."""

    least: float
    of_all: bool

    def of(self, count: int) -> float:
        return max(1, self.least * count) if self.of_all else min(self.least, count)


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
AS_MANY = frozenset([("as",), ("how",), ("so",), ("that",)])
_UP_TO = ("as", "many", "as")
_MOST |= {("fewer", "than"): 1, ("less", "than"): 1, ("under",): 1, ("below",): 1}
LOOSE = 0.8  # "three quarters of the ships" may be 60 %
_PORTIONS = {"most": 0.4, "majority": 0.4, "bulk": 0.4, "half": 0.4, "all": 1.0, "both": 1.0}
_FRACTIONS = {"third": 1 / 3, "quarter": 0.25, "fourth": 0.25, "fifth": 0.2}
_GRIDS = word_set("grid block array matrix formation pattern layout arrangement")
_ARRANGED_ENDS = frozenset([(), ("each",), (",",), ("and",), (")",)])
_ARRAYS = word_set("rows columns lines groups clusters blocks sets")


def portion(words: Sequence[str], of: int) -> Portion | None:
    """What stands before the "of" at word `of`: `four`, `most`, `the majority`, `two thirds`."""
    if of < 1:
        return None
    last, before = words[of - 1], words[of - 2] if of > 1 else ""
    if last in _PORTIONS:
        return Portion(_PORTIONS[last], True)
    if last.rstrip("s") in _FRACTIONS:
        times = 1 if before in {"a", "one"} else number(before)
        return Portion(LOOSE * times * _FRACTIONS[last.rstrip("s")], True) if times else None
    found = quantity(words, of)
    return Portion(found[0].least, False) if found and found[0].least > 0 else None


def arranged(words: Sequence[str]) -> Quantity | None:
    """The number of things by what is said behind them: `in three rows of four`, `in a 3 x 4 grid`."""
    words = words[1:] if words[:1] == (",",) else words
    for at, word in enumerate(words[:-2]):
        if word in BREAKS or word in {",", "and"}:
            return None
        times = number(word)
        grid = words[at + 1] in {"x", "×", "by"} and not _GRIDS.isdisjoint(words[at + 3 : at + 4])
        rows = words[at + 1] in _ARRAYS and words[at + 2] == "of" and words[at + 4 : at + 5] in _ARRANGED_ENDS
        each = number(words[at + 2]) if grid else number(words[at + 3]) if rows and at + 3 < len(words) else None
        if times and each:
            return Quantity(times * each, times * each, " ".join(words[at : at + 4]))
    return None


def quantity(words: Sequence[str], stop: int) -> tuple[Quantity, int] | None:
    """The number that ends just before `stop`, with what qualifies it, and where it starts."""
    if stop < 1:
        return None
    for said, (least, most) in _BY_LAST.get(words[stop - 1], ()):
        start = stop - len(said)
        if start >= 0 and tuple(words[start:stop]) == said:
            if said == ("many",) and words[max(0, start - 1) : start] in AS_MANY:
                return None
            total = _TOTAL_WORDS.issuperset({said[-1]}) or bool(start and words[start - 1] in _TOTAL_WORDS)
            return Quantity(least, most, " ".join(said), total), start
    counted = number_before(words, stop)
    if counted is None or counted[0] != int(counted[0]):
        return None
    value, start = _product(words, *counted)
    if start and words[start - 1] in {"/", ".", "-", "–", "$", "#"}:
        return None
    return _qualified(words, value, start, stop)


def _product(words: Sequence[str], value: float, start: int) -> tuple[float, int]:
    """`three rows of four`: the number and the one before it."""
    if start > 2 and words[start - 1] == "of" and words[start - 2] in _ARRAYS:
        times = number_before(words, start - 2)
        if times:
            return value * times[0], times[1]
    return value, start


def _qualified(words: Sequence[str], value: float, start: int, stop: int) -> tuple[Quantity, int]:
    least = most = value
    for size in (3, 2, 1):
        if start >= size:
            lead = tuple(words[start - size : start])
            if lead == _UP_TO:
                least, start = value - max(1, 0.15 * value), start - size
                break
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
