"""Whether a model answers the same question alike in other words.

One idea: an answer in each wording is read to its value (yes or no, a number, a name), and a question is answered consistently
where all values are the same and each could be read. Only kinds of answers that have a value are compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.scoring import NAMED_KINDS, Scored
from rsflow.evaluation.scores.short_answers import normalise, parse_number, parse_share, parse_yes_no

COMPARED_KINDS = NAMED_KINDS | {"yes_no", "count", "share", "choice"}


def reworded(questions: Iterable[tuple[Question, tuple[bytes, ...]]]) -> Iterator[tuple[Question, tuple[bytes, ...]]]:
    """Each wording of each question whose kind is compared, as a question of its own: "<id>~1", "<id>~2", ..."""
    for question, picture in questions:
        if question.kind in COMPARED_KINDS:
            for number, wording in enumerate(question.wordings, 1):
                yield replace(question, question_id=f"{question.question_id}~{number}", prompt=wording, wordings=()), picture


def add_consistency(rows: Sequence[Scored], others: Sequence[Scored]) -> list[Scored]:
    """The rows, with two more measures where `others` has answers to other wordings: `consistency`, whether all answers are
    alike, and `accuracy_all`, whether all are right."""
    found: dict[str, list[Scored]] = defaultdict(list)
    for row in others:
        found[row.question.question_id.rpartition("~")[0]].append(row)
    return [_compared(row, found.get(row.question.question_id, [])) for row in rows]


def _compared(row: Scored, others: Sequence[Scored]) -> Scored:
    if not others:
        return row
    every = [row, *others]
    values = {_value(one) for one in every}
    measures = {
        "consistency": float(len(values) == 1 and None not in values),
        "accuracy_all": min(one.measures["accuracy"] for one in every),
    }
    return replace(row, measures={**row.measures, **measures})


def _value(row: Scored) -> object:
    """What an answer says; None where that could not be read."""
    if not row.parsed:
        return None
    if row.measures["accuracy"] == 1:
        return normalise(str(row.question.answer["value"]))  # however it was put
    readers = {"yes_no": parse_yes_no, "count": parse_number, "share": parse_share}
    return readers.get(row.question.kind, normalise)(row.words)
