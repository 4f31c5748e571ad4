"""Counts by (task, sensor): their fixed order, their sums, and how a number is written.

One idea: tasks and sensors stand in the order of the design everywhere, so that two reports can be compared line by line. A
name that the design does not know comes after, in alphabetical order, rather than being lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rsflow.instructions import TASKS
from rsflow.sensors import SENSOR_NAMES

Tally = Mapping[tuple[str, str], int]

_TASKS = tuple(TASKS)


def tasks_of(tally: Tally) -> list[str]:
    return _sorted_by({task for task, _ in tally}, _TASKS)


def sensors_of(tally: Tally) -> list[str]:
    return _sorted_by({sensor for _, sensor in tally}, SENSOR_NAMES)


def by_task(tally: Tally) -> Counter[str]:
    """The sum over sensors."""
    sums: Counter[str] = Counter()
    for (task, _), count in tally.items():
        sums[task] += count
    return sums


def sum_tallies(tallies: Iterable[Tally]) -> Counter[tuple[str, str]]:
    """The sum of several tallies."""
    sums: Counter[tuple[str, str]] = Counter()
    for tally in tallies:
        sums.update(tally)
    return sums


def tally_table(tally: Tally) -> list[list[str]]:
    """Rows of text: a head, one row per task with its sum, and a last row of sums. The corner is empty."""
    tasks, sensors = tasks_of(tally), sensors_of(tally)
    rows = [["", *sensors, "all"]]
    for task in tasks:
        counts = [tally.get((task, sensor), 0) for sensor in sensors]
        rows.append([task, *(f"{count:,}" for count in counts), f"{sum(counts):,}"])
    sums = [sum(tally.get((task, sensor), 0) for task in tasks) for sensor in sensors]
    return [*rows, ["all", *(f"{count:,}" for count in sums), f"{sum(sums):,}"]]


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Largest first, equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def format_bytes(count: int) -> str:
    """Bytes for people: `12.3 MB` (decimal units)."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.95:
            return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _sorted_by(names: set[str], order: tuple[str, ...]) -> list[str]:
    return [name for name in order if name in names] + sorted(names - set(order))
