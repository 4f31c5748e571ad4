"""A model's answer against the facts: the texts that stand, in the form without claims, and what was wrong.

Answers with claims are reviewed by these (rsflow.instructions.claims). Plain answers pass: nothing is known of them until the
rules read them (rsflow.instructions.checks), and what these do not read counts as unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.instructions.claims import ClaimFacts, ObjectTexts, Reviewed, StatementText, review, review_object
from rsflow.instructions.prompts.answer_schemas import Description, ObjectNote, ObjectNotes
from rsflow.instructions.prompts.kinds import PromptContext


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """`answer`: the texts that passed, None without any. `has_claims`: whether claims were compared. Counts are of
    sentences."""

    answer: Any
    has_claims: bool
    faults: tuple[str, ...] = ()
    sentences: int = 0
    replaced: int = 0
    dropped: int = 0


def review_answer(context: PromptContext, answer: Any) -> ReviewedAnswer:
    if isinstance(answer, ObjectTexts):
        return _review_objects(claim_facts(context), answer)
    if isinstance(answer, StatementText):
        reviewed = review(answer.sentences, claim_facts(context))
        return _of(Description(reviewed.text) if reviewed.text else None, [reviewed])
    return ReviewedAnswer(answer, has_claims=False)


def claim_facts(context: PromptContext) -> ClaimFacts:
    """The facts of the tile, with its objects under the numbers that prompts give them."""
    return ClaimFacts.of_objects(context.facts, [(each.group.noun, each.thing) for each in context.subjects()])


def _review_objects(facts: ClaimFacts, answer: ObjectTexts) -> ReviewedAnswer:
    first = {each.number: each for each in reversed(answer.objects)}
    reviewed = {number: review_object(number, each.sentences, facts) for number, each in sorted(first.items())}
    notes = tuple(ObjectNote(number, each.text) for number, each in reviewed.items() if each.text)
    return _of(ObjectNotes(notes), list(reviewed.values()))


def _of(answer: Any, reviewed: Sequence[Reviewed]) -> ReviewedAnswer:
    faults = tuple(fault for each in reviewed for fault in each.faults)
    totals = [sum(getattr(each, name) for each in reviewed) for name in ("sentences", "replaced", "dropped")]
    return ReviewedAnswer(answer, True, faults, *totals)
