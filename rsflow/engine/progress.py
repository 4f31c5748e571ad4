"""What a long run reports while it works: a live line in a terminal, plain lines in a log.

One idea: progress is counted from receipts, which are the truth of what is done, and both forms show the same numbers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO

from rsflow.engine.json_log import JsonLog

LOG_SECONDS = 10.0
LIVE_SECONDS = 0.2


@dataclass
class Progress:
    """Counts of one step. `unit` names what is counted towards `total`; `totals` are those of other counts, where known."""

    step: str
    unit: str
    total: int
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    done: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    quiet_seconds: float = 0.0  # a step that takes no longer is not reported
    _start: float = field(default_factory=lambda: time.monotonic())
    _last_report: float = field(default_factory=lambda: time.monotonic())
    _begun: bool = False
    _interval: float = field(init=False)  # seconds between two lines

    def __post_init__(self) -> None:
        self._interval = LIVE_SECONDS if self.stream.isatty() else LOG_SECONDS

    def add(self, done: int, **counts: int) -> None:
        """Count finished units and, by name, their results, and report it when due."""
        self.done += done
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number
        now = time.monotonic()
        if now - self._start >= self.quiet_seconds and (now - self._last_report >= self._interval or not self._begun):
            self.report()

    def begin(self, total: int) -> None:
        """The total is known now, and what was counted starts now."""
        self.total, self._start = total, time.monotonic()

    def count_one_of(self, total: int) -> None:
        """Count one unit of a total that is known from the first unit on; the time before it does not count."""
        if not self.total:
            self.begin(total)
        self.add(1)

    def line(self) -> str:
        """The state in words: `label: 12/40 units, 5/9 scenes, 812 tiles (54.1/s), 3 rejects, ETA 0:42`."""
        spent = max(time.monotonic() - self._start, 1e-9)
        parts = [f"{self.done}/{self.total} {self.unit}"]
        parts += [f"{self.counts.get(name, 0)}/{total} {name}" for name, total in self.totals.items()]
        free = [(name, number) for name, number in self.counts.items() if name not in self.totals]
        for i, (name, number) in enumerate(free):
            parts.append(f"{number} {name} ({number / spent:.1f}/s)" if i == 0 else f"{number} {name}")
        if 0 < self.done < self.total:
            parts.append(f"ETA {_clock(spent / self.done * (self.total - self.done))}")
        return f"{self.step}: {', '.join(parts)}"

    def numbers(self) -> dict[str, object]:
        """The state as JSON values."""
        spent = round(time.monotonic() - self._start, 3)
        counts = {"done": self.done, "total": self.total, "counts": dict(self.counts), "totals": dict(self.totals)}
        return {"step": self.step, "unit": self.unit, **counts, "seconds": spent}

    def end(self) -> None:
        """Report the last state, with the time that the step took, if anything was reported before."""
        if self._begun:
            self.report(f" in {_clock(time.monotonic() - self._start)}")

    def report(self, end: str = "") -> None:
        self._last_report, self._begun = time.monotonic(), True
        text = self.line() + end
        if isinstance(self.stream, JsonLog):
            self.stream.write_event("info", text, {"progress": self.numbers()})
        elif self.stream.isatty():
            # "Erase to the end of the line" (ECMA-48): the line before may have been longer.
            print(f"\r{text}\033[K", end="\n" if end else "", file=self.stream, flush=True)
        else:
            print(text, file=self.stream, flush=True)


@contextmanager
def progress(
    step: str, unit: str, total: int, totals: Mapping[str, int] = MappingProxyType({}), quiet_seconds: float = 0.0
) -> Iterator[Progress]:
    """A Progress that reports its begin and its end, also when the block is interrupted; silent without work.

    With `quiet_seconds` it reports only when the step takes longer; `total` may then be 0 and set in the block.
    """
    state = Progress(step, unit, total, totals=dict(totals), quiet_seconds=quiet_seconds)
    if total and not quiet_seconds:
        state.report()
    try:
        yield state
    finally:
        state.end()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
