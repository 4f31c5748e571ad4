"""Claims of size: lengths of objects in metres, the size of the picture on the ground and of its pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsflow.instructions.claims import Claim, ClaimKind
from rsflow.instructions.claims.claim import Unit
from rsflow.instructions.reader.objects import find_extreme
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.parsing.words import BE, IMAGE, is_negation, parse_number, word_set
from rsflow.instructions.reader.reading import Reading

TOLERANCE = 0.2  # share that a size in words may be off
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(["m", "meter", "meters", "metre", "metres"], "m"),
    **dict.fromkeys(["km", "kilometer", "kilometers", "kilometre", "kilometres"], "km"),
    **dict.fromkeys(["hectare", "hectares", "ha"], "ha"),
}
_SQUARE: dict[str, Unit] = {"m": "m2", "km": "km2"}
_SIDES = {"long": "length", "length": "length", "wide": "width", "width": "width"}
_NOT_OF_IT = word_set(
    "from away apart tall high height deep deeper above below distance radius altitude range buffer elevation"
)
# What may stand between a thing and its size.
_BETWEEN = BE | word_set(
    "about around approximately roughly nearly some each all which that has have having with of at only just a an the length"
    " width diameter size measures measure measuring spans span spanning extends covers cover tiny small large long wide , and"
    " between exactly wingspan total over it they"
)
_OF_PICTURE = (
    BE
    | IMAGE
    | word_set(
        "about around approximately roughly covers cover spans measures extends covered represents an a area of the with width"
        " and across ground some over nearly has this each side shows region whole entire corresponds to stretches field size"
    )
)
_PIXEL = re.compile(
    r"\b(?:per pixel|each pixel|pixel size|pixel covers|pixel spacing|(?:spatial |ground )?resolution|sample distance)\b"
)


@dataclass(frozen=True, slots=True)
class Size:
    """Words `start` to `stop` state lengths or an area: each of `values` a side, or the two ends of a range."""

    start: int
    stop: int
    values: tuple[float, ...]
    unit: Unit
    is_range: bool
    side: str


def read_measures(sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    words = sentence.words
    if any(map(is_negation, words)) or {"distance", "gap", "separation"} & {*words}:
        return
    for size in _find_sizes(words):
        text = " ".join(words[max(0, size.start - 6) : size.stop + 1])
        mention = _measured_mention(sentence, size)
        if mention:
            numbers = _measured_objects(mention, tile)
            sides = (("",) if len(size.values) > 1 and not size.is_range else (size.side,))[0]
            yield from (Reading(each, text) for each in _size_claims(size, mention.noun, numbers, sides) if each)
        elif _PIXEL.search(" ".join(words)) and len(size.values) == 1 and size.unit == "m":
            yield Reading((Claim("size", value=size.values[0], unit="m", tolerance=TOLERANCE, word="pixel"),), text)
        elif {*words[: size.start]} & IMAGE and {*words[: size.start]} <= _OF_PICTURE and not sentence.mentions:
            yield from (Reading(each, text) for each in _picture_claims(size))


def _find_sizes(words: Sequence[str]) -> Iterator[Size]:
    position = 0
    while position < len(words):
        size = _size_at(words, position)
        if size and not _NOT_OF_IT & {*words[size.stop : size.stop + 2], *words[max(0, size.start - 3) : size.start]}:
            yield size
        position = size.stop if size else position + 1


def _size_at(words: Sequence[str], start: int) -> Size | None:
    """`20 m`, `half a metre`, `20 to 40 m`, `20 m by 8 m`, `6.5 hectares`, `2 square kilometres`."""
    if tuple(words[start : start + 2]) == ("half", "a") and (unit := _unit(words, start + 2)):
        return Size(start, start + 2 + unit[1], (0.5,), unit[0], False, "")
    first = parse_number(words[start])
    if first is None:
        return None
    unit = _unit(words, start + 1)
    position = start + 1 + (unit[1] if unit else 0)
    joint = words[position] if position < len(words) else ""
    second = parse_number(words[position + 1]) if joint in {"to", "by", "x", "and"} and position + 1 < len(words) else None
    if joint == "and" and words[start - 1 : start] != ("between",):
        second = None
    if second is not None:
        later = _unit(words, position + 2)
        if later and (unit is None or later[0] == unit[0]):
            stop = position + 2 + later[1]
            return Size(start, stop, (first, second), later[0], joint in {"to", "and"}, _side(words, stop))
    if unit is None:
        return None
    stop = start + 1 + unit[1]
    return Size(start, stop, (first,), unit[0], False, _side(words, stop))


def _unit(words: Sequence[str], position: int) -> tuple[Unit, int] | None:
    """(unit, how many words it has)"""
    if position >= len(words):
        return None
    if words[position] == "square" and position + 1 < len(words) and words[position + 1] in _UNITS:
        unit = _UNITS[words[position + 1]]
        return (_SQUARE[unit], 2) if unit in _SQUARE else None
    return (_UNITS[words[position]], 1) if words[position] in _UNITS else None


def _side(words: Sequence[str], stop: int) -> str:
    return next((_SIDES[word] for word in words[stop : stop + 2] if word in _SIDES), "")


def _measured_mention(sentence: ReadSentence, size: Size) -> Mention | None:
    before = [each for each in sentence.mentions if each.stop <= size.start and not each.is_denied]
    if not before:
        return None
    mention = before[-1]
    first = mention.place.stop if mention.place and mention.place.start >= mention.stop else mention.stop
    return mention if {*sentence.words[first : size.start]} <= _BETWEEN else None


def _measured_objects(mention: Mention, tile: TileWords) -> Sequence[int]:
    """The objects that may be meant; none where there may be others."""
    if not tile.claims.is_counted(mention.noun):
        return ()
    if mention.superlative:
        number = find_extreme(mention, tile)
        return () if number is None else (number,)
    return tile.numbers_of(mention.noun)


def _size_claims(size: Size, noun: str, numbers: Sequence[int], side: str) -> Iterator[tuple[Claim, ...]]:
    if size.unit not in {"m", "km"}:
        return
    middle = sum(size.values) / len(size.values)
    for values in [(*size.values, middle)] if size.is_range else [(value,) for value in size.values]:
        yield tuple(
            Claim("size", noun, (number,), value=value, unit=size.unit, tolerance=TOLERANCE, word=side)
            for number in numbers
            for value in values
        )


def _picture_claims(size: Size) -> Iterator[tuple[Claim, ...]]:
    kind: ClaimKind = "size" if size.unit in {"m", "km"} else "area"
    for value in size.values:
        yield (Claim(kind, value=value, unit=size.unit, tolerance=TOLERANCE),)
