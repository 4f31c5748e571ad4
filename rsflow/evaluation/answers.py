"""Answers to questions: asked of an engine, or read from a file of predictions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rsflow.errors import UsageError
from rsflow.evaluation.questions import Question
from rsflow.files import storage
from rsflow.generation.contract import Ask, Failure, Request

BATCH = 64  # questions that are handed to an engine at a time


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` as the model wrote it; None where it gave none, with the reason in `failure`."""

    question_id: str
    text: str | None
    failure: str = ""


def ask_engine(
    ask: Ask,
    questions: Iterable[tuple[Question, tuple[bytes, ...]]],
    blind: bool = False,
    max_tokens: int = 512,
    on_answer: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Question, Answer]]:
    """Ask every question, the likeliest answer each time. `blind`: without the pictures, to see what they add."""
    waiting = iter(questions)
    while batch := list(islice(waiting, BATCH)):
        requests = [_request(question, pictures, blind, max_tokens) for question, pictures in batch]
        answers: dict[int, Answer] = {}
        for position, outcome in ask(requests):
            question_id = batch[position][0].question_id
            answers[position] = (
                Answer(question_id, None, f"{outcome.reason}: {outcome.detail}")
                if isinstance(outcome, Failure)
                else Answer(question_id, outcome.text)
            )
            on_answer()
        yield from ((batch[position][0], answers[position]) for position in range(len(batch)))


def _request(question: Question, pictures: tuple[bytes, ...], blind: bool, max_tokens: int) -> Request:
    return Request("", question.prompt, () if blind else pictures, max_tokens=max_tokens, history=question.history)


def read_predictions(place: str) -> dict[str, Answer]:
    """Answers by question id, from JSON lines with `id` and `text`. UsageError names the line that is none, or a second id."""
    found: dict[str, Answer] = {}
    for number, line in enumerate(storage.read_text(place).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            answer = Answer(record["id"], record["text"], "null in the file" if record["text"] is None else "")
            valid = isinstance(answer.question_id, str) and isinstance(answer.text, str | None)
        except (ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            raise UsageError(
                f'{place}, line {number}: is no prediction; expected {{"id": "<instruction id>", "text": "<answer>"}}'
            )
        if answer.question_id in found:
            raise UsageError(f"{place}, line {number}: id {answer.question_id!r} is there twice")
        found[answer.question_id] = answer
    return found


def write_predictions(place: str, rows: Sequence[tuple[Question, Answer]]) -> None:
    """The same form, in the order of the questions."""
    lines = [json.dumps({"id": question.question_id, "text": answer.text}, ensure_ascii=False) for question, answer in rows]
    storage.write_bytes(place, "".join(line + "\n" for line in lines).encode())
