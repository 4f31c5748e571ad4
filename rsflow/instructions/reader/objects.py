"""Claims about objects that mentions make: how many, that there are some or none, and where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsflow.instructions.claims import Claim
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.places import NEAR
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.reading import Reading

MOST = 0.4  # share of the objects from which "the ships" or "most ships" may be written
PLAINLY_LARGER = 1.3  # ratio of areas


def read_objects(
    sentence: ReadSentence, tile: TileWords, is_number_asked: bool = False, is_alone: bool = False
) -> Iterator[Reading]:
    """`is_number_asked`: the sentence answers "how many", so that a number is of all, at its place as well. `is_alone`: it is
    all that the text says, as a caption is: what counts some of the things would not stand there without the others."""
    often = Counter(mention.noun for mention in sentence.mentions if mention.quantity)
    for mention in sentence.mentions:
        stop = max(mention.stop, mention.place.stop if mention.place else 0)
        words = " ".join(sentence.words[max(0, mention.start - 2) : stop + 2])
        for claim in _claims(mention, tile, often[mention.noun] == 1, is_number_asked, is_alone):
            about = mention.quantity.tolerance if mention.quantity and not claim.at_least and claim.kind == "count" else 0.0
            yield Reading(tuple(_with_values_about(claim, about)), words)


def _with_values_about(claim: Claim, share: float) -> Iterator[Claim]:
    """The claim with every whole number within a share of its value: "about twelve" may be any of them."""
    value = claim.value or 0.0
    if not share:
        yield claim
        return
    # The share is of what is there, so that the largest number is the value over (1 - share).
    for number in range(math.ceil(value * (1 - share)), math.floor(value / (1 - share)) + 1):
        yield replace(claim, value=float(number))


def _claims(mention: Mention, tile: TileWords, is_counted_once: bool, is_number_asked: bool, is_alone: bool) -> Iterator[Claim]:
    place, tolerance = (mention.place.name, mention.place.tolerance) if mention.place else ("", 0.0)
    if mention.is_denied:
        if not mention.is_narrowed:
            # Words leave open how far a place reaches: what is denied there is wrong where an object plainly lies in it.
            yield Claim("count", mention.noun, value=0, word=place, tolerance=NEAR) if place else Claim("absence", mention.noun)
        return
    if mention.quantity:
        is_exact = (
            is_counted_once and (mention.is_complete or (mention.is_unqualified and is_alone)) and not mention.is_narrowed
        )
        yield from _counts(mention, place, tolerance, is_exact, is_number_asked)
        if not (mention.is_all and place):
            return
    if mention.superlative:
        yield from _extreme(mention, tile, place, tolerance)
    elif place and mention.is_plural and (mention.is_definite or mention.is_all or mention.is_most):
        yield from _most_at(mention, tile, place, tolerance)
    elif mention.quantity is None and not mention.is_compared:
        yield Claim(
            "presence", mention.noun, word="" if mention.is_narrowed and mention.is_definite else place, tolerance=tolerance
        )


def _counts(mention: Mention, place: str, tolerance: float, is_exact: bool, is_number_asked: bool) -> Iterator[Claim]:
    quantity = mention.quantity
    if quantity is None or quantity.is_upper_bound:
        return
    if mention.total:
        yield Claim("count", mention.noun, value=mention.total)
    if is_number_asked and place and not mention.is_narrowed:
        yield Claim("count", mention.noun, value=quantity.value, word=place, tolerance=tolerance, at_least=quantity.at_least)
        return
    if is_exact and not place and not quantity.at_least:
        yield Claim("count", mention.noun, value=quantity.value)
        return
    least = math.floor(quantity.value * (1 - quantity.tolerance))
    yield Claim("count", mention.noun, value=least, at_least=True)
    if place and not mention.is_all:
        yield Claim("count", mention.noun, value=least, at_least=True, word=place, tolerance=tolerance)


def _most_at(mention: Mention, tile: TileWords, place: str, tolerance: float) -> Iterator[Claim]:
    numbers = tile.numbers_of(mention.noun)
    if not numbers or not tile.claims.is_counted(mention.noun):
        yield Claim("presence", mention.noun)
    elif mention.is_all and not mention.is_narrowed:
        yield Claim("place", mention.noun, objects=numbers, word=place, tolerance=tolerance)
    else:
        least = 1 if mention.is_narrowed else max(1, math.ceil(MOST * len(numbers)))
        yield Claim("count", mention.noun, value=least, at_least=True, word=place, tolerance=tolerance)


def _extreme(mention: Mention, tile: TileWords, place: str, tolerance: float) -> Iterator[Claim]:
    """The largest or smallest object, where it plainly is, in its place."""
    yield Claim("presence", mention.noun)
    number = find_extreme(mention, tile)
    if number is not None and place:
        yield Claim("place", mention.noun, objects=(number,), word=place, tolerance=tolerance)


def find_extreme(mention: Mention, tile: TileWords) -> int | None:
    """The number of the object that a superlative means; None where it is not plain which that is."""
    each = sorted(
        (tile.claims.by_number[number] for number in tile.numbers_of(mention.noun)), key=lambda one: one.object.area_px
    )
    if len(each) < 2 or not tile.claims.is_counted(mention.noun):
        return each[0].number if each and tile.claims.is_counted(mention.noun) else None
    first, second = (each[-1], each[-2]) if mention.superlative == "largest" else (each[1], each[0])
    is_plain = first.object.area_px >= PLAINLY_LARGER * second.object.area_px
    return (each[-1] if mention.superlative == "largest" else each[0]).number if is_plain else None


def objects_meant(mention: Mention, tile: TileWords) -> Sequence[int]:
    """The numbers of the objects that a mention is about as a whole; empty where it may be about some of them."""
    numbers = tile.numbers_of(mention.noun)
    if mention.superlative:
        number = find_extreme(mention, tile)
        return () if number is None else (number,)
    if mention.is_denied or not numbers or not tile.claims.is_counted(mention.noun):
        return ()
    is_whole = len(numbers) == 1 or mention.is_all or (mention.is_plural and mention.is_definite)
    counted = mention.quantity is None or mention.quantity.value == len(numbers)
    return numbers if is_whole and counted and not (mention.is_narrowed and len(numbers) > 1) else ()
