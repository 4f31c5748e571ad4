"""Records of a JSON array, of JSON lines or of Parquet, one at a time, whatever the file's size.

The decoder of the standard library is asked for one value at a time over a window of the text: memory is one window, and speed
that of the C scanner. Refused: a file that is one JSON object, which is of another format. A record that is not JSON is refused
with its number, or given as a BrokenRecord to callers that count such records.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.imports.parquet_records import is_parquet, read_parquet_records

WINDOW_CHARS = 1 << 20  # characters read at a time
MAX_RECORD_CHARS = 1 << 26  # a record longer than this is taken for damage

_DECODER = json.JSONDecoder()
_BETWEEN = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """In place of a record that is not JSON. `is_last`: nothing after it could be read either."""

    detail: str
    is_last: bool = False


def read_records(file: str, keep_broken: bool = False) -> Iterator[Any]:
    """The file's records in order: elements of a JSON array, one value per line, or rows of Parquet by the file's name.

    UsageError where the file is none of these, and for a record that is not JSON unless `keep_broken`.
    """
    for record in read_parquet_records(file) if is_parquet(file) else _iter_records(file):
        if isinstance(record, BrokenRecord) and not keep_broken:
            raise UsageError(f"{file}: {record.detail}")
        yield record


def _iter_records(file: str) -> Iterator[Any]:
    fs, path = storage.filesystem(file)
    with storage.translate_errors(file, "read"), fs.open(path, "rb") as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig")
        try:
            start = text.read(WINDOW_CHARS).lstrip()
            if not start.startswith(("[", "{")):
                raise UsageError(f"{file}: begins with {start[:20]!r}, expected a JSON array or one JSON object per line")
            yield from _array(text, start) if start.startswith("[") else _lines(text, start, file)
        except UnicodeDecodeError as error:
            raise UsageError(f"{file}: is not UTF-8 text ({error.reason} at byte {error.start} of a window)") from error


def _array(text: io.TextIOWrapper, window: str) -> Iterator[Any]:
    at, number = 1, 0
    while True:
        at = _skip(window, at)
        if at < len(window) and window[at] == "]":
            return
        try:
            value, at = _DECODER.raw_decode(window, at)
        except (json.JSONDecodeError, RecursionError) as error:
            more = text.read(max(WINDOW_CHARS, len(window) - at))
            if not more or len(window) - at > MAX_RECORD_CHARS:
                yield BrokenRecord(f"record {number} is not whole or not JSON ({error}): nothing after it can be read", True)
                return
            window, at = window[at:] + more, 0
            continue
        yield value
        number += 1


def _skip(window: str, at: int) -> int:
    while at < len(window) and window[at] in _BETWEEN:
        at += 1
    return at


def _lines(text: io.TextIOWrapper, start: str, file: str) -> Iterator[Any]:
    rest, number = start, 0
    while rest:
        *whole, rest = rest.split("\n")
        for line in whole:
            if line.strip():
                yield _line(line, number, file)
                number += 1
        more = text.read(max(WINDOW_CHARS, len(rest)))
        if len(rest) > MAX_RECORD_CHARS:
            yield BrokenRecord(f"record {number} has more than {MAX_RECORD_CHARS:,} characters: nothing after it is read", True)
            return
        if not more:
            if rest.strip():
                yield _line(rest, number, file)
            return
        rest += more


def _line(line: str, number: int, file: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        # The first line of an object that is spread over several ends within it.
        if number == 0 and line.rstrip().endswith(("{", "[", ",", ":")):
            raise UsageError(f"{file}: is one JSON object, expected an array or one record per line") from error
        return BrokenRecord(f"line {number + 1} is not a JSON value ({error})")
