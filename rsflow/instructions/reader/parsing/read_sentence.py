"""A sentence with its mentions: what it names of the tile, how many, where, and what it denies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rsflow.instructions.reader.parsing.completeness import find_complete, is_unqualified
from rsflow.instructions.reader.parsing.denials import mark_denials
from rsflow.instructions.reader.parsing.mention_places import add_places
from rsflow.instructions.reader.parsing.mentions import Mention, find_mentions
from rsflow.instructions.reader.parsing.places import Place, find_places
from rsflow.instructions.reader.parsing.supposition import drop_supposed
from rsflow.instructions.reader.parsing.tile_words import TileWords


@dataclass(frozen=True)
class ReadSentence:
    """A sentence without what it supposes, with its mentions and the places that it names."""

    words: tuple[str, ...]
    mentions: tuple[Mention, ...]
    places: tuple[Place, ...]


def read_sentence(words: Sequence[str], tile: TileWords, antecedent: str = "") -> ReadSentence:
    """`antecedent`: the noun that "of them" stands for, where the sentence names none before it."""
    words = drop_supposed(words)
    places = tuple(find_places(words))
    found = mark_denials(words, find_mentions(words, places, tile, antecedent), places)
    placed = add_places(words, found, places)
    complete = find_complete(words, placed, places)
    mentions = tuple(
        replace(each, is_complete=each.is_complete or each.start in complete, is_unqualified=is_unqualified(words, each))
        for each in placed
    )
    return ReadSentence(tuple(words), mentions, places)
