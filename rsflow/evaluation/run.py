"""One evaluation, from a snapshot and a model to files: predictions, scores, a page."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rsflow.dialects import get_dialect
from rsflow.errors import UsageError
from rsflow.evaluation.aggregate import Score, score_table
from rsflow.evaluation.answers import Answer, ask_engine, read_predictions, write_predictions
from rsflow.evaluation.questions import Question, read_questions
from rsflow.evaluation.report import examples, to_json, to_page
from rsflow.evaluation.scoring import score_answers
from rsflow.files import storage
from rsflow.generation import Engine, RecordedEngine, from_settings
from rsflow.shards.manifest import latest_snapshot


@dataclass(frozen=True)
class EvaluationJob:
    """`model`: a file of predictions (.jsonl), a checkpoint's folder or hub id, or the address of an endpoint (http…).

    `settings`: further settings of the engine, such as `model` (the name at an endpoint), `key`, `revision`, `batch_rows`.
    `blind`: ask without pictures. `meteor`: needs Java. `out`: the folder for `predictions.jsonl`, `scores.json` and
    `page.html`; answers are kept below it as they come, so that a run that was cut short goes on.
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


def evaluate(job: EvaluationJob, on_answer: Callable[[], None] = lambda: None) -> list[Score]:
    """Answer, score and write. Raises UsageError for a split without questions, or predictions that answer none of them."""
    dialect = get_dialect(job.dialect)
    rows = list(_answer(job, on_answer))
    if not rows:
        raise UsageError(f"{job.root}: its split {job.split!r} holds no question")
    scored = score_answers(rows, dialect)
    scores = score_table(scored, job.meteor)
    run = {
        "model": job.model,
        "root": job.root,
        "snapshot": latest_snapshot(job.root),
        "split": job.split,
        "dialect": job.dialect,
        "blind": job.blind,
        "questions": len(rows),
        "unanswered": sum(answer.text is None for _, answer in rows),
    }
    shown = {row.question.question_id for ends in examples(scored).values() for members in ends.values() for row in members}
    pictures = {question.question_id: found for question, found in _questions(job) if question.question_id in shown}
    write_predictions(posixpath.join(job.out, "predictions.jsonl"), rows)
    storage.write_bytes(posixpath.join(job.out, "scores.json"), (json.dumps(to_json(scores, run), indent=1) + "\n").encode())
    title = f"{job.model} on {job.split}{', without pictures' if job.blind else ''}"
    storage.write_bytes(posixpath.join(job.out, "page.html"), to_page(title, scores, scored, pictures).encode())
    return scores


def _questions(job: EvaluationJob) -> Iterator[tuple[Question, tuple[bytes, ...]]]:
    return read_questions(job.root, job.split, get_dialect(job.dialect), job.limit)


def _answer(job: EvaluationJob, on_answer: Callable[[], None]) -> Iterator[tuple[Question, Answer]]:
    if job.model.endswith(".jsonl"):
        return _from_predictions(job)
    engine = _engine(job)
    return ask_engine(
        RecordedEngine(engine, job.out, engine.model_identity), _questions(job), job.blind, job.max_tokens, on_answer
    )


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
