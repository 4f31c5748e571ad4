"""Logs for programs: every line on stderr as one JSON object (`--log-format json`).

One idea: a stream in stderr's place turns each line of text into an object with its time, level and message, so that no line
escapes, wherever it was printed; progress, which knows its numbers, writes them as keys.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any

PREFIX = "rsflow: "
LEVELS = (("warning: ", "warning"), ("interrupted", "warning"))  # how a message of ours begins


class JsonLog(io.TextIOBase):
    """A text stream that writes its lines to `target` as JSON objects with the keys `time`, `level`, `message`."""

    def __init__(self, target: IO[str]) -> None:
        self._target, self._unfinished = target, ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._target.fileno()

    def write(self, text: str) -> int:
        """Write every line that is complete; what follows the last line's end waits for it."""
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            if line.strip():
                self.write_event(*_level_of(line.strip("\r")))
        return len(text)

    def write_event(self, level: str, message: str, values: Mapping[str, Any] | None = None) -> None:
        """Write one object; `values` are further keys."""
        event = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "message": message}
        self._target.write(json.dumps({**event, **(values or {})}, ensure_ascii=False) + "\n")
        self._target.flush()

    def flush(self) -> None:
        self._target.flush()


def _level_of(line: str) -> tuple[str, str]:
    """(level, message): what begins with our name is an error, unless it says that it is a warning."""
    if not line.startswith(PREFIX):
        return "info", line
    message = line.removeprefix(PREFIX)
    for start, level in LEVELS:
        if message.startswith(start):
            return level, message.removeprefix("warning: ")
    return "error", message
