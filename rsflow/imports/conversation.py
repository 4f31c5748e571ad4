"""One record of the LLaVA family, whatever its dialect: which pictures, the turns, and the size it states.

The sets of the family differ in details (`image` or `images`, one path or a list, `conversations` or `messages`),
and all are read here, once. What is wrong with a record is a DataError `broken_record`. Forms:
https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md (LLaVA, and MMRS-1M and GeoChat after it), and
`messages` with `role` and `content` as chat APIs have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsflow.errors import DataError
from rsflow.imports.json_records import BrokenRecord
from rsflow.imports.parquet_records import EMBEDDED
from rsflow.imports.swift_objects import spell_objects

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
_TOKEN = re.compile(r"\s*<(?:image|ImageHere)>\s*")
_STATED = re.compile(r"resolution(?:\s+of|\s+is|\s*:|\s*=)?\s*(\d{2,6})\s*[x×*]\s*(\d{2,6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer, picture tokens taken off the question."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """`pictures` as the record spells them. `texts`: the turns as they stand, asking and answering in turn, without the
    system's. `stated_size`: (height_px, width_px) that the record claims, or None. `embedded`: the bytes, by name, of pictures
    that lie in the set's own file.
    """

    pictures: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    texts: tuple[str, ...] = ()
    stated_size: tuple[int, int] | None = None
    embedded: Mapping[str, bytes] = field(default_factory=dict)


def parse_conversation(record: Any) -> Conversation:
    """The record as a conversation. DataError `broken_record` where it is none."""
    if isinstance(record, BrokenRecord):
        raise DataError("broken_record", record.detail)
    if not isinstance(record, dict):
        raise DataError("broken_record", f"found a {type(record).__name__}, expected an object")
    turns = record.get("conversations", record.get("messages"))
    if not isinstance(turns, list) or not turns:
        raise DataError("broken_record", f"has no turns under conversations; its keys are {', '.join(map(str, record))}")
    dialogue = [(role, text) for role, text in spell_objects(record, [_turn(turn) for turn in turns]) if role != "system"]
    exchanges = _exchanges(dialogue)
    texts = tuple(text for _, text in dialogue)
    return Conversation(_pictures(record), exchanges, texts, _stated(record, exchanges), record.get(EMBEDDED, {}))


def _turn(turn: Any) -> tuple[str, str]:
    if not isinstance(turn, dict):
        raise DataError("broken_record", f"a turn is a {type(turn).__name__}, expected an object with from and value")
    role, text = turn.get("from", turn.get("role")), turn_text(turn)
    if not isinstance(role, str) or role.strip().lower() not in _ROLES or text is None:
        found = type(turn.get("value", turn.get("content"))).__name__
        raise DataError("broken_record", f"a turn is from {role!r} with a {found}, expected human or gpt and text")
    return _ROLES[role.strip().lower()], text


def turn_text(turn: dict[str, Any]) -> str | None:
    """The text of a turn, `<image>` for each picture among the parts that chat APIs split it in; None where it is none."""
    content = turn.get("value", turn.get("content"))
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [_part_text(part) for part in content]
    return "\n".join(part for part in parts if part) if all(part is not None for part in parts) else None


def _part_text(part: Any) -> str | None:
    if not isinstance(part, dict):
        return part if isinstance(part, str) else None
    if part.get("type") in {"image", "image_url"}:
        return "<image>"
    return part["text"] if part.get("type", "text") == "text" and isinstance(part.get("text"), str) else None


def _exchanges(dialogue: list[tuple[str, str]]) -> tuple[Exchange, ...]:
    roles = [role for role, _ in dialogue]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise DataError("broken_record", f"the turns are of {', '.join(roles)}; expected human and gpt in turn")
    # Only a question shows pictures: a token in an answer is a fault, which the audit reports.
    texts = [_TOKEN.sub(" ", text).strip() if role == "user" else text.strip() for role, text in dialogue]
    if not all(texts[1::2]):
        raise DataError("broken_record", "an answer is empty")
    return tuple(Exchange(question, answer) for question, answer in zip(texts[::2], texts[1::2], strict=True))


def _pictures(record: dict[str, Any]) -> tuple[str, ...]:
    value = record.get("image", record.get("images"))
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name.strip() for name in found):
        raise DataError("broken_record", f"image is {str(value)[:80]!r}, expected a path")
    return tuple(name.strip() for name in found)


def _stated(record: dict[str, Any], exchanges: tuple[Exchange, ...]) -> tuple[int, int] | None:
    for stated in (record, record.get("size"), record.get("image_size")):
        for height, width in (("height", "width"), ("height_px", "width_px"), ("image_height", "image_width")):
            if isinstance(stated, dict) and isinstance(stated.get(height), int) and isinstance(stated.get(width), int):
                return stated[height], stated[width]
    for exchange in exchanges:
        if "resolution" in exchange.question.lower() and (match := _STATED.search(exchange.question)):
            return int(match[2]), int(match[1])
    return None
