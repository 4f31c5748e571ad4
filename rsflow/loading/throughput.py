"""How fast a snapshot streams here: what `rsflow stream-bench` measures and prints.

One idea: run the stream as a training loop would, with a loop that does nothing, for a given time or one epoch, and count what
the loop really got. The share of time that a real loop would wait follows from its own step time and these rates.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rsflow.errors import ConfigError
from rsflow.loading.loader import Loader
from rsflow.loading.memory.ring_buffer import RingLoader
from rsflow.loading.stream import stream


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """How to stream. `decode`: pictures whole; `size_px`: pictures decoded and resized into shared batches; neither: bytes."""

    split: str = "train"
    workers: int = 2
    batch_size: int = 32
    decode: bool = False
    size_px: int | None = None
    cache: str | None = None
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What the loop got. `seconds` from the first request to the last batch; `first_s` until the first batch; `wait_s` in
    requests, of those seconds. `stream_stats`: what the stream's processes counted, which may be ahead of the loop."""

    settings: BenchSettings
    samples: int
    picture_bytes: int
    seconds: float
    first_s: float
    wait_s: float
    whole_epoch: bool
    tasks: Counter[str]
    stream_stats: dict[str, Any]

    def text(self) -> str:
        """Several lines for people."""
        settings, stream_stats = self.settings, self.stream_stats
        after = max(self.seconds - self.first_s, 1e-9)
        steady = (self.samples - min(settings.batch_size, self.samples)) / after
        pictures = f"{settings.size_px} px, in a ring" if settings.size_px else "decoded" if settings.decode else "not decoded"
        read = stream_stats["hits"] + stream_stats["misses"]
        tasks = ", ".join(f"{count:,} {task}" for task, count in sorted(self.tasks.items()))
        lines = [
            f"split {settings.split}, {settings.workers} workers, batches of {settings.batch_size}, pictures {pictures}",
            f"{self.samples:,} samples in {self.seconds:.2f} s" + (" (the whole epoch)" if self.whole_epoch else ""),
            f"  samples/s        {self.samples / self.seconds:12,.0f}    after the first batch {steady:,.0f}",
            f"  MB/s             {self.picture_bytes / self.seconds / 1e6:12,.1f}    of encoded samples",
            f"  first batch      {self.first_s:12.3f} s",
            f"  wait share       {self.wait_s / self.seconds:12.1%}    of a loop that does nothing else",
            f"  cache hits       {stream_stats['hits'] / max(1, read):12.1%}    of {read:,} samples read; "
            f"{stream_stats['fetched']:,} bytes fetched",
            f"  skipped          {stream_stats['skipped']:12,}    requests made again {stream_stats['retried']:,}",
            f"  instructions     {sum(self.tasks.values()):12,}    {tasks}",
        ]
        return "\n".join(lines)


def measure_throughput(url: str, settings: BenchSettings) -> BenchResult:
    """Stream from `url` until the epoch or the time is over.

    ConfigError where the settings are impossible, SnapshotError or StorageError where the snapshot cannot be read.
    """
    if settings.workers < 0 or settings.batch_size < 1 or settings.seconds <= 0:
        raise ConfigError("stream-bench: expected at least 0 workers, batches of at least 1 and a time above 0 s")
    loader = _loader(url, settings)
    samples, tasks = 0, Counter[str]()
    wait = first = 0.0
    batches, whole = iter(loader), True
    start = asked_at = time.perf_counter()
    for batch in batches:
        now = time.perf_counter()
        wait += now - asked_at
        first = first or now - start
        samples += len(batch["key"])
        tasks.update(instruction["task"] for one in batch["instructions"] for instruction in one)
        if now - start >= settings.seconds:
            whole = False
            break
        asked_at = time.perf_counter()
    seconds = max(time.perf_counter() - start, 1e-9)
    stream_stats = loader.stats()
    read = max(1, stream_stats["hits"] + stream_stats["misses"])
    size = round(stream_stats["bytes"] * min(1.0, samples / read))
    return BenchResult(settings, samples, size, seconds, first, wait, whole, tasks, stream_stats)


def _loader(url: str, settings: BenchSettings) -> Loader:
    plain = settings.decode and settings.size_px is None
    dataset = stream(url, settings.split, settings.batch_size, decode=plain, cache=settings.cache)
    return (
        Loader(dataset, num_workers=settings.workers)
        if settings.size_px is None
        else RingLoader(dataset, settings.workers, settings.size_px)
    )
