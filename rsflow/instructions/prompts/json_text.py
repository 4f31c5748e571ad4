"""Extract JSON from a model's text: from a fence or prose, with trailing commas or line breaks inside strings.

Whole brackets are found first, then parsed strictly. A bracket that is never closed is not completed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_STARTS = 64  # opening brackets that are tried, so that a text of brackets alone takes no time
_REASONING = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_CLOSING = {"{": "}", "[": "]"}


def json_values(text: str) -> list[Any]:
    """The objects and lists in a text that are whole JSON, the longest first. What a model thought aloud does not count."""
    found = [(stop - start, -start, value) for start, stop, value in _find_values(_REASONING.sub(" ", text))]
    return [value for *_, value in sorted(found, key=lambda item: item[:2], reverse=True)]


def _find_values(text: str) -> Iterator[tuple[int, int, Any]]:
    position = 0
    for _ in range(MOST_STARTS):
        opening = re.compile(r"[{\[]").search(text, position)
        if not opening:
            return
        start = opening.start()
        stop = _closing_position(text, start)
        value = _decode(text[start:stop]) if stop else None
        if value is None:
            position = start + 1
            continue
        yield start, stop, value
        position = stop


def _closing_position(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`, 0 where none does. Brackets in strings do not count."""
    open_brackets: list[str] = []
    in_string = escaped = False
    for position in range(start, len(text)):
        letter = text[position]
        if in_string:
            in_string = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            in_string = True
        elif letter in _CLOSING:
            open_brackets.append(_CLOSING[letter])
        elif letter in "}]":
            if open_brackets.pop() != letter:
                return 0
            if not open_brackets:
                return position + 1
    return 0


def _decode(text: str) -> Any:
    """The parsed value, or None for invalid JSON. Line breaks are allowed in strings."""
    try:
        return json.loads(_without_trailing_commas(text), strict=False)
    except (ValueError, RecursionError):
        return None


def _without_trailing_commas(text: str) -> str:
    # Strings are matched first and kept as they are, so a comma inside one is never touched.
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', lambda found: found[1] or "", text, flags=re.DOTALL)
