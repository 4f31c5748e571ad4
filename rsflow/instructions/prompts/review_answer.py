"""A model's answer against the facts: the texts that stand, in the form without claims, and what was wrong.

Answers with claims are reviewed by these (rsflow.instructions.claims). Plain answers pass: nothing is known of them until the
rules read them (rsflow.instructions.checks), and what these do not read counts as unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rsflow.instructions.claims import (
    ClaimedPair,
    ClaimFacts,
    ComparedPairs,
    ConversationPairs,
    NumberedObject,
    ObjectTexts,
    ReasoningAnswer,
    ReasoningAnswers,
    Reviewed,
    StatementText,
    question_faults,
    review,
    review_object,
)
from rsflow.instructions.prompts.answer_schemas import (
    Description,
    ObjectNote,
    ObjectNotes,
    QuestionPair,
    QuestionPairs,
    ReasoningPair,
    ReasoningPairs,
)
from rsflow.instructions.prompts.kinds import FIRST_OF_OTHER, PromptContext

LEAST_PAIRS = 2  # of a conversation


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
    unread: int = 0


def review_answer(context: PromptContext, answer: Any) -> ReviewedAnswer:
    if isinstance(answer, ObjectTexts):
        return _review_objects(claim_facts(context), answer)
    if isinstance(answer, StatementText):
        reviewed = review(answer.sentences, claim_facts(context))
        return _of(Description(reviewed.text) if reviewed.text else None, [reviewed])
    if isinstance(answer, ConversationPairs):
        return _review_pairs(claim_facts(context), answer.pairs, LEAST_PAIRS, may_conclude=False)
    if isinstance(answer, ComparedPairs):
        return _review_pairs(claim_facts(context, has_second=True), answer.pairs, 1, may_conclude=True)
    if isinstance(answer, ReasoningAnswers):
        return _review_pairs(claim_facts(context), answer.pairs, 1, may_conclude=True)
    return ReviewedAnswer(answer, has_claims=False)


def claim_facts(context: PromptContext, has_second: bool = False) -> ClaimFacts:
    """The facts of the tile, with its objects under the numbers that prompts give them. `has_second`: also those of the other
    sensor's picture."""
    facts = ClaimFacts.of_objects(context.facts, [(each.group.noun, each.thing) for each in context.subjects()])
    if not has_second or context.other is None:
        return facts
    objects = enumerate(context.other_subjects(), FIRST_OF_OTHER)
    numbered = tuple(NumberedObject(number, each.group.noun, each.thing) for number, each in objects)
    return replace(facts, second=ClaimFacts(context.other, numbered))


def _review_pairs(
    facts: ClaimFacts, pairs: Sequence[ClaimedPair | ReasoningAnswer], least: int, may_conclude: bool
) -> ReviewedAnswer:
    """The pairs whose question and answer stand; none where fewer than `least` do."""
    reviewed = [_review_pair(facts, pair, may_conclude) for pair in pairs]
    kept: list[Any] = []
    for pair, each in zip(pairs, reviewed, strict=True):
        if each.text and isinstance(pair, ReasoningAnswer):
            kept.append(ReasoningPair(pair.kind, pair.question, each.text))
        elif each.text:
            kept.append(QuestionPair(pair.question, each.text))
    if not kept or len(kept) < min(least, len(pairs)):
        return _of(None, reviewed)
    return _of((ReasoningPairs if isinstance(kept[0], ReasoningPair) else QuestionPairs)(tuple(kept)), reviewed)


def _review_pair(facts: ClaimFacts, pair: ClaimedPair | ReasoningAnswer, may_conclude: bool) -> Reviewed:
    faults = question_faults(pair.question, pair.sentences, facts)
    if faults:
        return Reviewed("", tuple(faults), len(pair.sentences), dropped=len(pair.sentences))
    return review(pair.sentences, facts, may_conclude)


def _review_objects(facts: ClaimFacts, answer: ObjectTexts) -> ReviewedAnswer:
    first = {each.number: each for each in reversed(answer.objects)}
    reviewed = {number: review_object(number, each.sentences, facts) for number, each in sorted(first.items())}
    notes = tuple(ObjectNote(number, each.text) for number, each in reviewed.items() if each.text)
    return _of(ObjectNotes(notes), list(reviewed.values()))


def _of(answer: Any, reviewed: Sequence[Reviewed]) -> ReviewedAnswer:
    faults = tuple(fault for each in reviewed for fault in each.faults)
    totals = [sum(getattr(each, name) for each in reviewed) for name in ("sentences", "replaced", "dropped", "unread")]
    return ReviewedAnswer(answer, True, faults, *totals)
