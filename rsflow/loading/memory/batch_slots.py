"""Slots of shared memory through which DataLoader workers pass pictures to the training loop, instead of a pipe.

One idea: each worker has a few slots, one for a batch, and fills them in turn. It waits for a slot that the loop has not
released yet, so memory is bounded by workers × slots × the size of a slot. Through the pipe go a position in a slot, and the
text as JSON, which is written and parsed several times as fast as a pickle of the same dicts.

Persistent workers outlive an iteration, and may still work on its last batches when the next one begins. So each iteration
has its own counts of released batches, and those of the iteration before are closed: its workers stop waiting, and their
batches are discarded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
from torch.utils.data import get_worker_info

from rsflow.loading.decoding.packed_boxes import Floats, pack_boxes, restore_boxes
from rsflow.loading.example import collate_samples
from rsflow.loading.memory.shared_memory import Bytes, PrivateBuffer, SharedBuffer
from rsflow.loading.sampling.epoch_order import Ints
from rsflow.shards.reader import Buffer, ScratchBuffer

_POLL_SECONDS = 0.0002
_CLOSED = -1
_LINE = 64  # bytes; every slot begins at a multiple of it

Batch = dict[str, Any]

_TEXT = (
    "key",
    "sensor",
    "split",
    "height_px",
    "width_px",
    "dialect",
    "instructions",
    "meta",
)  # columns of a batch that cross as JSON


class BatchSlots:
    """`each` slots of `size` bytes for each worker; without workers, for this process alone."""

    def __init__(self, workers: int, each: int, size: int) -> None:
        self.workers, self.each = max(1, workers), each
        self.size = -(-size // _LINE) * _LINE
        self._head = -(-2 * self.workers * 8 // _LINE) * _LINE
        self._memory = (SharedBuffer if workers else PrivateBuffer)(self._head + self.workers * each * self.size)

    def slot(self, worker: int, number: int) -> Bytes:
        start = self._head + (worker * self.each + number) * self.size
        return self._memory.bytes[start : start + self.size]

    @property
    def bytes(self) -> Bytes:
        """All of the memory."""
        return self._memory.bytes

    def open(self, iteration: int) -> None:
        """Begin an iteration, counted from 1 on: nothing is released yet. Workers of the one before stop waiting."""
        self._released(iteration - 1)[:] = _CLOSED
        self._released(iteration)[:] = 0

    def close(self, iteration: int) -> None:
        """End the iteration: workers stop waiting."""
        self._released(iteration)[:] = _CLOSED

    def release(self, iteration: int, worker: int) -> None:
        """Release the worker's oldest batch. Nothing happens where the iteration is over."""
        if self._released(iteration)[worker] != _CLOSED:
            self._released(iteration)[worker] += 1

    def free(self, iteration: int, worker: int, written: int) -> bool:
        """Wait until the worker may write its batch number `written`. False: the iteration is over."""
        released = self._released(iteration)
        while 0 <= released[worker] <= written - self.each:
            time.sleep(_POLL_SECONDS)
        return bool(released[worker] != _CLOSED)

    def _released(self, iteration: int) -> Ints:
        """How many batches of each worker the loop has released."""
        start = iteration % 2 * self.workers * 8
        return self._memory.bytes[start : start + self.workers * 8].view(np.int64)


class SlotCollator:
    """The collate function of a Loader whose workers pass pictures in slots; the stream's PictureSink in each worker.

    In a worker `on_iteration_start` begins an iteration, `allocate` gives memory for the next encoded picture, and `store`
    returns what stands for it as `image`; the call ends a batch, whose boxes it packs. In the loop's process
    `start_iteration` makes the slots of an iteration, and `receive` gives its batches.
    """

    def __init__(self, slots_each: int, slot_bytes: int) -> None:
        self.slots_each, self.slot_bytes = slots_each, slot_bytes
        self._opened = 0  # iterations, as the loop counts them
        self._iteration = self._written = 0
        self._slot: Bytes | None = None  # of the batch in progress, once it was waited for
        self._waited = False

    def start_iteration(self, workers: int, same_workers: bool) -> None:
        """To be called before an iteration of so many workers (0: of this process); `same_workers`: those of the last one."""
        if not same_workers:
            self._slots = BatchSlots(workers, self.slots_each, self.slot_bytes)
            self._opened = self._iteration = 0
        self._opened += 1
        self._slots.open(self._opened)

    def receive(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches as the loop gets them; `batches`: as workers sent them."""
        slots, iteration = self._slots, self._opened
        try:
            for batch in self._receive_pictures(batches, slots, iteration):
                text, regions = orjson.loads(batch.pop("text")), batch.pop("regions")
                restore_boxes(chain.from_iterable(text["instructions"]), *regions)
                yield {**text, **batch}
        finally:
            slots.close(iteration)

    def on_iteration_start(self) -> None:
        self._iteration += 1
        self._written, self._slot, self._waited = 0, None, False
        self._scratch = ScratchBuffer()

    def allocate(self, size: int) -> memoryview:
        """Memory for the next encoded picture."""
        return self._scratch(size)

    def store(self, data: Buffer) -> Any:
        """What stands for an encoded picture in its batch. ValueError where it cannot be decoded."""
        slot = self._claim_slot()
        return None if slot is None else self._store_picture(data, slot)

    def _claim_slot(self) -> Bytes | None:
        """The slot of the batch in progress; waits for it once. None: the iteration is over."""
        if not self._waited:
            worker, number = self._slot_place()
            is_open = self._slots.free(self._iteration, worker, self._written)
            self._slot, self._waited = (self._slots.slot(worker, number) if is_open else None), True
            self._on_new_batch()
        return self._slot

    def __call__(self, examples: Sequence[Batch]) -> Batch:
        batch: Batch = collate_samples(examples)
        text = orjson.dumps({name: batch.pop(name) for name in _TEXT})
        batch |= {"slot": (*self._slot_place(), len(examples)), "text": text, "regions": self._blocks(examples)}
        self._written, self._slot, self._waited = self._written + 1, None, False
        return batch

    def _blocks(self, examples: Sequence[Batch]) -> tuple[Floats, Floats]:
        """The boxes of the whole batch."""
        return pack_boxes([box for one in examples for box in one["regions"]])

    def _slot_place(self) -> tuple[int, int]:
        worker = get_worker_info()
        return (worker.id if worker else 0), self._written % self.slots_each

    def _on_new_batch(self) -> None:
        """A new batch begins."""
        raise NotImplementedError

    def _store_picture(self, data: Buffer, slot: Bytes) -> Any:
        raise NotImplementedError

    def _receive_pictures(self, batches: Iterator[Batch], slots: BatchSlots, iteration: int) -> Iterator[Batch]:
        raise NotImplementedError


class LocalCollator:
    """The collate function of a Loader without workers: encoded pictures as bytes, the boxes of a batch made as one block."""

    def on_iteration_start(self) -> None:
        self._scratch = ScratchBuffer()

    def allocate(self, size: int) -> memoryview:
        return self._scratch(size)

    def store(self, data: Buffer) -> bytes:
        return bytes(data)

    def __call__(self, examples: Sequence[Batch]) -> Batch:
        batch = collate_samples(examples)
        regions = pack_boxes(list(chain.from_iterable(batch.pop("regions"))))
        restore_boxes(chain.from_iterable(batch["instructions"]), *regions)
        return batch


class EncodedSlotCollator(SlotCollator):
    """Passes pictures as they are encoded, one after the other; each was read straight into the slot where it fits. Those
    that do not fit into the rest of a slot go through the pipe."""

    _given: memoryview | None  # the part of the slot that the current picture is read into

    def allocate(self, size: int) -> memoryview:
        slot = self._claim_slot()
        if slot is None or self._end + size > len(slot):
            return super().allocate(size)
        self._given = slot[self._end : self._end + size].data
        return self._given

    def _on_new_batch(self) -> None:
        self._end = 0
        self._given = None

    def _store_picture(self, data: Buffer, slot: Bytes) -> bytes | tuple[int, int]:
        start, stop = self._end, self._end + len(data)
        if stop > len(slot):
            return bytes(data)
        if data is not self._given:
            slot[start:stop] = np.frombuffer(data, dtype=np.uint8)
        self._end = stop
        return start, stop

    def _receive_pictures(self, batches: Iterator[Batch], slots: BatchSlots, iteration: int) -> Iterator[Batch]:
        for batch in batches:
            worker, number, _ = batch.pop("slot")
            view = slots.slot(worker, number)
            batch["image"] = [one if isinstance(one, bytes) else view[one[0] : one[1]].tobytes() for one in batch["image"]]
            slots.release(iteration, worker)
            yield batch
