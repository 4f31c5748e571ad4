"""Records of a JSON array or of JSON lines, one at a time, whatever the file's size.

One idea: the decoder of the standard library is asked for one value at a time over a window of the text, so memory is one
window, and speed is that of the C scanner. Refused: a file that is one JSON object (it is of another format, and its keys are
told), and one that ends or breaks in the middle of a record (its number is told).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from rsflow.errors import UsageError
from rsflow.files import storage

WINDOW_CHARS = 1 << 20  # characters read at a time
MAX_RECORD_CHARS = 1 << 26  # a record longer than this is taken for damage

_DECODER = json.JSONDecoder()
_BETWEEN = " \t\r\n,"


def read_records(file: str) -> Iterator[Any]:
    """The file's records in order: elements of a JSON array, or one value per line. UsageError where it is neither."""
    fs, path = storage.filesystem(file)
    with storage.translate_errors(file, "read"), fs.open(path, "rb") as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig")
        try:
            yield from _records(text, file)
        except UnicodeDecodeError as error:
            raise UsageError(f"{file}: is not UTF-8 text ({error.reason} at byte {error.start} of a window)") from error


def _records(text: io.TextIOWrapper, file: str) -> Iterator[Any]:
    start = text.read(WINDOW_CHARS).lstrip()
    if start.startswith("["):
        yield from _array(text, start, file)
    elif start.startswith("{"):
        yield from _lines(text, start, file)
    else:
        raise UsageError(f"{file}: begins with {start[:20]!r}, expected a JSON array or one JSON object per line")


def _array(text: io.TextIOWrapper, window: str, file: str) -> Iterator[Any]:
    at, number = 1, 0
    while True:
        at = _skip(window, at)
        if at < len(window) and window[at] == "]":
            return
        try:
            value, at = _DECODER.raw_decode(window, at)
        except json.JSONDecodeError as error:
            more = text.read(max(WINDOW_CHARS, len(window) - at))
            if not more or len(window) - at > MAX_RECORD_CHARS:
                raise UsageError(f"{file}: record {number} is not whole or not JSON ({error.msg})") from error
            window, at = window[at:] + more, 0
            continue
        yield value
        number += 1


def _skip(window: str, at: int) -> int:
    while at < len(window) and window[at] in _BETWEEN:
        at += 1
    return at


def _lines(text: io.TextIOWrapper, start: str, file: str) -> Iterator[Any]:
    rest = start
    number = 0
    while rest:
        *whole, rest = rest.split("\n")
        for line in whole:
            if line.strip():
                yield _line(line, number, file)
                number += 1
        more = text.read(max(WINDOW_CHARS, len(rest)))
        if not more and rest.strip():
            yield _line(rest, number, file)
        if not more or len(rest) > MAX_RECORD_CHARS:
            return
        rest += more


def _line(line: str, number: int, file: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        hint = ": it is one JSON object, expected an array or one record per line" if number == 0 else ""
        raise UsageError(f"{file}: line {number + 1} is not a JSON value ({error.msg}){hint}") from error
