"""Sizes: metres on the ground, one thing larger than another, and the extent and pixel size of the picture.

A length is right where any whole object that may be meant has it along one of its sides, within a quarter or two
pixels; a box is no survey. "Large" and "small" alone are not compared: a small ship is large among boats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.english import NUMBERS, number, word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import SUPERLATIVES, Mention
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.superlatives import candidates
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.facts.objects import TileObject
from rsflow.records import TileFacts
from rsflow.spatial.geometry import area

LENGTH, AREA = 0.25, 0.4  # relative tolerance
PIXELS = 2.0
WHOLE = 0.15  # for the picture's own extent and pixel size

_METRES = {"m": 1.0, "metre": 1.0, "meter": 1.0, "km": 1000.0, "kilometre": 1000.0, "kilometer": 1000.0, "cm": 0.01}
_METRES |= {"centimetre": 0.01, "centimeter": 0.01}
_UNIT = r"(m|met(?:re|er)s?|km|kilomet(?:re|er)s?|cm|centimet(?:re|er)s?)\b"
_NUMBER = r"(\d+(?:[.,]\d+)*)"
_SIDES = re.compile(rf"{_NUMBER} ?(?:{_UNIT})? ?(?:by|x|×) ?(?:about |approximately |roughly )?{_NUMBER} ?{_UNIT}")
_ONE = re.compile(
    rf"{_NUMBER} ?{_UNIT}(?! (?:per|apart|away|from|of|above|resolution|pixel|spacing|gsd|ground))(?! ?(?:²|2|\^))"
)
_SQUARE = re.compile(rf"{_NUMBER} ?(?:square met(?:re|er)s|m²|m2|sq m)")
_SPELLED = re.compile(rf"\b({'|'.join(NUMBERS)}) (?={_UNIT})")
_MEASURE = re.compile(rf"\d|\b{_UNIT}")
_PIXEL = re.compile(
    r"(?:resolution|pixel spacing|sampl(?:e|ing) distance|pixel size|gsd)\s*(?:\([a-z ]+\) ?)?(?:of|is|:|at)? ?(?:about |"
    "approximately |"
    rf"roughly |around )?"
    rf"{_NUMBER} ?{_UNIT}|{_NUMBER} ?{_UNIT} (?:(?:spatial |ground |image )?resolution|per pixel|pixel size|gsd)"
)
_EACH = re.compile(
    rf"pixels? (?:corresponds? to|represents?|covers?|measures?|equals?|spans?|is|are|of) (?:about |approximately |roughly |"
    rf"around )?"
    rf"{_NUMBER} ?{_UNIT}|{_NUMBER} ?{_UNIT} (?:wide )?pixels?\b"
)
_LONG_WIDE = re.compile(
    rf"{_NUMBER} ?{_UNIT} (?:long|in length) and (?:about |roughly )?{_NUMBER} ?{_UNIT} (?:wide|across|in width)"
)
_LONG = re.compile(r" ?(?:long\b|in length)")
_EXTENT = re.compile(
    r"(?:image|scene|picture|tile|imaged area|area shown|footprint) (?:covers|spans|measures|extends over|shows|(?:size|"
    "extent) ?(?::|is)) (?:an area (?:of )?|a ground area of )?"
    rf"(?:about |approximately |roughly |around )?{_SIDES.pattern}"
)
_RANGE = re.compile(
    rf"(?:between|from|ranging from) (?:about |approximately |roughly |around )?{_NUMBER} ?(?:{_UNIT})? (?:and|to) (?:about |"
    rf"approximately |roughly |around )?{_NUMBER} ?{_UNIT}(?! (?:apart|away|from|of))"
)
_SIDE = re.compile(
    r"(?:image|scene|picture|tile|frame|view) (?:covers|spans|measures|is|extends) (?:over )?(?:about |approximately |"
    "roughly |around )?"
    rf"{_NUMBER} ?{_UNIT} (?:on (?:each|a|every) side|per side|across|wide|in width)"
)
_GROUND = re.compile(
    r"(?:image|scene|picture|tile|frame|view) (?:covers|spans|shows|encompasses|extends over) (?:an area of |an? |over "
    ")?(?:about |"
    rf"approximately |roughly |around |some )?{_NUMBER} ?(square kilomet(?:re|er)s?|km²|km2|sq km|hectares?|ha|square "
    "met(?:re|er)s?|m²)(?![a-z])"
)
_SQUARES = {"sq": 1e6, "km": 1e6, "ha": 1e4, "he": 1e4}
_OF_ANOTHER = re.compile(
    r"\ban? (?!(?:\w+ )?(?:length|width|size|diameter|area|extent|span|footprint|height|maximum|total|radius|wingspan|measure))"
    r"(?:\w+ )?\w+ of (?:about |approximately |roughly |around |some )?\d"
)
_THE_LARGEST = re.compile(r", (?:with )?the (largest|biggest|longest|smallest|shortest)\b")
_OVER = re.compile(r"\b(?:extend|spread|stretch)\w* over\b")
_OPEN = word_set("over under exceeding most least than between ranging from apart distance away spacing radius altitude within")
_LARGER = word_set("larger bigger longer")
_SMALLER = word_set("smaller shorter")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for turn in talk.answers:
        if known.facts.gsd_m and _MEASURE.search(talk.lowered[turn]):
            yield from _whole(known.facts, known.facts.gsd_m, turn, digits(talk.lowered[turn].replace("-", " ")))
    stated = [mention for mention in talk.mentions if not (mention.asked or mention.denied)]
    for index, mention in enumerate(stated):
        if mention.hedged:
            continue
        after = next((other for other in stated[index + 1 : index + 2] if other.sentence is mention.sentence), None)
        if known.facts.gsd_m:
            earlier = index > 0 and stated[index - 1].sentence is mention.sentence
            yield from _measured(known, mention, earlier, after, known.facts)
        if after:
            yield from _compared(known, mention, after)


def _whole(facts: TileFacts, gsd_m: float, turn: int, text: str) -> Iterator[Finding]:
    sides = (facts.metres(facts.width_px, 0), facts.metres(0, facts.height_px))
    for found in (*_PIXEL.finditer(text), *_EACH.finditer(text)):
        value = _metres(found[1] or found[3], found[2] or found[4])
        wrong = abs(value - gsd_m) > WHOLE * gsd_m
        yield Finding("sizes", turn, found[0], f"{gsd_m:g} m per pixel", f"{value:g} m", wrong)
    for found in _EXTENT.finditer(text):
        said = sorted((_metres(found[1], found[2] or found[4]), _metres(found[3], found[4])))
        true = sorted(sides)
        wrong = any(abs(one - other) > WHOLE * other for one, other in zip(said, true, strict=True))
        yield Finding("sizes", turn, found[0], f"{true[1]:.0f} m by {true[0]:.0f} m", f"{said[1]:g} m by {said[0]:g} m", wrong)
    for found in _SIDE.finditer(text):
        value = _metres(found[1], found[2])
        wrong = all(abs(value - side) > WHOLE * side for side in sides)
        yield Finding("sizes", turn, found[0], f"{sides[0]:.0f} m by {sides[1]:.0f} m", f"{value:g} m", wrong)
    for found in _GROUND.finditer(text):
        square = "square m" in found[2] or found[2] == "m²"
        value = (number(found[1]) or math.nan) * (1 if square else _SQUARES[found[2][:2]])
        wrong = abs(value - sides[0] * sides[1]) > 2 * WHOLE * sides[0] * sides[1]
        yield Finding("sizes", turn, found[0], f"{sides[0] * sides[1]:.0f} m²", f"{value:g} m²", wrong)


def digits(text: str) -> str:
    """With number words before a unit as digits: `ten metres`."""
    return _SPELLED.sub(lambda found: f"{NUMBERS[found[1]]} ", text)


def _measured(known: Known, mention: Mention, earlier: bool, after: Mention | None, facts: TileFacts) -> Iterator[Finding]:
    """A measure behind a mention and before the next, or in front of the noun ("a 40 m long ship")."""
    words = mention.sentence.words
    lead = max(0, mention.start - 5) if earlier else 0
    span = words[lead : after.start - 4 if after and after.start - 4 > mention.stop else after.start if after else len(words)]
    if not any(word in _METRES or word[:-1] in _METRES for word in span) or not known.all_known(mention.sense):
        return
    things = candidates(known.objects(mention.sense), mention.picked)
    if not things or not all(thing.fully_visible for thing in things):
        return
    text = digits(_OVER.sub("covers", " ".join(span)))
    one = _THE_LARGEST.match(text)
    things = candidates(things, SUPERLATIVES[one[1]]) if one and not earlier else things
    bounds = _RANGE.search(text)
    if bounds:
        yield _within(mention, things, bounds, facts)
    if _OPEN & set(text.split()) or "up to" in text:
        return
    said = None if _OF_ANOTHER.search(text) else _read(text)
    if said:
        quoted, lengths, square = said
        right = any(
            _fits(facts.sides_m(thing.region), lengths, facts) if lengths else _covers(thing, square, facts) for thing in things
        )
        sides = [facts.sides_m(thing.region) for thing in things[:3]]
        expected = f"{mention.sense.word}: {', '.join(f'{longer:.0f} m by {shorter:.0f} m' for longer, shorter in sides)}"
        yield Finding("sizes", mention.turn, mention.said, expected, quoted, not right)


def _within(mention: Mention, things: Sequence[TileObject], found: re.Match[str], facts: TileFacts) -> Finding:
    """`between 20 and 30 m long`: some of them are."""
    low, high = (_metres(value, unit or found[4]) for value, unit in ((found[1], found[2]), (found[3], found[4])))
    slack = PIXELS * _coarser(facts)
    sides = [facts.sides_m(thing.region) for thing in things]
    right = any((1 - LENGTH) * low - slack <= side <= (1 + LENGTH) * high + slack for pair in sides for side in pair)
    longest = max(longer for longer, _ in sides)
    return Finding("sizes", mention.turn, mention.said, f"{mention.sense.word}: up to {longest:.0f} m", found[0], not right)


def _read(text: str) -> tuple[str, tuple[float, ...], float] | None:
    """The measure in a text: its words, its one or two lengths, or its area."""
    found = _SQUARE.search(text)
    if found:
        return found[0], (), _metres(found[1], "m")
    found = _LONG_WIDE.search(text)
    if found:
        return found[0], (_metres(found[1], found[2]), _metres(found[3], found[4])), 0
    found = _SIDES.search(text)
    if found:
        return found[0], (_metres(found[1], found[2] or found[4]), _metres(found[3], found[4])), 0
    found = _ONE.search(text)
    if not found:
        return None
    length = _metres(found[1], found[2])
    # "40 m long" is the longer side; "40 m" alone may be either.
    return (
        found[0],
        ((length, math.nan) if _LONG.match(text, found.end()) or "length" in text[: found.start()] else (length,)),
        0,
    )


def _coarser(facts: TileFacts) -> float:
    """Metres of a pixel along the axis that shows less detail."""
    return max(facts.metres(1, 0), facts.metres(0, 1))


def _fits(sides: tuple[float, float], lengths: Sequence[float], facts: TileFacts) -> bool:
    slack = PIXELS * _coarser(facts)

    def near(said: float, true: float) -> bool:
        return abs(said - true) <= max(LENGTH * true, slack)

    if len(lengths) == 2 and math.isnan(lengths[1]):
        return near(lengths[0], sides[0])
    if len(lengths) == 2:
        return near(max(lengths), sides[0]) and near(min(lengths), sides[1])
    return near(lengths[0], sides[0]) or near(lengths[0], sides[1])


def _covers(thing: TileObject, square: float, facts: TileFacts) -> bool:
    pixel_m2 = facts.metres(1, 0) * facts.metres(0, 1)
    sizes = [thing.area_px * pixel_m2, area(thing.box) * pixel_m2]
    return any(abs(square - size) <= max(AREA * size, 4 * pixel_m2) for size in sizes)


def _compared(known: Known, one: Mention, other: Mention) -> Iterator[Finding]:
    """`the ship is larger than the car`: some pair of them must be so."""
    between = one.sentence.words[one.stop : other.start]
    signs = [1 if word in _LARGER else -1 for word in between if word in _LARGER | _SMALLER]
    if len(signs) != 1 or "than" not in between[-5:] or {"not", "that"} & set(between) or other.bare:
        return
    if one.sense != other.sense and known.all_known(one.sense) and known.all_known(other.sense):
        left, right = (candidates(known.objects(each.sense), each.picked) for each in (one, other))
        if left and right and len(between) <= 8:
            wrong = not any(signs[0] * (a.area_px - b.area_px) > 0 for a in left for b in right)
            sizes = [max(thing.area_px for thing in things) for things in (left, right)]
            expected = f"{one.sense.word}: {sizes[0]:.0f}, {other.sense.word}: {sizes[1]:.0f} px"
            yield Finding("sizes", one.turn, one.sentence.said(one.start, other.stop), expected, " ".join(between), wrong)


def _metres(said: str, unit: str) -> float:
    """NaN, which is unlike any length, where the digits are no number."""
    return (number(said) or math.nan) * _METRES[unit.rstrip("s")]
