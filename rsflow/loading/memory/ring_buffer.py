"""Decoded batches of fixed-size pictures through memory that all processes share.

One idea: a DataLoader passes every tensor of a worker as a file of its own, which at two workers takes as long as decoding.
Here workers decode straight into a slot of shared memory (rsflow.loading.memory.batch_slots), a whole batch at once, and send
only its number and the text; the loop gets a view.

Everything else is the Loader's: order, state, epochs, damaged pictures, errors and dead workers. Refused: a stream that
decodes by itself or has no batch size. Text is written for the picture's original size: use a dialect of fractions, not of
pixels, where pictures are resized.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from rsflow.errors import ConfigError
from rsflow.loading.dataset import Stream
from rsflow.loading.decoding.decode import Pixels, decode_into
from rsflow.loading.decoding.packed_boxes import Floats
from rsflow.loading.loader import Loader
from rsflow.loading.memory.batch_slots import Batch, BatchSlots, SlotCollator
from rsflow.loading.memory.shared_memory import Bytes
from rsflow.loading.number_values import parse_integer
from rsflow.shards.reader import Buffer


class RingLoader(Loader):
    """Batches of the stream, decoded by `workers` processes (0: by this one) and stretched to `size_px` × `size_px`:

        for batch in RingLoader(stream(root, batch_size=32, decode=False), workers=4, size_px=512):
            model(batch["image"].to("cuda"), ...)

    A batch is a dict: `image`, uint8 (n, 3, rows, cols), a view that holds until `hold` more batches are requested; the other
    columns of rsflow.loading.example as lists, boxes and quads of the instructions moved along with the resize. The last batch
    may be smaller. `prefetch`: batches that a worker makes ahead. `start`: how processes start, None for torch's own way.
    `persistent`: processes stay from epoch to epoch. `pin_memory`: the shared memory is page-locked, so `image` can be moved
    with `non_blocking=True`; let it `hold` until it has arrived.
    """

    def __init__(
        self,
        stream: Stream,
        workers: int,
        size_px: int,
        *,
        hold: int = 1,
        prefetch: int = 2,
        start: str | None = None,
        persistent: bool = False,
        pin_memory: bool = False,
    ) -> None:
        """ConfigError where the stream decodes by itself or has no batch size, or a number is impossible."""
        if stream.settings.decode:
            raise ConfigError("a RingLoader decodes: give it a stream(..., decode=False)")
        workers = parse_integer("workers", workers)
        size_px, hold, prefetch = (
            parse_integer(name, value, smallest=1)
            for name, value in {"size_px": size_px, "hold": hold, "prefetch": prefetch}.items()
        )
        ahead: dict[str, Any] = {"prefetch_factor": prefetch, "multiprocessing_context": start} if workers else {}
        collator = DecodedSlotCollator(hold + (prefetch if workers else 0), stream.settings.block, size_px, hold, pin_memory)
        super().__init__(stream, collator, num_workers=workers, persistent_workers=persistent and workers > 0, **ahead)
        self.ring_bytes = max(1, workers) * collator.slots_each * collator.slot_bytes
        """Shared memory that an iteration takes for pictures."""


class DecodedSlotCollator(SlotCollator):
    """Passes pictures as pixels (rows, cols, 3), `size_px` square, each at its example's position in the batch."""

    def __init__(self, slots_each: int, batch_size: int, size_px: int, hold: int, pin: bool) -> None:
        super().__init__(slots_each, batch_size * size_px * size_px * 3)
        self._shape = (batch_size, size_px, size_px, 3)
        self._hold, self._pin = hold, pin

    def start_iteration(self, workers: int, same_workers: bool) -> None:
        super().start_iteration(workers, same_workers)
        if self._pin and not same_workers:
            _lock_pages(self._slots)

    def _blocks(self, examples: Sequence[Batch]) -> tuple[Floats, Floats]:
        """The boxes of the whole batch in pixels of the resized pictures."""
        hulls, quads = super()._blocks(examples)
        _, height, width, _ = self._shape
        scales = np.array([(width / one["width_px"], height / one["height_px"]) for one in examples], dtype=np.float32)
        scale = scales.repeat([len(one["regions"]) for one in examples], axis=0)
        return hulls * np.tile(scale, 2), quads * np.tile(scale, 4)

    def _on_new_batch(self) -> None:
        self._next = 0

    def _store_picture(self, data: Buffer, slot: Bytes) -> None:
        decode_into(data, self._pixels(slot)[self._next])
        self._next += 1

    def _pixels(self, slot: Bytes) -> Pixels:
        rows, height, width, bands = self._shape
        return slot[: rows * height * width * bands].reshape(self._shape)

    def _receive_pictures(self, batches: Iterator[Batch], slots: BatchSlots, iteration: int) -> Iterator[Batch]:
        unreleased: deque[int] = deque()
        for batch in batches:
            worker, number, count = batch.pop("slot")
            pixels = torch.from_numpy(self._pixels(slots.slot(worker, number))[:count])
            yield {**batch, "image": pixels.permute(0, 3, 1, 2)}
            unreleased.append(worker)
            if len(unreleased) == self._hold:
                slots.release(iteration, unreleased.popleft())


def _lock_pages(slots: BatchSlots) -> None:
    """Until the slots are given back. ConfigError where there is no CUDA device, or it will not lock so much memory."""
    if not torch.cuda.is_available():
        raise ConfigError("pin_memory: there is no CUDA device here")
    memory, cuda = slots.bytes, torch.cuda.cudart()  # type: ignore[no-untyped-call]
    failed = int(cuda.cudaHostRegister(memory.ctypes.data, memory.nbytes, 0))
    if failed:
        raise ConfigError(f"pin_memory: {memory.nbytes:,} bytes cannot be page-locked (CUDA error {failed})")
    weakref.finalize(slots, _unlock_pages, cuda, memory.ctypes.data, os.getpid())


def _unlock_pages(cuda: Any, address: int, process: int) -> None:
    if os.getpid() == process:  # a forked worker has a copy of the slots, but not of the device's state
        cuda.cudaHostUnregister(address)
