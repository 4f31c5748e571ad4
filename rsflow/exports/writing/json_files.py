"""Writes the JSON forms of exports: arrays a record per line, and lines of JSON, in constant memory.

One idea: one encoding (keys in the given order, UTF-8), so equal records are equal bytes;
and a file appears only once it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rsflow.files import storage

WriteRecord = Callable[[dict[str, Any]], None]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def write_json(place: str, document: dict[str, Any]) -> None:
    """One JSON object as a file."""
    storage.write_bytes(place, (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode())


@contextmanager
def json_array(place: str) -> Iterator[WriteRecord]:
    """A JSON array at `place`; the function that is given adds a record to it."""
    with storage.create(place) as stream:
        stream.write(b"[")
        yield array_writer(stream)
        stream.write(b"\n]\n")


@contextmanager
def json_lines(place: str) -> Iterator[WriteRecord]:
    """A file with one JSON object per line."""
    with storage.create(place) as stream:
        yield lambda record: _write(stream, _ENCODER.encode(record) + "\n")


def array_writer(stream: IO[bytes]) -> WriteRecord:
    """Adds records to an array that was opened on the stream, with commas between."""
    separator = "\n"

    def put(record: dict[str, Any]) -> None:
        nonlocal separator
        _write(stream, separator + _ENCODER.encode(record))
        separator = ",\n"

    return put


def _write(stream: IO[bytes], text: str) -> None:
    stream.write(text.encode())
