"""Claims: what a text states, as data that is compared with the labels by number; words come last.

A generating model is asked for sentences with their claims (`schema`). `check_claim` decides each claim exactly from the facts;
`alignment` sees to it that the words say what the claims say and nothing more; `review` keeps, replaces or drops sentences.
Unknown is not true: a claim that the labels do not decide cannot stand.
"""

from __future__ import annotations

from rsflow.instructions.claims.checking import check_claim
from rsflow.instructions.claims.claim import CLAIM_KINDS, Claim, ClaimKind, Verdict
from rsflow.instructions.claims.claim_facts import ClaimFacts, NumberedObject
from rsflow.instructions.claims.review import Reviewed, faults_of, question_faults, review, review_object
from rsflow.instructions.claims.schema import (
    ClaimedPair,
    ComparedPairs,
    ConversationPairs,
    ObjectStatements,
    ObjectTexts,
    ReasoningAnswer,
    ReasoningAnswers,
    Statement,
    StatementText,
)

__all__ = [
    "CLAIM_KINDS",
    "Claim",
    "ClaimFacts",
    "ClaimKind",
    "ClaimedPair",
    "ComparedPairs",
    "ConversationPairs",
    "NumberedObject",
    "ObjectStatements",
    "ObjectTexts",
    "ReasoningAnswer",
    "ReasoningAnswers",
    "Reviewed",
    "Statement",
    "StatementText",
    "Verdict",
    "check_claim",
    "faults_of",
    "question_faults",
    "review",
    "review_object",
]
