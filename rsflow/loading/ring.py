"""Decoded batches of fixed-size pictures through memory that all processes share.

One idea: a DataLoader hands every tensor of a worker over as a file of its own, which at two workers takes as long as decoding.
Here the pictures' memory is allocated once: a ring of a few slots for each worker, each a whole batch. Workers decode straight
into the next slot and send only its number and the text; the loop gets a view. A worker writes to a slot again only after the
loop has let go of it, so memory is bounded: workers × (prefetch + hold) × batch × 3 × size² bytes.

All else is the Loader's: order, state, epochs, and that errors and dead workers surface. Refused: a stream that decodes by
itself or has no batch size. A picture that cannot be decoded always stops the run, whatever the stream does about damage
elsewhere. Text is spelled for the picture as it was: use a dialect of shares, not of pixels, where pictures are resized.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import get_worker_info

from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.decode import Pixels, decoded_to, scaled_boxes
from rsflow.loading.example import collate_samples
from rsflow.loading.loader import Loader
from rsflow.loading.stream import Stream

_POLL_SECONDS = 0.0005
_CLOSED = -1


@dataclass(frozen=True)
class Slots:
    """The ring: `pixels` (workers, slots, batch, rows, cols, 3), and of each worker's batches how many the loop let go of."""

    pixels: torch.Tensor
    released: torch.Tensor

    @staticmethod
    def shared(workers: int, slots: int, batch_size: int, size_px: int) -> Slots:
        pixels = torch.empty(workers, slots, batch_size, size_px, size_px, 3, dtype=torch.uint8)
        released = torch.zeros(workers, dtype=torch.int64)
        return Slots(pixels.share_memory_(), released.share_memory_())  # type: ignore[no-untyped-call]


@dataclass
class _Writer:
    """The collate function of a worker: decodes examples into its next slot."""

    slots: Slots
    written: int = 0

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        worker = get_worker_info()
        number = worker.id if worker else 0
        ring, released = self.slots.pixels[number], self.slots.released
        slot = self.written % len(ring)
        while self.written - int(released[number]) >= len(ring) and int(released[number]) != _CLOSED:
            time.sleep(_POLL_SECONDS)
        if int(released[number]) != _CLOSED:  # else nobody wants it, and the last batch is still looked at
            _decode(examples, ring[slot].numpy())
        self.written += 1
        size = tuple(ring.shape[2:4])
        rest = [{name: value for name, value in one.items() if name != "image"} for one in examples]
        return {"ring": (number, slot, len(examples)), **collate_samples([_moved(one, size) for one in rest])}


class Ring(Loader):
    """Batches of the stream, decoded by `workers` processes (0: by this one) and stretched to `size_px` × `size_px`:

        for batch in Ring(stream(root, batch_size=32, decode=False), workers=4, size_px=512):
            model(batch["image"].to("cuda"), ...)

    A batch is a dict: `image`, uint8 (n, 3, rows, cols), a view that holds until `hold` more batches are asked for; the other
    columns of rsflow.loading.example as lists, boxes and quads of the instructions moved along with the resize. The last batch
    may be smaller. `prefetch`: batches that a worker makes ahead. `start`: how processes start, None for torch's own way.
    """

    def __init__(
        self, stream: Stream, workers: int, size_px: int, *, hold: int = 1, prefetch: int = 2, start: str | None = None
    ) -> None:
        """ConfigError where the stream decodes by itself or has no batch size, or a number is impossible."""
        if stream.settings.decode:
            raise ConfigError("a Ring decodes: give it a stream(..., decode=False)")
        if min(size_px, hold, prefetch) < 1 or workers < 0:
            raise ConfigError(
                f"workers {workers}, size_px {size_px}, hold {hold}, prefetch {prefetch}: expected at least 0, 1, 1 and 1"
            )
        ahead: dict[str, Any] = {"prefetch_factor": prefetch, "multiprocessing_context": start} if workers else {}
        super().__init__(stream, num_workers=workers, **ahead)
        self._hold = hold
        self._shape = (max(1, workers), hold + (prefetch if workers else 0), stream.settings.batch_size or 1, size_px)

    @property
    def ring_bytes(self) -> int:
        """Shared memory that an iteration takes for pictures."""
        workers, slots, batch_size, size_px = self._shape
        return workers * slots * batch_size * size_px * size_px * 3

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch names its own iterator class
        slots = Slots.shared(*self._shape)
        self.collate_fn = _Writer(slots)
        return self._views(super().__iter__(), slots)

    def _views(self, found: Iterator[Any], slots: Slots) -> Iterator[Any]:
        held: deque[int] = deque()
        try:
            for batch in found:
                number, slot, size = batch.pop("ring")
                yield {**batch, "image": slots.pixels[number, slot, :size].permute(0, 3, 1, 2)}
                held.append(number)
                if len(held) == self._hold:
                    slots.released[held.popleft()] += 1
        finally:
            slots.released.fill_(_CLOSED)


def _decode(examples: Sequence[dict[str, Any]], pixels: Pixels) -> None:
    for place, one in enumerate(examples):
        try:
            decoded_to(one["image"], pixels[place])
        except ValueError as error:
            raise SnapshotError(f"sample {one['key']}: its picture cannot be decoded ({error})") from error


def _moved(one: dict[str, Any], size: tuple[int, ...]) -> dict[str, Any]:
    """The example with the boxes of its instructions in pixels of the resized picture, as arrays like before."""
    was = one["height_px"], one["width_px"]
    now = size[0], size[1]
    if was == now:
        return one
    moved = [
        {**said, **{name: scaled_boxes(said[name], was, now, said[name].shape[1]).numpy() for name in ("boxes", "quads")}}
        for said in one["instructions"]
    ]
    return {**one, "instructions": moved}
