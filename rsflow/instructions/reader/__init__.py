"""The reader: sentences of free English about a tile into claims (rsflow.instructions.claims).

One idea: read little, and that surely. A module per kind of claim knows the few forms in which it is mostly written; what is in
none of them is unread, which is not right. A reading that words leave open is a set of claims, wrong only where none can hold.
English only, sentence by sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rsflow.instructions.reader.conversation import Conversation, Statement, read_statements
from rsflow.instructions.reader.covers import read_covers
from rsflow.instructions.reader.measures import read_measures
from rsflow.instructions.reader.objects import read_objects
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.picture import read_picture
from rsflow.instructions.reader.reading import Reading
from rsflow.instructions.reader.region_names import read_region_names
from rsflow.instructions.reader.relations import read_comparisons, read_relations

__all__ = ["Conversation", "Reading", "TileWords", "read_conversation"]

_READERS: tuple[Callable[[ReadSentence, TileWords], Iterator[Reading]], ...] = (
    read_relations,
    read_comparisons,
    read_measures,
    read_covers,
    read_picture,
)


def read_conversation(conversation: Conversation) -> Iterator[tuple[int, Reading]]:
    """(turn, reading) of everything that is read in the answers."""
    for statement, sentence in read_statements(conversation):
        yield from ((statement.turn, reading) for reading in _read(statement, sentence, conversation.tile))
    yield from read_region_names(conversation)


def _read(statement: Statement, sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    yield from read_objects(sentence, tile, statement.is_number_asked, statement.is_alone)
    for read in _READERS:
        yield from read(sentence, tile)
