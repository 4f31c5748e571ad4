"""Claims of direction and of number between two kinds of things: "ships left of the bridge", "more ships than cars"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rsflow.instructions.claims import Claim
from rsflow.instructions.reader.objects import objects_meant
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.parsing.words import BE, PLAIN_ENDINGS, is_negation, parse_number, word_set
from rsflow.instructions.reader.reading import Reading

TOLERANCE = 0.05  # of a side: a thing may be called left of another that is also far above it
_TIMES = {"twice": 2.0, "double": 2.0}
_DIRECTIONS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("above",): ("above",),
    ("below",): ("below",),
    ("beneath",): ("below",),
    **{("to", "the", side, "of"): (side,) for side in ("left", "right")},
    **{(side, "of"): (side,) for side in ("left", "right")},
    **{
        ("to", "the", row, side, "of"): (way, side)
        for row, way in (("upper", "above"), ("lower", "below"))
        for side in ("left", "right")
    },
    **{(way, "and", "to", "the", side, "of"): (way, side) for way in ("above", "below") for side in ("left", "right")},
}
_BETWEEN = BE | word_set(
    "located situated found lies lie stands stand sits sit positioned placed parked moored clearly directly just all far"
    " farther further slightly well somewhat visible can be seen in the image both"
)
_ARTICLES = word_set("the a an both all this these two three four five six seven eight")


def read_relations(sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    """Each stated direction of one thing, or of all things of a kind, from another."""
    words = sentence.words
    if any(map(is_negation, words)):
        return
    position = 0
    while position < len(words):
        phrase = max(
            (each for each in _DIRECTIONS if tuple(words[position : position + len(each)]) == each), key=len, default=()
        )
        if phrase:
            yield from _direction(sentence, tile, position, position + len(phrase), _DIRECTIONS[phrase])
        position += max(1, len(phrase))


def _direction(sentence: ReadSentence, tile: TileWords, start: int, stop: int, ways: Sequence[str]) -> Iterator[Reading]:
    subject = next((each for each in reversed(sentence.mentions) if each.stop <= start), None)
    other = next((each for each in sentence.mentions if each.start >= stop), None)
    if subject is None or other is None or other.start - stop > 2 or not {*sentence.words[stop : other.start]} <= _ARTICLES:
        return
    if not {*sentence.words[subject.stop : start]} <= _BETWEEN or subject.place or other.place:
        return
    objects, others = objects_meant(subject, tile), objects_meant(other, tile)
    if objects and others and subject.noun != other.noun:
        claims = (
            Claim("relation", subject.noun, tuple(objects), tuple(others), other.noun, word=way, tolerance=TOLERANCE)
            for way in ways
        )
        yield from (Reading((claim,), " ".join(sentence.words[subject.start : other.stop])) for claim in claims)


def read_comparisons(sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    """Numbers of two kinds compared: `more A than B`, `A outnumber B`, `twice as many A as B`, `as many A as B`."""
    words = sentence.words
    if any(map(is_negation, words)):
        return
    for one, other in pairwise(sentence.mentions):
        comparison = None if one.is_narrowed or other.is_narrowed or one.place else _comparison(words, one, other)
        if comparison:
            claim = Claim("comparison", one.noun, other_category=other.noun, word=comparison[0], value=comparison[1])
            yield Reading((claim,), " ".join(words[max(0, one.start - 3) : other.stop]))


def _comparison(words: Sequence[str], one: Mention, other: Mention) -> tuple[str, float | None] | None:
    """(word of the claim, how many times) as the words around two mentions state it."""
    before, between = tuple(words[max(0, one.start - 4) : one.start]), tuple(words[one.stop : other.start])
    if between in {("than",), ("than", "there", "are")} and before[-1:] and before[-1] in {"more", "fewer"}:
        return before[-1], None
    if between in {("outnumber",), ("outnumber", "the"), ("outnumbers",)}:
        return "more", None
    if before[-2:] != ("as", "many") or between not in {("as",), ("as", "there", "are")}:
        return None
    if before[-3:-2] and before[-3] in BE:
        is_end = {*words[other.stop :]} <= PLAIN_ENDINGS
        return ("equal", None) if is_end else None
    times = _TIMES.get(before[-3]) if len(before) > 2 else None
    front = before[-4:-3]
    if before[-3:-2] == ("times",):
        times, front = parse_number(front[0]) if front else None, tuple(words[max(0, one.start - 5) : one.start - 4])
    return ("more", times) if times and front and front[0] in BE else None
