"""What models use, checked against the budget: tokens, requests, money and GPU hours, reported while it runs and at its end.

One idea: receipts carry what their unit used, so the sums are of finished work, and stopping at a budget is stopping between
two receipts. Work in progress (at most a block per actor) is lost; the next run continues.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from rsflow.config.settings import Budget
from rsflow.engine.commit import Watch
from rsflow.errors import BudgetError

WORKERS, LOADING = "workers", "load_seconds"  # noted on a worker's first receipt


@dataclass
class Used:
    """What one model's step took: seconds from its start, until its first result, and until all workers had given one.

    `most`: workers that it may have at a time, with `gpus` each. `amounts["device_seconds"]` is the time in which the model
    itself ran, `load_seconds` what it took to load in all workers together. `idle_gpu_seconds`: for so long GPUs were held
    while the model did not run: loading, waiting for pictures, and at the end for other workers.
    """

    name: str
    gpus: float
    most: int
    tiles: int = 0
    seconds: float = 0.0
    first_seconds: float = 0.0
    ramp_seconds: float = 0.0
    amounts: Counter[str] = field(default_factory=Counter)

    @property
    def workers(self) -> int:
        """Those that gave a result; one that was replaced after a crash is not counted twice where all were there."""
        return max(1, min(self.most, int(self.amounts[WORKERS])))

    @property
    def busy_share(self) -> float:
        return self.amounts["device_seconds"] / max(self.seconds * self.workers, 1e-9)

    @property
    def gpu_seconds(self) -> float:
        """Of the pool at its full size, which is what a budget counts."""
        return self.gpus * self.most * self.seconds

    @property
    def idle_gpu_seconds(self) -> float:
        return max(0.0, self.gpus * (self.workers * self.seconds - self.amounts["device_seconds"]))


class UsageMeter:
    """Adds up over all models of a run."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.used: list[Used] = []

    @contextmanager
    def over(self, name: str, gpus: float, most: int) -> Iterator[Watch]:
        """Measure one pool of at most so many workers, with so many GPUs each. What it yields takes each receipt; it raises
        BudgetError when the budget is spent."""
        used = Used(name, gpus, most)
        self.used.append(used)
        start = time.monotonic()

        def watch(receipt: pa.Table) -> None:
            used.seconds = time.monotonic() - start
            used.first_seconds = used.first_seconds or used.seconds
            used.tiles += sum(receipt["rows_in"].to_pylist())
            amounts = total_usage(receipt)
            used.amounts.update(amounts)
            if amounts[WORKERS] and used.amounts[WORKERS] <= used.most:  # the first of one that was replaced does not count
                used.ramp_seconds = used.seconds
            self._check()

        yield watch
        used.seconds = time.monotonic() - start

    def _check(self) -> None:
        spent: Counter[str] = Counter()
        for used in self.used:
            spent.update(used.amounts)
        limits = {
            "tokens": (self._budget.tokens, spent["tokens_in"] + spent["tokens_out"]),
            "requests": (self._budget.requests, spent["requests"]),
            "money": (self._budget.money, spent["money"]),
            "gpu_hours": (self._budget.gpu_hours, sum(used.gpu_seconds for used in self.used) / 3600),
        }
        for name, (most, amount) in limits.items():
            if most is not None and amount >= most:
                raise BudgetError(
                    f"budget.{name}={most:g} is spent ({amount:g}): stopped; what was done is kept, and the same command "
                    "goes on from there with as much again"
                )


def total_usage(marked: pa.Table) -> Counter[str]:
    """The sum of what these marks or receipts say was used, by name."""
    total: Counter[str] = Counter()
    for entries in marked["usage"].to_pylist():
        for entry in entries or []:
            total[entry["name"]] += entry["value"]
    return total
