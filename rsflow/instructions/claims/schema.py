"""What a generating model is asked to return: sentences, each with the claims that it makes. Schema and reading.

Every key is required and nothing else is allowed, because servers that hold a model to a schema know no optional keys; what a
kind of claim does not need is empty ("" or [] or null).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import StringConstraints

from rsflow.instructions.claims.claim import CLAIM_KINDS, SCOPES, UNITS, Claim

ReaderVerdict = Literal["supported", "contradicted", "unknown"]
Topic = Literal["why", "what_if", "comparison", "counting"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@dataclass(frozen=True)
class Statement:
    """One sentence and what it claims."""

    text: Text
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class StatementText:
    sentences: tuple[Statement, ...]


@dataclass(frozen=True)
class ClaimedPair:
    """A question, and its answer as sentences with their claims."""

    question: Text
    sentences: tuple[Statement, ...]


@dataclass(frozen=True)
class ConversationPairs:
    pairs: tuple[ClaimedPair, ...]


@dataclass(frozen=True)
class ComparedPairs:
    """About one picture, with another one of the same ground beside it."""

    pairs: tuple[ClaimedPair, ...]


@dataclass(frozen=True)
class ReasoningAnswer:
    kind: Topic
    question: Text
    sentences: tuple[Statement, ...]


@dataclass(frozen=True)
class ReasoningAnswers:
    pairs: tuple[ReasoningAnswer, ...]


@dataclass(frozen=True)
class ReadSentence:
    """What a judge reads in a sentence of somebody else."""

    number: int
    verdict: ReaderVerdict
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class ReadText:
    sentences: tuple[ReadSentence, ...]


@dataclass(frozen=True)
class ObjectStatements:
    """The sentences about the object of that number."""

    number: int
    sentences: tuple[Statement, ...]


@dataclass(frozen=True)
class ObjectTexts:
    objects: tuple[ObjectStatements, ...]


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_NUMBERS = {"type": "array", "items": {"type": "integer"}}
_TEXT = {"type": "string"}
CLAIM_SCHEMA = _object(
    kind={"type": "string", "enum": list(CLAIM_KINDS)},
    category=_TEXT,
    objects=_NUMBERS,
    others=_NUMBERS,
    other_category=_TEXT,
    value={"type": ["number", "null"]},
    unit={"type": "string", "enum": list(UNITS)},
    tolerance={"type": "number"},
    word=_TEXT,
    at_least={"type": "boolean"},
    scope={"type": "string", "enum": list(SCOPES)},
)
_SENTENCES = {"type": "array", "items": _object(text=_TEXT, claims={"type": "array", "items": CLAIM_SCHEMA})}
STATEMENTS_SCHEMA = _object(sentences=_SENTENCES)
TOPICS_SCHEMA = {"type": "string", "enum": list(get_args(Topic))}
PAIRS_SCHEMA = _object(pairs={"type": "array", "items": _object(question=_TEXT, sentences=_SENTENCES)})
REASONING_SCHEMA = _object(pairs={"type": "array", "items": _object(kind=TOPICS_SCHEMA, question=_TEXT, sentences=_SENTENCES)})
OBJECT_TEXTS_SCHEMA = _object(objects={"type": "array", "items": _object(number={"type": "integer"}, sentences=_SENTENCES)})
_READ_SENTENCE = _object(
    number={"type": "integer"},
    verdict={"type": "string", "enum": list(get_args(ReaderVerdict))},
    claims={"type": "array", "items": CLAIM_SCHEMA},
)
READ_SCHEMA = _object(sentences={"type": "array", "items": _READ_SENTENCE})
