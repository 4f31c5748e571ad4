"""A question with its answer: one fact of a tile in words, used alone or as a turn of a conversation.

Tasks derive them from labels; only this module turns them into turns. A single question gets the short answer, a conversation
the full sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from rsflow.instructions.phrasings import PHRASINGS
from rsflow.instructions.wording.hash_choice import choose
from rsflow.records import Instruction, Reject, TaskName
from rsflow.spatial.geometry import Region
from rsflow.text.turns import Turn

VERSION = 9  # raised when the text of any instruction changes
GENERATOR = f"rules-{VERSION}"


class SampleFacts(Protocol):
    """What is known of a tile or of a group, which has the id of its sample."""

    @property
    def tile_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """`kind` is a key of PHRASINGS unless it has `own_phrasings`, `subject` distinguishes questions of one kind on a tile,
    `placeholders` fill the phrasing.

    `short_answer` is a word or phrase, `full_answer` a sentence; both may hold marks into `boxes`. `labels` are positions in
    the tile's labels. `answer` is the structured form. `box_pictures` as of an Instruction. `content`: what a
    text says, for languages that write it anew (rsflow.instructions.wording.content); it is not stored.
    """

    task: TaskName
    kind: str
    subject: str
    short_answer: str
    full_answer: str
    answer: dict[str, Any]
    labels: tuple[int, ...]
    boxes: tuple[Region, ...] = ()
    placeholders: dict[str, str] = field(default_factory=dict)
    own_phrasings: tuple[str, ...] = ()
    box_pictures: tuple[int, ...] = ()
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def phrasings(self) -> tuple[str, ...]:
        return self.own_phrasings or PHRASINGS[self.kind]


def single_question(qa: QuestionAnswer, facts: SampleFacts, seed: int) -> str:
    """A phrasing chosen by hash, with its placeholders filled."""
    return choose(qa.phrasings, seed, facts.tile_id, qa.task, qa.kind, qa.subject).format(**qa.placeholders)


def conversation_question(qa: QuestionAnswer, facts: SampleFacts, seed: int) -> str:
    """The same for a conversation: never the first phrasing, which is for single questions."""
    return choose(qa.phrasings[1:], seed, facts.tile_id, "conversation", qa.kind, qa.subject).format(**qa.placeholders)


def instruction(qa: QuestionAnswer, facts: SampleFacts, seed: int) -> Instruction:
    """One question and its short answer."""
    turns = (Turn("user", single_question(qa, facts, seed)), Turn("assistant", qa.short_answer))
    return Instruction(qa.task, turns, qa.boxes, qa.labels, qa.answer, GENERATOR, box_pictures=qa.box_pictures)


def reject_instruction(facts: SampleFacts, task: TaskName, reason: str, detail: str) -> Reject:
    """An instruction that was not made, because it could not have been true or clear."""
    return Reject("instruction", f"{facts.tile_id}#{task}", reason, detail)
