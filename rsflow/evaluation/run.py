"""One evaluation, from a snapshot and a model to files: predictions, scores, a page."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rsflow.dialects import get_dialect
from rsflow.errors import RsflowError, UsageError
from rsflow.evaluation.aggregate import Score, score_table
from rsflow.evaluation.answers import Answer, ask_engine, read_predictions, write_predictions
from rsflow.evaluation.questions import Question, read_questions
from rsflow.evaluation.report import examples, to_json, to_page
from rsflow.evaluation.scores.consistency import add_consistency, reworded
from rsflow.evaluation.scores.scoring import score_answers
from rsflow.files import storage
from rsflow.generation import Engine, RecordedEngine, from_settings
from rsflow.shards.manifest import latest_snapshot


@dataclass(frozen=True)
class EvaluationJob:
    """`model`: a file of predictions (.jsonl), a checkpoint's folder or hub id, or the address of an endpoint (http…).

    `settings`: further settings of the engine, such as `model` (the name at an endpoint), `key`, `revision`, `batch_rows`.
    `blind`: ask without pictures. `history`: ask the last question of a conversation after its earlier turns, with their right
    answers; without, alone. `wordings`: ask each question with a short answer in so many other wordings too, to see whether it
    is answered alike. `tasks`: only questions of these. `meteor`: needs Java. `out`: the folder for `predictions.jsonl`,
    `scores.json` and `page.html`; answers are kept below it as they come, so that a run that was cut short goes on.
    """

    model: str
    root: str
    split: str
    dialect: str
    out: str
    blind: bool = False
    limit: int | None = None
    max_tokens: int = 512
    meteor: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    history: bool = True
    wordings: int = 0
    tasks: tuple[str, ...] = ()


def evaluate(
    job: EvaluationJob, on_answer: Callable[[], None] = lambda: None, say: Callable[[str], None] = lambda line: None
) -> list[Score]:
    """Answer, score and write; `say` gets what a table of scores does not show. Raises UsageError for a split without
    questions, or predictions that answer none of them; RsflowError where a model answers none."""
    dialect = get_dialect(job.dialect)
    rows = list(_answer(job, on_answer))
    if not rows:
        of_tasks = f" of {', '.join(job.tasks)}" if job.tasks else ""
        raise UsageError(f"{job.root}: its split {job.split!r} holds no question{of_tasks}")
    failures, unknown = count_failures(rows), _unknown_predictions(job)
    if failures.total() == len(rows):
        raise RsflowError(f"{job.model}: answered none of {len(rows):,} questions: {rows[0][1].failure}")
    for line in notes(len(rows), failures, unknown):
        say(line)
    scored = score_answers(rows, dialect)
    if job.wordings:
        scored = add_consistency(scored, score_answers(_answer_reworded(job, on_answer), dialect))
    scores = score_table(scored, job.meteor)
    run = {
        "model": job.model,
        "root": job.root,
        "snapshot": latest_snapshot(job.root),
        "split": job.split,
        "dialect": job.dialect,
        "blind": job.blind,
        "history": job.history,
        "wordings": job.wordings,
        "tasks": list(job.tasks),
        "questions": len(rows),
        "unanswered": failures.total(),
        "unanswered_by_reason": dict(failures.most_common()),
        "unknown_predictions": len(unknown),
    }
    shown = {row.question.question_id for ends in examples(scored).values() for members in ends.values() for row in members}
    pictures = {question.question_id: found for question, found in _questions(job) if question.question_id in shown}
    write_predictions(posixpath.join(job.out, "predictions.jsonl"), rows)
    storage.write_bytes(posixpath.join(job.out, "scores.json"), (json.dumps(to_json(scores, run), indent=1) + "\n").encode())
    title = f"{job.model} on {job.split}{', without pictures' if job.blind else ''}"
    storage.write_bytes(posixpath.join(job.out, "page.html"), to_page(title, scores, scored, pictures).encode())
    return scores


def _questions(job: EvaluationJob) -> Iterator[tuple[Question, tuple[bytes, ...]]]:
    dialect = get_dialect(job.dialect)
    for question, pictures in read_questions(job.root, job.split, dialect, job.limit, job.wordings, job.tasks):
        yield question if job.history else replace(question, history=()), pictures


def _answer(job: EvaluationJob, on_answer: Callable[[], None]) -> Iterator[tuple[Question, Answer]]:
    return _from_predictions(job) if job.model.endswith(".jsonl") else _ask(job, _questions(job), on_answer)


def _answer_reworded(job: EvaluationJob, on_answer: Callable[[], None]) -> Iterator[tuple[Question, Answer]]:
    if job.model.endswith(".jsonl"):
        raise UsageError(
            f"{job.model}: a file of predictions has no answers to other wordings: --wordings needs a model to ask"
        )
    return _ask(job, reworded(_questions(job)), on_answer)


def _ask(
    job: EvaluationJob, questions: Iterator[tuple[Question, tuple[bytes, ...]]], on_answer: Callable[[], None]
) -> Iterator[tuple[Question, Answer]]:
    engine = _engine(job)
    recorded = RecordedEngine(engine, job.out, engine.model_identity)
    return ask_engine(recorded, questions, job.blind, job.max_tokens, on_answer)


def count_failures(rows: Sequence[tuple[Question, Answer]]) -> Counter[str]:
    """Questions without an answer, by the reason."""
    return Counter(answer.failure.partition(":")[0] for _, answer in rows if answer.text is None)


def notes(questions: int, failures: Counter[str], unknown: Sequence[str]) -> list[str]:
    """What a table of scores does not show: questions that count as wrong because they have no answer, and answers to no
    question.
    """
    lines = []
    if failures:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in failures.most_common())
        lines.append(f"{failures.total():,} of {questions:,} questions have no answer and count as wrong: {reasons}")
    if unknown:
        lines.append(
            f"{len(unknown):,} predictions are of no question of the split and count nowhere, such as {unknown[0]!r}: they "
            "may be of another split or snapshot"
        )
    return lines


def _unknown_predictions(job: EvaluationJob) -> list[str]:
    """Ids in a file of predictions that no question of the split has, whatever its task, sorted."""
    if not job.model.endswith(".jsonl"):
        return []
    known = {question.question_id for question, _ in read_questions(job.root, job.split, get_dialect(job.dialect))}
    return sorted(read_predictions(job.model).keys() - known)


def _from_predictions(job: EvaluationJob) -> Iterator[tuple[Question, Answer]]:
    """Every question, answered or not: what a file leaves out counts as unanswered."""
    predictions = read_predictions(job.model)
    rows = [
        (question, predictions.get(question.question_id, Answer(question.question_id, None, "no prediction")))
        for question, _ in _questions(job)
    ]
    if rows and all(answer.text is None for _, answer in rows):
        raise UsageError(
            f"{job.model}: answers none of the {len(rows):,} questions of {job.root}, split {job.split!r}, by their ids"
        )
    return iter(rows)


def _engine(job: EvaluationJob) -> Engine:
    if job.model.startswith(("http://", "https://")):
        return from_settings({"name": "openai", "address": job.model, **job.settings})
    return from_settings({"name": "transformers", "model": job.model, **job.settings})
