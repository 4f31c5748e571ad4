"""The answers of one who never looks: to each question the commonest answer that its like has in the train split.

One idea: a model is worth no more than what it adds to this. Questions are alike where task, kind and what is asked about (a
category, a fact) are; of long texts, which differ from picture to picture, the commonest is as good as any and is taken by
name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from rsflow.dialects import get_dialect
from rsflow.evaluation import Answer, Question, read_questions

Like = tuple[str, ...]


def majority_answers(
    root: str, dialect: str, split: str, train_split: str = "train", tasks: tuple[str, ...] = ()
) -> Iterator[tuple[Question, Answer]]:
    """Every question of `split` with its answer, spelled in the dialect; `tasks`: only of these, none: of all. A question whose
    like train lacks gets none."""
    commonest = _commonest_answers(root, dialect, train_split)
    for question, _ in read_questions(root, split, get_dialect(dialect), tasks=tasks):
        text = next((commonest[like] for like in _likes(question) if like in commonest), None)
        yield question, Answer(question.question_id, text, "" if text else "train has no such question")


def _commonest_answers(root: str, dialect: str, split: str) -> dict[Like, str]:
    spell = get_dialect(dialect).spell
    counts: dict[Like, Counter[str]] = defaultdict(Counter)
    for question, _ in read_questions(root, split, get_dialect(dialect)):
        text = spell(question.reference, question.boxes, question.height_px, question.width_px)
        for like in _likes(question):
            counts[like][text] += 1
    return {like: max(sorted(found.items()), key=lambda item: item[1])[0] for like, found in counts.items()}


def _likes(question: Question) -> list[Like]:
    """What a question is like, the closest first."""
    return [
        (question.task, question.kind, question.subject, question.sensor),
        (question.task, question.kind, question.subject),
        (question.task, question.kind),
    ]
