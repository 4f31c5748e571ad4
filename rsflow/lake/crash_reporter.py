"""Carries the last words of a crashed worker to an object store: a process of its own, started by the worker that it watches.

One idea: a signal handler can write to a pipe, and to nothing that needs a network. The other end of the pipe outlives the
worker. It reads a line `begin PLACE` before each attempt and `end` after it; what comes without an `end` until the pipe closes
is what Python's faulthandler wrote of a fatal signal, and goes to the attempt's marker. Where nothing came, the worker was
killed from outside, and the marker stays empty.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

BEGIN, END = "begin ", "end"


class CrashReporter:
    """The worker's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        if self._process.stdin is None:
            raise RuntimeError("a process was started without the pipe that was asked for")
        self.stream = self._process.stdin

    def begin(self, marker: str) -> None:
        self._send(BEGIN + marker)

    def end(self) -> None:
        self._send(END)

    def _send(self, line: str) -> None:
        self.stream.write(f"{line}\n".encode())
        self.stream.flush()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None


def last_words(lines: Iterable[str]) -> tuple[str, str]:
    """The marker of the attempt that did not end, and the first line of what came after it; both empty where all ended."""
    marker, words = "", ""
    for line in lines:
        if line.startswith(BEGIN):
            marker, words = line.removeprefix(BEGIN).rstrip("\n"), ""
        elif line.rstrip("\n") == END:
            marker, words = "", ""
        elif marker and not words:
            words = line.strip()
    return marker, words


def main() -> None:
    marker, words = last_words(sys.stdin)
    if marker and words:
        from rsflow.files import storage

        storage.write_bytes(marker, words.encode())


if __name__ == "__main__":
    main()
