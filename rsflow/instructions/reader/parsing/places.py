"""Parts of the picture as free English names them: "in the upper left corner", "on the right side of the image".

Compass words are no parts: nothing known of a tile says which way is north. Nor are directions from other things ("to the left
of the bridge", "from left to right", "on top of a roof").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.reader.parsing.words import IMAGE, word_set
from rsflow.instructions.wording.positions import parse_place

# How far beyond its third a place may reach, in shares of a side: "left" holds for what lies left of 42 %.
NEAR, QUARTER, HALF = 0.09, 1 / 6, 0.19

_ROWS = {"upper": "upper", "top": "upper", "lower": "lower", "bottom": "lower"}
_SIDES = word_set("left right")
_MIDDLE = word_set("centre center middle central")
_FILLERS = word_set("far extreme hand very most direct exact")
_PARTS = word_set("side part portion corner corners edge area region section quadrant third border margin end half zone")
_HALVES = word_set("side half part portion area region section quadrant")
_HERE = word_set("in on at near along by within around")
_NO_PLACE = word_set("from towards toward pointing facing heading onto")


@dataclass(frozen=True, slots=True)
class Place:
    """Words `start` to `stop`, from a preposition on, name a part of the picture: `name`, one of
    `rsflow.instructions.wording.positions`, with the share of a side that it may reach beyond that."""

    start: int
    stop: int
    name: str
    tolerance: float


def find_places(words: Sequence[str]) -> list[Place]:
    """The parts of the picture that a sentence names, in order."""
    found: list[Place] = []
    position = 0
    while position < len(words):
        place = _place_at(words, position)
        if place:
            found.append(place)
        position = place.stop if place else position + 1
    return found


def _place_at(words: Sequence[str], first: int) -> Place | None:
    position = first
    names: list[str] = []
    while position < len(words) and (words[position] in _ROWS or words[position] in _SIDES | _MIDDLE | _FILLERS):
        names += [words[position]] if words[position] not in _FILLERS else []
        position += 1
    if not names:
        return None
    noun = words[position] if position < len(words) and words[position] in _PARTS else ""
    stop = position + bool(noun)
    start = first - 1 if first and words[first - 1] in {"the", "its"} else first
    start -= bool(start and words[start - 1] in _HERE)
    name = _standard_name(names)
    if len(names) == 1 and names[0] in _SIDES and _is_beside_centre(words, stop):
        return Place(start, stop + 2 + (words[stop + 1] == "the"), name, HALF) if name else None
    if not name or not _names_part_of_picture(words, start, stop, names, noun):
        return None
    is_wide = noun in _HALVES and "far" not in words[first:stop]
    tolerance = (HALF if len(names) == 1 else QUARTER) if is_wide else NEAR
    return Place(start, _end_of_picture(words, stop), name, tolerance)


def _standard_name(names: Sequence[str]) -> str:
    rows = [_ROWS[name] for name in names if name in _ROWS]
    sides = [name for name in names if name in _SIDES]
    if len(rows) > 1 or len(sides) > 1:
        return ""
    words = [*rows, *sides] if rows or sides else ["centre"]
    return parse_place(" ".join(words)) or ""


def _is_beside_centre(words: Sequence[str], stop: int) -> bool:
    """`left of the centre`."""
    rest = [word for word in words[stop : stop + 3] if word != "the"]
    return rest[:1] == ["of"] and rest[1:2] != [] and rest[1] in _MIDDLE


def _names_part_of_picture(words: Sequence[str], start: int, stop: int, names: Sequence[str], noun: str) -> bool:
    """Whether words for a place mean a part of the picture, and not of a thing in it or a direction."""
    after = words[stop] if stop < len(words) else ""
    has_preposition = words[start] in _HERE
    before = words[start - 1] if start else ""
    if {before, words[max(0, start - 2)]} & _NO_PLACE or after in {"to", "turn", "wing", "lane", "row", "column", "view"}:
        return False
    if before == "to" and not noun:
        return False
    if after == "of":
        return _end_of_picture(words, stop) > stop
    if noun:
        return True
    is_free = not after or not after[0].isalpha() or after in word_set("and while with is are where which of can there")
    return is_free and (has_preposition or not before or len(names) > 1 or before in {"is", "are", ":"})


def _end_of_picture(words: Sequence[str], stop: int) -> int:
    """Behind `of the image`, where these words follow; else `stop`."""
    if stop >= len(words) or words[stop] != "of":
        return stop
    for position in range(stop + 1, min(stop + 6, len(words))):
        if words[position] in IMAGE or words[position] == "it":
            return position + 1
        if words[position] not in word_set("the this entire whole satellite sar infrared aerial optical radar thermal"):
            break
    return stop
