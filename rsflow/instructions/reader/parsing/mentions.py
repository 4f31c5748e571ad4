"""Mentions: the noun phrases of a sentence that name things of the tile, with their number and what narrows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.reader.parsing.places import Place
from rsflow.instructions.reader.parsing.tile_words import Spelling, TileWords, match_spelling
from rsflow.instructions.reader.parsing.words import (
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    NEGATIONS,
    PLAIN_ADJECTIVES,
    PLAIN_ENDINGS,
    PREPOSITIONS,
    SHOWING,
    Quantity,
    parse_number,
    quantity_before,
    word_set,
)

SUPERLATIVES = {
    **dict.fromkeys(["largest", "biggest"], "largest"),
    **dict.fromkeys(["smallest", "tiniest"], "smallest"),
}
_NO_ADJECTIVE = PREPOSITIONS | CONJUNCTIONS | AUXILIARIES | SHOWING | DETERMINERS | NEGATIONS
_NO_ADJECTIVE |= word_set(", : ( ) ' % & / outnumber outnumbers many much more fewer less")
_UNITS = word_set("m meter meters metre metres km kilometer kilometers kilometre kilometres percent pixel pixels")
_MOST = {("most", "of", "the"), ("majority", "of", "the"), ("many", "of", "the")}
_VERB_ENDS = ("ed", "ing", "ly")
# Verbs that may follow a singular noun; after any other word it may only describe that word ("bridge deck").
_AFTER_NOUN = (
    AUXILIARIES
    | PREPOSITIONS
    | CONJUNCTIONS
    | SHOWING
    | PLAIN_ENDINGS
    | word_set(
        "lies sits rests stands occupies floats crosses spans extends measures covers appears connects dominates runs nearby"
        " only alone there not cannot isn't too just roughly each left right upper lower top bottom surrounded parked located"
    )
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `start` to `stop` name things of the tile as `noun`.

    `is_all`: all of the kind are meant ("all ships", "both ships", "most ships" with `is_most`). `is_narrowed`: adjectives pick
    some of them. `is_compared`: it is what others are compared with. `total`: N of "two of the N ships". `is_complete`: the
    quantity counts all that the picture shows. `is_unqualified`: nothing in the sentence picks some of the things.
    """

    noun: str
    start: int
    stop: int
    is_plural: bool
    quantity: Quantity | None = None
    is_definite: bool = False
    is_all: bool = False
    is_most: bool = False
    is_narrowed: bool = False
    superlative: str = ""
    is_denied: bool = False
    is_complete: bool = False
    is_unqualified: bool = False
    is_compared: bool = False
    total: float | None = None
    place: Place | None = None


def find_mentions(words: Sequence[str], places: Sequence[Place], tile: TileWords, antecedent: str) -> list[Mention]:
    inside = {position for place in places for position in range(place.start, place.stop)}
    found: list[Mention] = []
    position = 0
    while position < len(words):
        spelling = match_spelling(words, position, tile.nouns) if position not in inside else None
        before = found[-1].noun if found else antecedent
        if spelling is None and before and words[position] in {"them", "which"} and words[position - 1] == "of":
            spelling = Spelling((words[position],), before, True)
        if spelling is None:
            position += 1
            continue
        stop = position + len(spelling.words)
        mention = _listed_number(words, position, stop, spelling) or _noun_phrase(words, position, stop, spelling)
        if mention:
            found.append(mention)
        position = stop
    return found


def _listed_number(words: Sequence[str], start: int, stop: int, spelling: Spelling) -> Mention | None:
    """`ships : 5`, `ships ( 5 )`, `ships : none`"""
    after = words[stop + 1] if words[stop : stop + 1] in ((":",), ("(",)) and stop + 1 < len(words) else ""
    number = 0.0 if after == "none" else parse_number(after)
    if number is None or words[stop + 2 : stop + 3] not in ((), (",",), (")",)):
        return None
    quantity = Quantity(start, number) if number else None
    return Mention(spelling.noun, start, stop + 2, True, quantity, is_all=True, is_denied=not number, is_complete=True)


def _noun_phrase(words: Sequence[str], noun_start: int, stop: int, spelling: Spelling) -> Mention | None:
    """The phrase around a noun; None where the noun only describes what follows, or is general."""
    start = noun_start
    while start and noun_start - start < 4 and words[start - 1] not in _NO_ADJECTIVE and quantity_before(words, start) is None:
        start -= 1
    adjectives, quantity = words[start:noun_start], quantity_before(words, start)
    if (quantity and _UNITS & {*adjectives}) or not (spelling.is_plural or _stands_alone(words, start, stop, quantity)):
        return None
    first = quantity.start if quantity else start
    before = words[max(0, first - 3) : first]
    total, part = _partitive(words, quantity, first)
    is_most = before in _MOST or before[-1:] == ("most",)
    is_all = not is_most and bool({"all", "both"} & {*before[-2:], *words[first:start]})
    is_some = _is_of_some(before) and not (part or is_most or is_all)
    return Mention(
        spelling.noun,
        part.start if part else first,
        stop,
        spelling.is_plural,
        part or quantity,
        is_definite=bool({"the", "these", "both", "all"} & {*words[max(0, start - 1) : start], *words[first:start]}),
        is_all=is_all,
        is_most=is_most,
        is_narrowed=is_some or (part is not None and total is None) or not {*adjectives} <= PLAIN_ADJECTIVES,
        superlative=_superlative(adjectives, before),
        is_compared=bool({"than", "as"} & {*before}),
        total=total,
    )


def _stands_alone(words: Sequence[str], start: int, stop: int, quantity: Quantity | None) -> bool:
    """Whether a singular noun names a thing: behind an article or a number, and before no other noun ("bridge deck")."""
    after = words[stop] if stop < len(words) else ""
    has_determiner = quantity is not None or (start > 0 and words[start - 1] in DETERMINERS | {"without", "lacks"})
    return has_determiner and (after in _AFTER_NOUN or not after[:1].isalpha() or after.endswith(_VERB_ENDS))


def _is_of_some(before: Sequence[str]) -> bool:
    """`a group of`, `a third of the`: some of the things are meant; not `to the left of the`."""
    return before[-1:] == ("of",) or (before[-2:] in (("of", "the"), ("of", "these")) and before[0] not in {"left", "right"})


def _superlative(adjectives: Sequence[str], before: Sequence[str]) -> str:
    candidates = [*adjectives, *(before if "of" in before else ())]
    return next((SUPERLATIVES[word] for word in candidates if word in SUPERLATIVES), "")


def _partitive(words: Sequence[str], quantity: Quantity | None, first: int) -> tuple[float | None, Quantity | None]:
    """(6, two) of `two of the six ships`, (None, two) of `two of the ships`; (None, None) where none of all are picked."""
    if quantity is None:
        is_partitive = words[max(0, first - 2) : first] == ("of", "the")
        return None, quantity_before(words, first - 2) if is_partitive else None
    part = quantity_before(words, first - 1) if first > 1 and words[first - 1] == "of" else None
    return (quantity.value, part) if part else (None, None)
