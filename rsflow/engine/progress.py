"""What a long run tells while it works: a live line in a terminal, plain lines in a log.

One idea: progress is counted from receipts, which are the truth of what is done, and both forms show the same numbers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

LOG_SECONDS = 10.0
LIVE_SECONDS = 0.2


@dataclass
class Progress:
    """Counts of one step. `unit` names what is counted towards `total`; `done` may start above 0 on a resumed run."""

    step: str
    unit: str
    total: int
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    done: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)

    def add(self, done: int, **counts: int) -> None:
        """Count finished units and, by name, what came out of them, and tell it if it is time to."""
        self.done += done
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number
        if time.monotonic() - self._told >= (LIVE_SECONDS if self.stream.isatty() else LOG_SECONDS):
            self._tell("\r" if self.stream.isatty() else "")

    def line(self) -> str:
        """The state in words: `label: 12/40 units, 812 tiles (54.1/s), 3 rejects, ETA 0:42`."""
        spent = max(time.monotonic() - self._start, 1e-9)
        parts = [f"{self.done}/{self.total} {self.unit}"]
        for i, (name, number) in enumerate(self.counts.items()):
            parts.append(f"{number} {name} ({number / spent:.1f}/s)" if i == 0 else f"{number} {name}")
        if 0 < self.done < self.total:
            parts.append(f"ETA {_clock(spent / self.done * (self.total - self.done))}")
        return f"{self.step}: {', '.join(parts)}"

    def end(self) -> None:
        """Tell the last state, with the time that the step took."""
        spent = _clock(time.monotonic() - self._start)
        self._tell("\r" if self.stream.isatty() else "", f" in {spent}\n" if self.stream.isatty() else f" in {spent}")

    def _tell(self, begin: str, end: str = "") -> None:
        self._told = time.monotonic()
        live = self.stream.isatty()
        text = f"{begin}{self.line()}{end}"
        print(f"{text:<100}" if live and not end else text, end="" if live else "\n", file=self.stream, flush=True)


@contextmanager
def progress(step: str, unit: str, total: int) -> Iterator[Progress]:
    """A Progress that tells its begin and its end, also when the block is interrupted; silent where nothing is to do."""
    state = Progress(step, unit, total)
    if total:
        state._tell("\r" if state.stream.isatty() else "")
    try:
        yield state
    finally:
        if total:
            state.end()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
