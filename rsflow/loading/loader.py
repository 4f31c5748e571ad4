"""A DataLoader with a state: it saves and resumes with any number of workers and ranks.

One idea: with the stream's own batch size, batch s of a rank is round s of the order, whichever worker made it; so the number
of batches that the training loop has received, not what workers prefetched, determines where to resume. The state is the
stream's.

Refused: what would break the match of batches and rounds (another batch size or sampler, batches out of order), and a state
that was taken inside a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch.utils.data import DataLoader

from rsflow.errors import ConfigError
from rsflow.loading.dataset import Stream
from rsflow.loading.example import collate_samples
from rsflow.loading.memory.batch_slots import EncodedSlotCollator, LocalCollator, SlotCollator
from rsflow.loading.number_values import parse_integer
from rsflow.loading.resume.state import MAX_EPOCHS, Cursor

_END = object()
_PREFETCH = 2  # torch's own
_MAX_SLOT_BYTES = 2 << 30  # of shared memory for encoded pictures
_STREAM_OPTIONS = ("batch_size", "shuffle", "sampler", "batch_sampler", "generator")


class Loader(DataLoader[Any]):
    """Batches of a stream: `Loader(stream(root, batch_size=8), num_workers=2)`. `options`: those of torch's DataLoader.

    Iterating begins at the stream's cursor. Each iteration is an epoch of its own: whether the loop before ran to
    the end, stopped after `len(loader)` batches or broke off, the next begins with the epoch that follows. `set_epoch` of the
    epoch in progress gives it once more.

        loader.load_state_dict(saved)
        for epoch in range(loader.epoch, epochs):
            loader.set_epoch(epoch)
            for batch in loader:
                ...
    """

    def __init__(
        self,
        dataset: Stream,
        collate_fn: Callable[[Sequence[dict[str, Any]]], Any] = collate_samples,
        **options: Any,
    ) -> None:
        if dataset.settings.batch_size is None:
            raise ConfigError("a Loader takes its batch size from the stream: stream(..., batch_size=8)")
        if given := sorted(set(options) & set(_STREAM_OPTIONS)):
            raise ConfigError(f"{given[0]}: set it on the stream, not on the Loader")
        if not options.get("in_order", True):
            raise ConfigError("in_order: found False: batches out of order cannot be resumed")
        if collate_fn is collate_samples and not dataset.settings.decode:
            ahead = options.get("prefetch_factor") or _PREFETCH
            collate_fn = (_encoded(dataset, ahead) if options.get("num_workers") else LocalCollator()) or collate_fn
        sink = collate_fn if isinstance(collate_fn, (SlotCollator, LocalCollator)) else None
        super().__init__(dataset.in_loader(sink), batch_size=dataset.settings.batch_size, collate_fn=collate_fn, **options)
        self.stream = dataset
        self._start: Cursor | None = None  # of the iteration in progress
        self._batches = 0
        self._repeat_epoch = False  # whether the epoch of the iteration in progress was requested once more
        self._seconds = self._wait_seconds = 0.0

    @property
    def epoch(self) -> int:
        """The epoch of the next batch, or the first epoch of an iteration of several."""
        return self._cursor().epoch

    def set_epoch(self, epoch: int) -> None:
        """As Stream.set_epoch; a whole epoch begins unless it is the loader's current one."""
        now = self._cursor().epoch
        if parse_integer("epoch", epoch, MAX_EPOCHS) != now:
            self._start = None
            self.stream.start_epoch(epoch)
        elif self._start is not None and self._start.epoch == now:
            self._repeat_epoch = True

    def skip_to(self, epoch: int, batches: int) -> None:
        """Begin the next iteration after so many batches of this epoch, without reading them."""
        self._start = None
        self.stream.start_epoch(parse_integer("epoch", epoch, MAX_EPOCHS))
        self.stream.move_to(
            self.stream.plan.after_batches(self.stream.origin, parse_integer("batches", batches), self.drop_last)
        )

    def __len__(self) -> int:
        """Batches of a whole iteration for this rank. What a trainer takes for the length of an epoch does not shrink where
        it was resumed within one: the iteration then ends by itself, earlier."""
        return self.stream.plan.batches(self.drop_last)

    def state_dict(self) -> dict[str, Any]:
        """After the batch that the loop got last; equal on all ranks after the same number of batches."""
        return self.stream.state_at(self._cursor())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin where the state was taken. As Stream.load_state_dict, and ConfigError for a state taken inside a batch."""
        before = self.stream.origin
        self.stream.load_state_dict(state)
        reached, plan = self.stream.origin, self.stream.plan
        if plan.is_at_end(reached):
            self.stream.move_to(plan.next_epoch_start(reached))
        elif reached.taken:
            self.stream.move_to(before)
            raise ConfigError("the state was taken inside a batch or by one DataLoader worker: a Loader cannot begin there")
        self._start = None

    def stats(self) -> dict[str, Any]:
        """Stream.stats, and of the loop: seconds since the first batch was requested, samples_per_s and bytes_per_s over them,
        and wait_share, the fraction of them in which the loop waited for a batch."""
        found = self.stream.stats()
        seconds = max(self._seconds, 1e-9)
        rates = {f"{name}_per_s": found[name] / seconds for name in ("samples", "bytes")}
        return {**found, "seconds": self._seconds, **rates, "wait_share": self._wait_seconds / seconds}

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch names its own iterator class
        self._start, self._batches, self._repeat_epoch = self._start_cursor(), 0, False
        self.stream.move_to(self._start)
        self.stream.set_loader_iterates(True)
        collator = self.collate_fn
        if not isinstance(collator, SlotCollator):
            return self._count_batches(super().__iter__(), self._start)
        collator.start_iteration(self.num_workers, same_workers=self.persistent_workers and self._iterator is not None)
        return self._count_batches(collator.receive(super().__iter__()), self._start)

    def _count_batches(self, batches: Iterator[Any], start: Cursor) -> Iterator[Any]:
        requested = time.perf_counter()
        while True:
            began = time.perf_counter()
            batch = next(batches, _END)
            now = time.perf_counter()
            self._wait_seconds += now - began
            self._seconds += now - requested
            requested = now
            if batch is _END:
                break
            if self._start is start:
                self._batches += 1
            yield batch
        if self._start is start:
            self._start = None
            self.stream.set_loader_iterates(False)
            self.stream.start_epoch(self.stream.plan.next_epoch_start(start).epoch)

    def _start_cursor(self) -> Cursor:
        """Where an iteration begins. An iteration that a loop left, after some of its batches or after the last, is over even
        if it was not exhausted: the next one is a whole next epoch."""
        stream, start = self.stream, self._start
        if start is not None and self._repeat_epoch:
            stream.move_to(Cursor(start.epoch))
        elif start is not None and self._batches:
            last = replace(start, position=start.position + self._batches * stream.plan.samples_per_step - 1)
            stream.start_epoch(stream.plan.next_epoch_start(last).epoch)
        return stream.origin

    def _cursor(self) -> Cursor:
        if self._start is None:
            return self.stream.origin
        return self.stream.plan.after_batches(self._start, self._batches, self.drop_last)


def _encoded(dataset: Stream, prefetch: int) -> EncodedSlotCollator | None:
    """Slots for encoded pictures that hold half as much again as a batch takes on average; None where they are too large."""
    shards = [shard for _, shard in dataset.content.shards]
    mean = sum(shard.bytes for shard in shards) / sum(shard.samples for shard in shards)
    size = int(1.5 * mean * dataset.settings.block) + (1 << 16)
    return EncodedSlotCollator(prefetch + 1, size) if (prefetch + 1) * size <= _MAX_SLOT_BYTES else None
