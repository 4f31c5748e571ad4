"""Claims of land cover: shares in percent and fractions, what covers most, what is not there, what covers more than another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsflow.instructions.claims import Claim
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords, match_spelling
from rsflow.instructions.reader.parsing.words import IMAGE, NEGATIONS, parse_number, word_set
from rsflow.instructions.reader.reading import Reading

TOLERANCE = 0.15  # share of itself that a share in words may be off
_FRACTIONS = {
    "half": 50.0, "a third": 100 / 3, "one third": 100 / 3, "two thirds": 200 / 3, "a quarter": 25.0, "one quarter": 25.0,
    "three quarters": 75.0, "a fifth": 20.0, "one fifth": 20.0, "two fifths": 40.0, "three fifths": 60.0, "four fifths": 80.0,
    "a tenth": 10.0, "one tenth": 10.0, "nearly all": 95.0, "almost all": 95.0, "almost the entire": 95.0,
}  # fmt: skip
_OPEN = ("less than", "under", "up to", "at most", "no more than", "only a", "below", "between")
_LOWER = ("more than", "over", "at least", "above")
_ELSEWHERE = word_set(
    "left right upper lower top bottom north south east west northern southern part portion side edge together"
)
# What may stand between a cover and its share.
_BETWEEN = IMAGE | word_set(
    "covers cover covering covered occupies occupy occupying accounts accounting account for takes taking take up makes making"
    " make is are of the this at with about around roughly approximately nearly almost some just only over under than more less"
    " which that ( : , by in a an bodies scene entire total whole estimated body constitutes comprises nearly at least"
)
_NOT_THERE = re.compile(r"\b(?:no|without|free of|devoid of|lacks) (?:any |visible |open )?$")
_DENIED_TAIL = IMAGE | word_set(
    "visible in the this at all present within whole or and is are was were exists exist found seen area here"
)
_MOSTLY = re.compile(
    r"\b(?:dominated by|dominance of|mostly|mainly|predominantly|primarily|largely"
    r"|(?:most|majority) of the (?:\w+ )?(?:is|consists of)|dominant (?:land )?(?:cover|class)(?: \w+){0,4} is)"
    r"(?: covered (?:by|with|in)| of)? (?:the )?$"
)
_MOSTLY_AFTER = re.compile(
    r"^ (?:dominates|prevails|covers (?:most|the largest (?:part|share))"
    r"|is the (?:dominant|main|prevailing|predominant|largest)"
    r"|is the most (?:widespread|extensive|common) (?:land cover|class|cover|surface)"
    r"|is the land cover that (?:occupies|covers) the largest area"
    r"|is dominant|makes up most|takes up most|occupies most)\b"
)
_MORE = re.compile(r"^ (?:covers|occupies|takes up) (more|less|a larger|a smaller)(?: \w+){0,3} than (?:the )?$")
_MORE_BEFORE = re.compile(r"\b(more|less) $")


@dataclass(frozen=True, slots=True)
class _Share:
    start: int
    stop: int
    percent: float
    at_least: bool


@dataclass(frozen=True, slots=True)
class _Cover:
    start: int
    stop: int
    name: str


def read_covers(sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    words = sentence.words
    found = list(_find_covers(words, tile)) if tile.covers else []
    if not found:
        return
    text = " ".join(words)
    yield from (
        Reading((claim,), text) for claim in (*_compared(words, found), *_largest(words, found), *_denied(words, found))
    )
    if not NEGATIONS & {*words} and not _ELSEWHERE & {*words[: found[-1].stop + 6]}:
        yield from (Reading(claims, text) for claims in _shares(words, found))


def _find_covers(words: Sequence[str], tile: TileWords) -> Iterator[_Cover]:
    position = 0
    while position < len(words):
        spelling = match_spelling(words, position, tile.covers)
        if spelling:
            yield _Cover(position, position + len(spelling.words), spelling.noun)
        position += len(spelling.words) if spelling else 1


def _shares(words: Sequence[str], covers: Sequence[_Cover]) -> Iterator[tuple[Claim, ...]]:
    """For each share the claims of which any makes it true.

    A share is of the cover before it where the sentence begins with a cover, else of the one behind it.
    """
    shares = list(_find_shares(words))
    if not shares or len(shares) != len(covers):
        return
    order = sorted([*((each.start, "cover") for each in covers), *((each.start, "share") for each in shares)])
    kinds = [kind for _, kind in order]
    if "respectively" in words and kinds == ["cover"] * len(covers) + ["share"] * len(shares):
        yield from (_of_about(cover, share) for cover, share in zip(covers, shares, strict=True) if not share.at_least)
        return
    if kinds[::2] != [kinds[0]] * len(shares) or kinds[1::2] != [kinds[1]] * len(shares):
        return
    for cover, share in zip(covers, shares, strict=True):
        between = words[cover.stop : share.start] if cover.start < share.start else words[share.stop : cover.start]
        is_behind = cover.start > share.start and bool({*between} & {",", "which", "that", "more", "than"})
        if is_behind or {*between} in ({"of"}, {"of", "the"}) or not {*between} <= _BETWEEN:
            continue  # "half of the water"; a share of something else
        if share.at_least:
            yield (Claim("share", cover.name, value=share.percent, at_least=True),)
        else:
            yield _of_about(cover, share)


def _of_about(cover: _Cover, share: _Share) -> tuple[Claim, ...]:
    factors = (1 - TOLERANCE, 1 - TOLERANCE / 2, 1.0, 1 + TOLERANCE / 2, 1 + TOLERANCE)
    return tuple(Claim("share", cover.name, value=share.percent * factor) for factor in factors)


def _find_shares(words: Sequence[str]) -> Iterator[_Share]:
    for position, word in enumerate(words):
        number = parse_number(word)
        after = words[position + 1 : position + 3]
        if number is not None and after and (after[0] in {"%", "percent"} or tuple(after) == ("per", "cent")):
            yield from _bounded(words, position, position + 2, number)
            continue
        fraction = next((f for f in _FRACTIONS if tuple(words[position : position + len(f.split())]) == tuple(f.split())), None)
        if fraction and words[position - 1 : position] != ("second",):
            yield from _bounded(words, position, position + len(fraction.split()), _FRACTIONS[fraction])


def _bounded(words: Sequence[str], start: int, stop: int, percent: float) -> Iterator[_Share]:
    before = f" {' '.join(words[max(0, start - 3) : start])}"
    if percent <= 100 and not before.endswith(tuple(f" {words}" for words in _OPEN)):
        yield _Share(start, stop, percent, before.endswith(tuple(f" {words}" for words in _LOWER)))


def _largest(words: Sequence[str], covers: Sequence[_Cover]) -> Iterator[Claim]:
    if NEGATIONS & {*words} or _ELSEWHERE & {*words}:
        return
    for cover in covers:
        before, after = f"{' '.join(words[: cover.start])} ", f" {' '.join(words[cover.stop :])}"
        if _MOSTLY.search(before) or _MOSTLY_AFTER.search(after):
            joined = words[cover.stop : cover.stop + 1] in (("and",), (",",), ("or",)) and len(covers) > 1
            if not joined:
                yield Claim("share", cover.name, word="largest")


def _denied(words: Sequence[str], covers: Sequence[_Cover]) -> Iterator[Claim]:
    for cover in covers:
        if _NOT_THERE.search(f"{' '.join(words[: cover.start])} ") and {*words[cover.stop :]} <= _DENIED_TAIL:
            yield Claim("share", cover.name, value=0.0)


def _compared(words: Sequence[str], covers: Sequence[_Cover]) -> Iterator[Claim]:
    if len(covers) != 2 or NEGATIONS & {*words}:
        return
    one, other = covers
    between = f" {' '.join(words[one.stop : other.start])} "
    found = _MORE.search(between) or (between == " than " and _MORE_BEFORE.search(f"{' '.join(words[: one.start])} "))
    if found:
        word = "larger" if found[1] in {"more", "a larger"} else "smaller"
        yield Claim("comparison", one.name, other_category=other.name, word=word)
