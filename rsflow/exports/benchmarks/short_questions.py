"""Questions with a short answer, for harnesses that compare texts: those of a sample's instructions that can be asked alone.

One idea: a question goes out where one exchange of text says all: no earlier turns, no boxes in it, and an answer that is a
value. Whether the answer is yes or no is kept separately, because harnesses score those by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rsflow.exports.contract import ExportJob, SpelledInstruction

YES_NO = "yes_no"
_KINDS = frozenset({YES_NO, "count", "category", "place", "relation", "share", "fact"})


@dataclass(frozen=True, slots=True)
class ShortQuestion:
    """`kind`: that of the structured answer (rsflow.evaluation: docs/evaluation.md)."""

    question_id: str
    kind: str
    question: str
    answer: str


def short_questions(job: ExportJob, instructions: Iterable[SpelledInstruction]) -> Iterator[ShortQuestion]:
    """The questions among a sample's instructions; others are counted as left out."""
    for instruction, turns in instructions:
        kind = instruction["answer"]["kind"]
        if kind not in _KINDS or len(turns) != 2 or instruction["boxes"]:
            job.tally.left_out["no_short_question"] += 1
            continue
        (_, question), (_, answer) = turns
        if kind == YES_NO:
            answer = "Yes" if instruction["answer"]["value"] else "No"
        yield ShortQuestion(instruction["id"], kind, question, answer)
