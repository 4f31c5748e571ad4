"""Reads the samples of an iteration from any number of roots in order, and counts what was given.

One idea: each root has its own Fetcher, which consumes requests ahead of time. The references of an iteration are split by root
as the fetchers consume them, and the samples are merged again in the order of the iteration.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal

import torch
from torch.utils.data import get_worker_info

from rsflow.loading.reading.fetch import CACHE_BYTES, Fetcher
from rsflow.loading.sampling.sampler import SampleReference
from rsflow.loading.sampling.stream_content import Content
from rsflow.shards.format import Sample
from rsflow.shards.manifest import ShardEntry
from rsflow.shards.reader import Allocator, SampleView

_SLOTS = 65  # of processes that count; workers beyond share a row
_COLUMNS = ("samples", "undecodable", "neutralised")  # before a column for each task
_OTHER = "other"  # tasks of a snapshot that came after the stream was made

PlacedReference = tuple[int, SampleReference]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How shards are read. `cache_bytes`: the most a cache holds. `retries`: of a request that failed transiently.
    `on_damage`: "fail", or "skip": count a damaged sample and give the next good one of the order in its stead."""

    cache_bytes: int = CACHE_BYTES
    retries: int = 5
    on_damage: Literal["fail", "skip"] = "fail"


class SampleReader:
    """The fetchers of a content."""

    def __init__(self, content: Content, cache: str | None, read_options: ReadOptions, open_shards: int) -> None:
        options: dict[str, Any] = {"whole": content.whole, "open_shards": open_shards}
        self._fetchers = {
            root: Fetcher(root, cache, read_options.cache_bytes, read_options.retries, read_options.on_damage, **options)
            for root in dict.fromkeys(one.root for one in content.snapshots)
        }

    def read(
        self, references: Iterable[PlacedReference], allocate: Allocator
    ) -> Iterator[tuple[int, SampleReference, Sample | SampleView | None]]:
        """(position, reference, its sample) for each, in order; the sample is None where it is damaged and damage is to be
        skipped. A sample is valid until the next one: see Fetcher.views.
        """
        if len(self._fetchers) == 1 and not any(fetcher.remote for fetcher in self._fetchers.values()):
            yield from self._read_single_root(references, allocate)
            return
        splitter = _RequestSplitter(iter(references), list(self._fetchers))
        samples = {root: fetcher.views(splitter.of(root), allocate) for root, fetcher in self._fetchers.items()}
        while (placed := splitter.next()) is not None:
            position, reference = placed
            yield position, reference, next(samples[reference.root])

    def _read_single_root(
        self, references: Iterable[PlacedReference], allocate: Allocator
    ) -> Iterator[tuple[int, SampleReference, Sample | SampleView | None]]:
        """The only root is on this machine: nothing is gained by consuming references ahead."""
        (fetcher,) = self._fetchers.values()
        now: deque[PlacedReference] = deque(maxlen=1)

        def requests() -> Iterator[tuple[ShardEntry, int]]:
            for placed in references:
                now.append(placed)
                yield placed[1].shard, placed[1].i

        for sample in fetcher.views(requests(), allocate):
            yield *now[0], sample

    def read_one(self, reference: SampleReference) -> Sample | None:
        return self._fetchers[reference.root].sample(reference.shard, reference.i)

    def stats(self) -> dict[str, Any]:
        """The sums of what the fetchers count."""
        every = [asdict(fetcher.stats()) for fetcher in self._fetchers.values()]
        return {name: sum(one[name] for one in every) for name in every[0]}


class _RequestSplitter:
    """References in their order, and the requests of each root. Fetchers may consume these from threads of their own."""

    def __init__(self, references: Iterator[PlacedReference], roots: list[str]) -> None:
        self._references, self._lock = references, Lock()
        self._order: deque[PlacedReference] = deque()
        self._queues = {root: deque[tuple[ShardEntry, int]]() for root in roots}

    def of(self, root: str) -> Iterator[tuple[ShardEntry, int]]:
        while True:
            with self._lock:
                while not self._queues[root]:
                    if not self._draw():
                        return
                requests = self._queues[root].popleft()
            yield requests

    def next(self) -> PlacedReference | None:
        with self._lock:
            return self._order.popleft() if self._order or self._draw() else None

    def _draw(self) -> bool:
        next_item = next(self._references, None)
        if next_item is None:
            return False
        self._order.append(next_item)
        self._queues[next_item[1].root].append((next_item[1].shard, next_item[1].i))
        return True


class SampleCounts:
    """What was given so far: samples, those replaced because they could not be decoded, instructions in which special tokens
    were made plain text, and instructions of each task.

    In shared memory, a row for each process: DataLoader workers count, the process that started them reads.
    """

    def __init__(self, tasks: Iterable[str]) -> None:
        self._slots = {task: i for i, task in enumerate((*sorted(set(tasks)), _OTHER), len(_COLUMNS))}
        columns = len(_COLUMNS) + len(self._slots)
        self._table = torch.zeros(_SLOTS, columns, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def row(self) -> CounterRow:
        """The row of this process."""
        worker = get_worker_info()
        return CounterRow(self._table.numpy()[1 + worker.id % (_SLOTS - 1) if worker else 0].data, self._slots)

    def stats(self) -> dict[str, Any]:
        """samples, undecodable, neutralised; by_task: the instructions of each task that occurred."""
        sums = self._table.sum(dim=0).tolist()
        tasks = {task: sums[slot] for task, slot in self._slots.items() if sums[slot]}
        return {**dict(zip(_COLUMNS, sums, strict=False)), "by_task": tasks}


@dataclass(frozen=True, slots=True)
class CounterRow:
    """What one process counts."""

    numbers: memoryview  # of int64: one number of an array takes twice as long to raise
    slots: Mapping[str, int]  # where each task is counted

    def count_sample(self, tasks: Iterable[str]) -> None:
        self.numbers[0] += 1
        for task in tasks:
            self.numbers[self.slots.get(task, self.slots[_OTHER])] += 1

    def count_undecodable(self) -> None:
        self.numbers[1] += 1

    def count_neutralised(self, instructions: int) -> None:
        if instructions:
            self.numbers[2] += instructions
