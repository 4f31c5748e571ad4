"""How many objects of a category the exchanges on one picture state.

Four kinds of text state all objects of a category and must agree: how many there are, whether there is one, where all are,
and a sentence that says only "There are two ships in the image".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rsflow.audit.records.answer_kinds import HOW_MANY, IS_THERE, LINKED, asked_category, bare_question
from rsflow.audit.records.box_texts import DENIES, EMPTY
from rsflow.audit.records.duplicate_texts import closed_answer
from rsflow.audit.records.stated_counts import find_whole_counts
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Conversation, Exchange
from rsflow.instructions.wording.english import singular_noun

_BUT = re.compile(r"\b(?:only|but|except|other|just)\b|[1-9]", re.IGNORECASE)
MAX_DENIAL_WORDS = 8
_PART = re.compile(r"\b(?:left|right|top|bottom|upper|lower|larger?|smaller?)\b", re.I)  # of the picture, or of the objects


@dataclass
class CategoryCounts:
    """How many objects of a category the exchanges on a picture state: (least, most, record, question) by both.

    One question with two answers is reported by rsflow.audit.records.duplicate_texts instead.
    """

    form: str
    _known: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)

    def add(self, number: int, conversation: Conversation) -> Iterator[tuple[int, str]]:
        """(earlier record, what differs) for what this record says otherwise than one before."""
        if not conversation.pictures:
            return
        for exchange in conversation.exchanges:
            for name, least, most in parse_counts(exchange, self.form):
                key = hash((conversation.pictures, name.casefold()))
                before = self._known.setdefault(key, (least, most, number, hash(exchange.question)))
                if max(least, before[0]) > min(most, before[1]) and before[3] != hash(exchange.question):
                    yield before[2], f"{name}: {_range(*before[:2])} and {_range(least, most)} on {conversation.pictures[0]}"
                elif most - least < before[1] - before[0]:
                    self._known[key] = (least, most, number, hash(exchange.question))


UNBOUNDED = 1 << 30


def parse_counts(exchange: Exchange, form: str) -> Iterator[tuple[str, int, int]]:
    """(category, least, most) of what an exchange states about all objects of a category in its picture."""
    question, answer = bare_question(exchange), closed_answer(exchange, form)
    if (many := HOW_MANY.fullmatch(question)) and answer and answer.isdecimal():
        yield from _named(many[1], int(answer), int(answer))
    elif (one := IS_THERE.fullmatch(question)) and answer in {"yes", "no"}:
        yield from _named(one[1], *((1, UNBOUNDED) if answer == "yes" else (0, 0)))
    elif name := asked_category(exchange):
        count = sum(1 for _ in find_boxes(exchange.answer, form))
        if not count and not _is_none(exchange.answer):
            return
        yield from _named(name, count, count)
    else:
        for number, name in find_whole_counts(exchange.answer):
            yield from _named(name, number, number)


def _is_none(answer: str) -> bool:
    """Whether an answer without boxes says that there are no objects, and nothing else."""
    is_short = len(answer.split()) <= MAX_DENIAL_WORDS and not _BUT.search(answer)
    return EMPTY.fullmatch(answer) is not None or (is_short and DENIES.search(answer) is not None)


def _named(words: str, least: int, most: int) -> Iterator[tuple[str, int, int]]:
    name = singular_noun(words)
    if name and not LINKED.search(words) and not _PART.search(words):
        yield name, least, most


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"at least {least}"
