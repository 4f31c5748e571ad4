"""Texts that are repeated for one picture, and questions with two different answers.

Every exchange is stored as four 64-bit numbers (question on its picture, question and answer, the closed answer, the
record), so ten million exchanges take 320 MB; they are sorted at the end to find equal ones. The records that become examples
are read again for their texts.

Repeated is a whole record, or an exchange within one. That a dialogue takes up what a record of its own asks too is no fault.

Only closed answers can contradict each other: yes and no, numbers, a few words where one thing is asked for, and places. Two
captions of one picture do not. A question that depends on an earlier turn ("is it large?") is not compared.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rsflow.audit.records.near_duplicate_records import hash_texts, normalise_words
from rsflow.audit.report import MAX_EXAMPLES
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Conversation, Exchange
from rsflow.instructions.wording.english import NUMBER_WORDS

Ints = npt.NDArray[np.int64]

_HINTS = (
    "single word or phrase",
    "one word or phrase",
    "letter corresponding",
    "option's letter",
    "single word or a short phrase",
)
_REFERRED = ("region which is described as", "give the bounding box of", "bounding box coordinate of")
_LEANS = re.compile(r"\b(it|its|they|them|their|these|those|this one|that one|former|latter|he|she)\b", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ONE_ANSWER = re.compile(
    r"(is|are|was|were|do|does|did|has|have|can|how many|how much|where|which|what (colou?r|type|kind|category|class)|"
    r"what (is|are) the (number|count|amount|colou?r|type|kind|category|class|shape|name|land))\b"
)
MAX_SHORT_WORDS = 2  # words of an answer that names one thing; a sentence may say the same as a word


@dataclass
class DuplicateTexts:
    """Collects exchanges by `add`; `repeated` and `contradictory` compare them at the end."""

    form: str
    _questions: array[int] = field(default_factory=lambda: array("q"))
    _texts: array[int] = field(default_factory=lambda: array("q"))
    _closed: array[int] = field(default_factory=lambda: array("q"))
    _record: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, conversation: Conversation) -> None:
        """The exchanges of record `number`."""
        pictures = "\0".join(conversation.pictures)
        whole = [part for exchange in conversation.exchanges for part in (exchange.question, exchange.answer)]
        self._row(_hash(str(number)), _hash(pictures, *whole), 0, number)
        for position, exchange in enumerate(conversation.exchanges):
            if position and _LEANS.search(exchange.question):
                continue
            answer = closed_answer(exchange, self.form)
            texts = _hash(str(number), exchange.question, exchange.answer)
            self._row(
                _hash(pictures, normalise_words(exchange.question)), texts, _hash(answer) if answer is not None else 0, number
            )

    def _row(self, questions: int, texts: int, closed_answer: int, record: int) -> None:
        self._questions.append(questions)
        self._texts.append(texts)
        self._closed.append(closed_answer)
        self._record.append(record)

    def repeated(self) -> tuple[int, list[tuple[int, int]]]:
        """How many records, and exchanges within one, repeat an earlier one; the first few as (earlier record, record)."""
        texts, record = _numbers(self._texts), _numbers(self._record)
        order = np.argsort(texts, kind="stable")
        again = np.flatnonzero(texts[order][1:] == texts[order][:-1]) + 1
        starts = _run_starts(texts[order])
        pairs = sorted((int(record[order[i]]), int(record[order[starts[i]]])) for i in again)
        return len(again), [(first, later) for later, first in pairs[:MAX_EXAMPLES]]

    def contradictory(self) -> tuple[int, list[tuple[int, int]]]:
        """How many questions have two closed answers that differ, and the first few as (a record, a later one)."""
        some = np.flatnonzero(_numbers(self._closed))
        questions, answer, record = (_numbers(column)[some] for column in (self._questions, self._closed, self._record))
        order = np.argsort(questions, kind="stable")
        starts = _run_starts(questions[order])
        differs = answer[order] != answer[order][starts] if len(order) else np.zeros(0, dtype=bool)
        found: dict[int, tuple[int, int]] = {}
        for i in np.flatnonzero(differs):
            found.setdefault(int(starts[i]), (int(record[order[starts[i]]]), int(record[order[i]])))
        return len(found), sorted(found.values(), key=lambda pair: (pair[1], pair[0]))[:MAX_EXAMPLES]


def closed_answer(exchange: Exchange, form: str) -> str | None:
    """The answer in a form in which two that differ contradict each other; None for an open answer."""
    answer = exchange.answer.strip().rstrip(".").strip().lower()
    first = re.split(r"[\s,.;!]", answer, maxsplit=1)[0]
    if first in {"yes", "no"}:
        return first
    if answer in NUMBER_WORDS:
        answer = str(NUMBER_WORDS.index(answer))
    if _NUMBER.fullmatch(answer):
        return f"{float(answer):g}"
    question = exchange.question.lower()
    short = len(answer.split()) <= MAX_SHORT_WORDS
    if any(hint in question for hint in _HINTS) or (short and _ONE_ANSWER.match(question)):
        return answer
    if any(phrase in question for phrase in _REFERRED):
        return " ".join(sorted(str(box.numbers) for box in find_boxes(exchange.answer, form))) or None
    return None


def describe_pair(one: Conversation, other: Conversation, same: bool, form: str) -> str:
    """What two records have in common: their repeated text (`same`), or their question with two answers, for an example."""
    answers = {normalise_words(exchange.question): exchange for exchange in one.exchanges}
    for exchange in reversed(other.exchanges):
        before = answers.get(normalise_words(exchange.question))
        if before and same and before == exchange:
            return f"{_short(exchange.question)} -> {_short(exchange.answer)}"
        if before and not same and closed_answer(before, form) != closed_answer(exchange, form):
            return f"{_short(exchange.question)} -> {_short(before.answer)} and {_short(exchange.answer)}"
    return _within(other, same, form)


def _within(conversation: Conversation, same: bool, form: str) -> str:
    """The same for two exchanges of one record."""
    for number, later in enumerate(conversation.exchanges):
        for first in conversation.exchanges[:number]:
            if first.question == later.question and (first.answer == later.answer) == same:
                shown = _short(first.answer) if same else f"{_short(first.answer)} and {_short(later.answer)}"
                return f"{_short(first.question)} -> {shown}"
    return "the same question on the same picture"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _run_starts(values: Ints) -> Ints:
    """For each position of a sorted array, where the run of its value begins."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    new = np.concatenate([[True], values[1:] != values[:-1]])
    starts: Ints = np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
    return starts


def _numbers(column: array[int]) -> Ints:
    return np.array(column, dtype=np.int64)


def _hash(*parts: str) -> int:
    return hash_texts(*parts) or 1  # 0 stands for no answer


def iter_example_records(pairs: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The records that examples are made of."""
    for pair in pairs:
        yield from pair
