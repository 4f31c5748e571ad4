"""The part of the picture that the sentence puts each mention in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsflow.instructions.reader.parsing.completeness import JOINERS
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.places import Place
from rsflow.instructions.reader.parsing.words import BE, CLAUSE_ENDS, SHOWING, parse_number, word_set

_SEPARATORS = word_set(", and with which near from towards toward to facing but while whereas where : ( )")


def add_places(words: Sequence[str], found: Sequence[Mention], places: Sequence[Place]) -> list[Mention]:
    """Each mention with the place that is named behind it, or in front of the list that it is in."""
    placed: list[Mention] = []
    front: Place | None = None
    for number, each in enumerate(found):
        following = found[number + 1].start if number + 1 < len(found) else len(words)
        behind = next(
            (p for p in places if each.stop <= p.start < following and not _separates(words[each.stop : p.start])), None
        )
        is_joined = number > 0 and {*words[found[number - 1].stop : each.start]} <= JOINERS | {"no"}
        front = front if is_joined else _place_in_front(words, each.start, found[number - 1].stop if number else 0, places)
        placed.append(replace(each, place=behind or front))
    return placed


def _place_in_front(words: Sequence[str], start: int, earlier: int, places: Sequence[Place]) -> Place | None:
    """`in the upper left there are`, `the left half contains`: a place at the start of the clause."""
    for place in places:
        first = place.start - 1 if words[place.start - 1 : place.start] == ("the",) else place.start
        opens = first == 0 or words[first - 1] in CLAUSE_ENDS or words[first - 1] in {",", "and"}
        between = words[place.stop : start]
        if opens and earlier <= place.start and place.stop <= start and len(between) <= 8:
            is_listed = not between or between[0] == "," or {*between} & (BE | {"there"} | SHOWING)
            return place if is_listed and not {*between} & (CLAUSE_ENDS | {"and"}) else None
    return None


def _separates(between: Sequence[str]) -> bool:
    if tuple(between[-2:]) == ("close", "to"):
        between = between[:-2]
    joint = max((i for i, word in enumerate(between[:-1]) if word in {",", "and"} and _goes_on(between[i + 1])), default=-1)
    before, rest = between[: max(0, joint)], between[joint + 1 :]
    rest = [word for at, word in enumerate(rest) if tuple(rest[at : at + 2]) != ("to", "be")]  # "to be found" is no "next to"
    has_number = any(parse_number(word) is not None for word in rest)
    return len(between) > 12 or has_number or bool({*rest} & _SEPARATORS or {*before} & (CLAUSE_ENDS | {"which", ","}))


def _goes_on(word: str) -> bool:
    """Whether a word behind a comma or "and" still refers to the thing before it: `, located`, `and lies`."""
    return word in BE | word_set("lies lie sits sit stands stand located situated positioned placed mainly mostly all found")
