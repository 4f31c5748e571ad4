"""What an answer calls the one object that its question points at: `what is in [[|0]]? this is a ship`."""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.claims import Claim
from rsflow.instructions.reader.conversation import Conversation
from rsflow.instructions.reader.parsing.places import NEAR
from rsflow.instructions.reader.parsing.read_sentence import read_sentence
from rsflow.instructions.reader.reading import Reading
from rsflow.spatial.geometry import Box, bounding_box, iou
from rsflow.text.turns import marks

SAME = 0.8  # intersection over union from which a box is that of an object
_NAMING = frozenset({"this", "it", "a", "an", "the"})


def read_region_names(conversation: Conversation) -> Iterator[tuple[int, Reading]]:
    """(turn, reading) of each answer that names the object of its question's one box, and where that lies."""
    turns = conversation.instruction.turns
    for turn in conversation.answers:
        pointed = marks(turns[turn - 1].text) if turn else []
        answer = conversation.sentences[turn]
        if len(pointed) != 1 or pointed[0].phrase or len(pointed[0].boxes) != 1 or not answer or marks(turns[turn].text):
            continue
        number = _object_in(conversation, pointed[0].boxes[0])
        sentence = read_sentence(answer[0].words, conversation.tile)
        mention = sentence.mentions[0] if sentence.mentions else None
        if number is None or mention is None or mention.is_denied or mention.quantity or answer[0].words[0] not in _NAMING:
            continue
        if mention.start > 4 or mention.is_plural:
            continue
        words = " ".join(answer[0].words[: mention.stop])
        yield turn, Reading((Claim("name", mention.noun, (number,)),), words)
        if mention.place:
            yield (
                turn,
                Reading(
                    (Claim("place", "", (number,), word=mention.place.name, tolerance=max(NEAR, mention.place.tolerance)),),
                    words,
                ),
            )


def _object_in(conversation: Conversation, position: int) -> int | None:
    """The number of the one object whose box a region is."""
    boxes = conversation.instruction.boxes
    if position >= len(boxes):
        return None
    region: Box = bounding_box(boxes[position])
    found = [each.number for each in conversation.tile.claims.numbered if iou(each.object.box, region) >= SAME]
    return found[0] if len(found) == 1 else None
