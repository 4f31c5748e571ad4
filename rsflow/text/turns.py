"""References from text to boxes before a dialect writes them.

A turn's text holds marks, `[[phrase|0,2]]`, whose numbers index the instruction's list of boxes (float pixels of the tile).
The phrase may be empty: `[[|0]]` is a bare box. A mark `[[phrase|#0,2]]` indexes the outlines of the structured answer
instead, and `[[|@0]]` the paths by which a question shows a region: a point, a scribble or an outline. Dialects replace marks
by a model family's own format when samples are streamed or exported; nothing else in rsflow writes coordinates into text. Free
text must pass `escape`, which makes a mark impossible.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant"]

_MARK = re.compile(r"\[\[([^\[\]|]*)\|(\d+(?:,\d+)*)\]\]")


_PATH_MARK = re.compile(r"\[\[\|@(\d+(?:,\d+)*)\]\]")
_OUTLINE_MARK = re.compile(r"\[\[([^\[\]|]*)\|#(\d+(?:,\d+)*)\]\]")


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A reference to boxes in a text: the phrase (may be empty) and the indices of its boxes."""

    phrase: str
    boxes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OutlineMark:
    """A reference to outlines in a text: the phrase (may be empty) and the indices of its outlines."""

    phrase: str
    outlines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PathMark:
    """A reference to paths in a text: their indices."""

    paths: tuple[int, ...]


def mark(phrase: str, *boxes: int) -> str:
    """Write a mark. The phrase must not hold `[`, `]` or `|` (see `escape`) and there is at least one box."""
    if not boxes or re.search(r"[\[\]|]", phrase):
        raise ValueError(f"not a mark: phrase {phrase!r}, boxes {boxes}")
    return f"[[{phrase}|{','.join(map(str, boxes))}]]"


def outline_mark(phrase: str, *outlines: int) -> str:
    """Write a mark of outlines, on the terms of `mark`."""
    return mark(phrase, *outlines).replace("|", "|#")


def path_mark(*paths: int) -> str:
    """Write a mark of paths, at least one."""
    return mark("", *paths).replace("|", "|@")


def escape(text: str) -> str:
    """Escape free text for a turn: `[[` and `]]` become `[ [` and `] ]`, so that it cannot hold a mark."""
    return text.replace("[[", "[ [").replace("]]", "] ]")


def marks(text: str) -> list[Mark]:
    """The marks of a text in order."""
    return [_mark(match) for match in _MARK.finditer(text)]


def replace_marks(text: str, spell: Callable[[Mark], str]) -> str:
    """The text with every mark replaced by what `spell` makes of it."""
    return _MARK.sub(lambda match: spell(_mark(match)), text)


def replace_outline_marks(text: str, spell: Callable[[OutlineMark], str]) -> str:
    """The text with every mark of outlines replaced by what `spell` makes of it."""
    return _OUTLINE_MARK.sub(lambda match: spell(OutlineMark(match[1], _indices(match[2]))), text)


def replace_path_marks(text: str, spell: Callable[[PathMark], str]) -> str:
    """The text with every mark of paths replaced by what `spell` makes of it."""
    return _PATH_MARK.sub(lambda match: spell(PathMark(_indices(match[1]))), text)


def without_marks(text: str) -> str:
    """The text with the phrase of every mark in its place."""
    return _PATH_MARK.sub("", _OUTLINE_MARK.sub(r"\1", _MARK.sub(r"\1", text)))


def _mark(match: re.Match[str]) -> Mark:
    return Mark(match[1], _indices(match[2]))


def _indices(written: str) -> tuple[int, ...]:
    return tuple(int(index) for index in written.split(","))
