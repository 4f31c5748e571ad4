"""Counts of what was read, added up in each process and read in the training loop's.

One idea: a small table in shared memory with a row for each DataLoader worker. A process adds to its own row, so processes
need no lock and nothing is sent; the totals are the sums over the rows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import get_worker_info

_ROWS = 65  # the process itself, and 64 workers; more share rows, and may then lose a count
_NAMES = ("bytes", "fetched", "hits", "misses", "skipped", "retried", "wait_seconds")


@dataclass(frozen=True, slots=True)
class FetchStats:
    """What was read by this process and the DataLoader workers that were started with the fetcher.

    `bytes`: of the samples given. `fetched`: bytes that came from a remote store. `hits`: samples of local and of already
    cached shards, `misses`: all others. `skipped`: damaged samples. `retried`: requests made again. `wait_seconds`: how long
    callers waited for remote bytes, summed over processes.
    """

    bytes: int = 0
    fetched: int = 0
    hits: int = 0
    misses: int = 0
    skipped: int = 0
    retried: int = 0
    wait_seconds: float = 0.0


class SharedCounts:
    """Counts that can be pickled or forked along; each copy adds to the same table where torch shares it."""

    def __init__(self) -> None:
        self._table = torch.zeros(_ROWS, len(_NAMES), dtype=torch.float64)
        self._table.share_memory_()  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"_table": self._table}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def publish(self, **amounts: float) -> None:
        """Add to the process's row of the table. Any thread may call it."""
        worker = get_worker_info()
        row = 0 if worker is None else 1 + worker.id % (_ROWS - 1)
        table = self._table.numpy()[row]
        with self._lock:
            for name, amount in amounts.items():
                table[_NAMES.index(name)] += amount

    def total(self) -> FetchStats:
        sums = dict(zip(_NAMES, self._table.sum(dim=0).tolist(), strict=True))
        waited = sums.pop("wait_seconds")
        return FetchStats(wait_seconds=waited, **{name: int(amount) for name, amount in sums.items()})
