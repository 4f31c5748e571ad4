"""What models use, checked against the budget: tokens, requests, money and GPU hours, reported while it runs and at its end.

Receipts carry what their unit used, so the sums are of finished work, and stopping at a budget is stopping between two
receipts: work in progress (at most a block per actor) is done again by the next run. Requests that cost money are counted one
by one instead (rsflow.generation.spending.allowance).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from rsflow.config.settings import Budget
from rsflow.engine.commit import Watch
from rsflow.errors import BudgetError

WORKERS, LOADING = "workers", "load_seconds"  # noted on a worker's first receipt
REQUEST_LIMITS = ("tokens", "requests", "money")  # which an allowance can keep request by request


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

    def remaining(self) -> dict[str, float]:
        """What is left of the limits that an allowance keeps, by name; those without a limit are left out."""
        return {name: most - amount for name, most, amount in self._limits() if name in REQUEST_LIMITS}

    @contextmanager
    def over(self, name: str, gpus: float, most: int, has_allowance: bool = False) -> Iterator[Watch]:
        """Measure one pool of at most so many workers, with so many GPUs each. What it yields takes each receipt; it raises
        BudgetError when the budget is spent. With `has_allowance`, REQUEST_LIMITS are left to the allowance."""
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
            self._check(REQUEST_LIMITS if has_allowance else ())

        yield watch
        used.seconds = time.monotonic() - start

    def _limits(self) -> Iterator[tuple[str, float, float]]:
        """(name, limit, amount spent) of every limit that is set."""
        spent: Counter[str] = Counter()
        for used in self.used:
            spent.update(used.amounts)
        amounts = {
            "tokens": spent["tokens_in"] + spent["tokens_out"],
            "requests": spent["requests"],
            "money": spent["money"],
            "gpu_hours": sum(used.gpu_seconds for used in self.used) / 3600,
        }
        for name, amount in amounts.items():
            if (most := getattr(self._budget, name)) is not None:
                yield name, most, amount

    def _check(self, unchecked: Collection[str]) -> None:
        for name, most, amount in self._limits():
            if amount >= most and name not in unchecked:
                raise budget_error(f"budget.{name}={most:g} is spent ({amount:g})")


def budget_error(reason: str) -> BudgetError:
    return BudgetError(f"{reason}: stopped; what was done is kept, and the same command goes on from there with as much again")


def total_usage(marked: pa.Table) -> Counter[str]:
    """The sum of what these marks or receipts say was used, by name."""
    total: Counter[str] = Counter()
    for entries in marked["usage"].to_pylist():
        for entry in entries or []:
            total[entry["name"]] += entry["value"]
    return total
