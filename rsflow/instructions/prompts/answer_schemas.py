"""The answer formats that models are asked for: dataclasses, JSON schemas and parsing.

The schema allows nothing beside the format; parsing is tolerant: it finds the JSON in a code fence or in prose, ignores
unknown keys and accepts a bare list. What does not fit then is described in a sentence that is sent back to the model once,
and becomes a reject after that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import StringConstraints, ValidationError

from rsflow.config.validation import type_adapter
from rsflow.errors import DataError
from rsflow.instructions.claims.schema import (
    OBJECT_TEXTS_SCHEMA,
    PAIRS_SCHEMA,
    READ_SCHEMA,
    REASONING_SCHEMA,
    STATEMENTS_SCHEMA,
    TOPICS_SCHEMA,
    ComparedPairs,
    ConversationPairs,
    ObjectTexts,
    ReadText,
    ReasoningAnswers,
    StatementText,
    Topic,
)
from rsflow.instructions.prompts.json_text import json_values

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
T = TypeVar("T")


@dataclass(frozen=True)
class ObjectNote:
    number: int
    text: Text


@dataclass(frozen=True)
class ObjectNotes:
    objects: tuple[ObjectNote, ...]


@dataclass(frozen=True)
class Description:
    description: Text


@dataclass(frozen=True)
class QuestionPair:
    question: Text
    answer: Text


@dataclass(frozen=True)
class QuestionPairs:
    pairs: tuple[QuestionPair, ...]


@dataclass(frozen=True)
class ReasoningPair:
    kind: Topic
    question: Text
    answer: Text


@dataclass(frozen=True)
class ReasoningPairs:
    pairs: tuple[ReasoningPair, ...]


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT = {"type": "string"}
_PAIR = {"question": _TEXT, "answer": _TEXT}

# Written out, because servers that hold a model to a schema know only a part of what pydantic would write.
SCHEMAS: dict[type, dict[str, Any]] = {
    ObjectTexts: OBJECT_TEXTS_SCHEMA,
    StatementText: STATEMENTS_SCHEMA,
    ConversationPairs: PAIRS_SCHEMA,
    ReasoningAnswers: REASONING_SCHEMA,
    ComparedPairs: PAIRS_SCHEMA,
    ReadText: READ_SCHEMA,
    ObjectNotes: _object(objects=_list(_object(number={"type": "integer"}, text=_TEXT))),
    Description: _object(description=_TEXT),
    QuestionPairs: _object(pairs=_list(_object(**_PAIR))),
    ReasoningPairs: _object(pairs=_list(_object(kind=TOPICS_SCHEMA, **_PAIR))),
}


# What a model may answer in place of a form with claims: plain text, which then has to be read.
WITHOUT_CLAIMS: dict[type, type] = {
    ObjectTexts: ObjectNotes,
    StatementText: Description,
    ConversationPairs: QuestionPairs,
    ReasoningAnswers: ReasoningPairs,
    ComparedPairs: QuestionPairs,
}


def parse_answer(answer_type: type[T], text: str) -> T | Any:
    """The answer in a model's text, in the form that was asked for, or its form without claims.

    Raises DataError("unparsable", ...) that says what is wrong with it.
    """
    fault = "expected one JSON object, found none that is whole"
    found = json_values(text)
    for value in _candidates(answer_type, found):
        try:
            return type_adapter(answer_type).validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            fault = f"{'.'.join(map(str, first['loc'])) or 'the object'}: {first['msg'].lower()}"
    if plain := WITHOUT_CLAIMS.get(answer_type):
        with contextlib.suppress(DataError):
            return parse_answer(plain, text)
    raise DataError("unparsable", fault)


def _candidates(form: type, found: list[Any]) -> Iterator[Any]:
    (name,) = SCHEMAS[form]["properties"]
    yield from found
    yield from ({name: value} for value in found if isinstance(value, list))
