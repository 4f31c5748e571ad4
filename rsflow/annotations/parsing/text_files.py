"""The text and JSON of annotation files, and the errors for what is not of the expected form.

A file that is not of its format at all is the user's mistake and stops the run with UsageError; what is wrong with
one record of it is a DataError, raised by the format's reader.
"""

from __future__ import annotations

import codecs
import json
import math
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from rsflow.errors import DataError, UsageError
from rsflow.files import storage


def read_json(file: str, form: str) -> Any:
    """The file's JSON. UsageError, naming the format `form`, where it is none."""
    try:
        return json.loads(storage.read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: is not JSON ({error}); format {form} needs a JSON file") from error


def read_text(file: str) -> str:
    """The file's text without byte order mark: UTF-8, or UTF-16 where the mark says so. UsageError where it is neither."""
    data = storage.read_bytes(file)
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 text ({error.reason} at byte {error.start})") from error


def read_lines(file: str) -> Iterator[tuple[int, str]]:
    """(line number from 1, text without blanks at its ends) of every line that is not blank.

    Only line feeds and carriage returns end a line: others that str.splitlines knows (U+2028, U+0085) stand in JSON texts.
    """
    lines = re.split(r"\r\n|\n|\r", read_text(file))
    return ((number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())


def parse_identifier(value: Any) -> str | None:
    """An id of a record as text, or None where it is none. 1, 1.0, "1" and "1.0" are one id: JSON has one kind of number."""
    if type(value) is int:
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None  # NaN and infinity are no integers
    text = str(value).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text or None


def parse_flag(value: Any) -> bool:
    """Whether a flag is set, in any spelling: 0, 0.0, "0", "false", "no", "none", "unspecified" and blank are not."""
    if isinstance(value, str):
        text = value.strip().lower()
        return text not in _UNSET and not _ZERO.fullmatch(text)
    return bool(value) and value == value  # NaN is a cell that was left empty


_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")
_ZERO = re.compile(r"[+-]?0*\.?0*")
_UNSET = frozenset({"", "false", "f", "no", "n", "none", "null", "nan", "unspecified"})


def stem(file: str) -> str:
    """The name of an annotation file without folder and its last extension."""
    return posixpath.splitext(posixpath.basename(file))[0]


def parse_text(text: Any, what: str) -> str:
    """Text in one line without doubled blanks. DataError `empty_<what>` where it is no text or blank."""
    if isinstance(text, bool | int | float):
        text = str(text)
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"empty_{what}", f"{what} is {shorten(text)}, expected text")
    return " ".join(text.split())


def parse_numbers(texts: list[str]) -> list[float]:
    """Finite numbers. DataError `bad_box` where one of the texts is none."""
    try:
        values = [float(text) for text in texts]
    except ValueError as error:
        raise DataError("bad_box", f"found {texts}, expected {len(texts)} numbers") from error
    if not all(map(math.isfinite, values)):
        raise DataError("box_not_a_number", f"found {texts}, expected finite numbers")
    return values


def shorten(value: Any) -> str:
    """The value as JSON of at most 80 characters, for messages."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
