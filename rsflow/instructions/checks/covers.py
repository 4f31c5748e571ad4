"""Land cover in free English: which of the tile's covers a text names, and the shares that stand beside them.

Covers are read with the same reader as things, through a lexicon of their own: their names as texts spell them, with
the adjectives and plural forms that mean the same ground.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rsflow.instructions.checks.english import NUMBERS, number, word_set
from rsflow.instructions.checks.lexicon import Entry, Lexicon, Sense
from rsflow.instructions.checks.sentences import Sentence

_SPELLED = {
    "water": "water|water bodies|water body|open water|water surface|water surfaces|waters|body of water|bodies of water|under"
    " water|water area|water areas",
    "vegetation": "vegetation|greenery|vegetated land|vegetated area|vegetated areas|vegetated ground|plant"
    " cover|vegetation cover|vegetated|green vegetation|vegetative cover|plant life",
    "built-up land": "built up land|built up area|built up areas|urban land|urban area|urban areas|developed land|built"
    " environment|built up|built up surfaces|urbanised|urbanized|urbanised land|urbanized land|developed areas|urban "
    "fabric|urban",
    "bare soil": "bare soil|bare ground|bare earth|bare land|exposed soil|exposed ground|bare",
    "bare or built-up land": "bare or built up land|bare and built up land|built up or bare land|bare or built up areas"
    "|bare or built up ground|bare or built up surfaces|bare or built up area",
    "tree cover": "tree cover|trees|forest|forests|woodland|woods|tree canopy|forest cover|forested land|wooded land"
    "|wooded|forested|wooded areas|forested areas|wooded area|forested area|tree covered|canopy",
    "farmland": "farmland|cropland|crops|agricultural land|agricultural fields|agriculture|farm land|croplands|cultivated|"
    "cultivated"
    " land|arable land|farm fields|cultivated fields|crop fields|cultivation|agricultural",
    "building area": "building area|buildings|building areas|built structures",
    "road surface": "road surface|road surfaces|roads",
    "grassland": "grassland|grass|grasslands|meadow|meadows",
    "impervious surface": "impervious surface|impervious surfaces|paved surfaces|sealed surfaces|paved surface|sealed "
    "surface|paved"
    " ground|paved area|paved areas|paved land|paved|impervious|pavement|impervious ground|impervious area|impervious "
    "areas|impervious land|sealed ground",
    "barren land": "barren land|barren ground|barren areas",
}
_FRACTIONS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2, "tenth": 0.1, "thirds": 1 / 3, "quarters": 0.25}
_FRACTIONS |= {"fifths": 0.2, "tenths": 0.1, "fourth": 0.25, "fourths": 0.25}
_WHOLE = word_set("all entire entirely entirety whole wholly completely")
_NEARLY = word_set("nearly almost virtually practically")
_COUNTS = {word: value for word, value in NUMBERS.items() if value < 10} | {"a": 1, "one": 1}


@dataclass(frozen=True, slots=True)
class Share:
    """Said at word `at` of a sentence: `value`, how exact the words are, and whether it is a bound ("over": 1, "under": -1)."""

    at: int
    value: float
    slack: float
    bound: int
    said: str


@lru_cache(maxsize=256)  # one per set of covers
def lexicon(names: tuple[str, ...], things: frozenset[str]) -> Lexicon:
    """`things` are first words of the tile's objects, which are no cover: there, trees are trees."""
    found: dict[str, list[Entry]] = {}
    for name in names:
        sense = Sense(name, (name,), (), (), True)
        for spelled in (name.replace("-", " "), *_SPELLED.get(name, "").split("|")):
            parts = tuple(spelled.split())
            if parts and (len(parts) > 1 or parts[0] not in things):
                found.setdefault(parts[0], []).append(Entry(parts, True, sense))
    return Lexicon.of(found)


def shares(sentence: Sentence) -> Iterator[Share]:
    """`about 40 %`, `60 percent`, `two thirds`, `half`, in order."""
    words = sentence.words
    for at, word in enumerate(words):
        behind = words[at + 1 : at + 3]
        value = number(word) if word[0].isdigit() else None
        if value is not None and (behind[:1] in {("%",), ("percent",)} or behind == ("per", "cent")):
            yield _share(words, at, value / 100, 0.05)
        elif word in NUMBERS and (behind[:1] == ("percent",) or behind == ("per", "cent")):
            tens = NUMBERS.get(words[at - 1], 0) if at and NUMBERS[word] < 10 else 0
            yield _share(words, at, ((tens if tens >= 20 else 0) + NUMBERS[word]) / 100, 0.05)
        elif word == "half" and words[at - 1 : at] not in {
            ("left",),
            ("right",),
            ("upper",),
            ("lower",),
            ("top",),
            ("bottom",),
        }:
            yield _share(words, at, 0.5, 0.08)
        elif word in _FRACTIONS and at and words[at - 1] in _COUNTS and words[at + 1 : at + 2] in {("of",), ("is",), ()}:
            yield _share(words, at - 1, _COUNTS[words[at - 1]] * _FRACTIONS[word], 0.08)
        elif word in _WHOLE and not _NEARLY.isdisjoint(words[max(0, at - 2) : at]):
            yield Share(at, 1.0, 0.15, 0, " ".join(words[max(0, at - 2) : at + 1]))


def _share(words: tuple[str, ...], at: int, value: float, slack: float) -> Share:
    before = words[max(0, at - 3) : at]
    spread = any(word.startswith(("spread", "extend", "stretch", "cover")) for word in before)
    near = {"slightly", "just", "little", "marginally"} & set(before)
    more = {"more", "than"} <= set(before) or bool({"exceeding", "least"} & set(before))
    over = more or (bool({"over", "above"} & set(before)) and not spread)
    under = {"under", "below", "most"} & set(before) or ("less" in before and "than" in before)
    loose = 0.05 if {"nearly", "almost", "roughly", "approximately", "close"} & set(before) else 0
    bound = 0 if near else 1 if over else -1 if under else 0
    return Share(at, value, slack + loose, bound, " ".join(words[at : at + 2]))


MOSTLY = re.compile(
    r"\b(?:most part|main|primary|mostly|mainly|predominantly|largely|primarily|chiefly|dominated by|(?:majority|most) "
    "of(?! the (?:rest|remain))|"
    r"bulk of|dominant|predominant|"
    r"dominates?|prevails?|prevailing|principal|most (?:extensive|widespread)|"
    r"(?<!second )(?<!third )largest (?:cover )?class|(?:occupies|covers|takes up|has|holds) the largest (?:share|area|"
    r"part|portion))\b"
)
LITTLE = re.compile(
    r"\b(?:(?:tiny|negligible|small|minor) (?:portion|fraction|part|share|patch|amount|percentage)s? (?:of|is|are)|sliver of|"
    r"very little|hardly any|barely any|scarcely any)\b"
)
LEAST = re.compile(r"\b(?:the )?(?:least (?:common|widespread|extensive|abundant|prevalent)|smallest share)\b")
