"""The positions of batches in an iteration, and the cursor after a number of them, as pure arithmetic.

One idea: an iteration is the positions 0 … total - 1 of one or more epochs, which ranks share out in blocks of a batch
(rsflow.loading.sampling.epoch_order). From a cursor and a number of batches or samples follows the next cursor; nothing is
read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rsflow.loading.resume.state import Cursor
from rsflow.loading.sampling.epoch_order import Consumer, Uneven, batches_until_end, count_batches, samples_per_rank
from rsflow.loading.sampling.sampler import ENDLESS_SAMPLES


@dataclass(frozen=True, slots=True)
class IterationPlan:
    """`samples`: of an epoch; `repeat`: epochs of an iteration, None: without end; `block`: the batch size, or 1."""

    samples: int
    repeat: int | None
    block: int
    uneven: Uneven
    rank: int
    world_size: int

    @property
    def total(self) -> int:
        """Positions of a whole iteration, over all ranks."""
        return ENDLESS_SAMPLES if self.repeat is None else self.repeat * self.samples

    @property
    def samples_per_step(self) -> int:
        """Positions that a batch of each rank takes together."""
        return self.world_size * self.block

    def next_epoch_start(self, cursor: Cursor) -> Cursor:
        """The start of the first epoch after the iteration that holds the cursor; of one without end, after its epoch."""
        return Cursor(cursor.epoch + (self.repeat or 1 + cursor.position // self.samples))

    def samples_left(self, cursor: Cursor) -> int:
        """Samples from the cursor on for this rank, all its workers together. TypeError for an iteration without end."""
        if self.repeat is None:
            raise TypeError("a stream that repeats without end has no length")
        one_worker = Consumer(self.rank, self.world_size)
        return samples_per_rank(self.total, one_worker, self.block, self.uneven, cursor.position) - cursor.taken

    def batches(self, drop_last: bool = False) -> int:
        """Batches of a whole iteration for this rank. TypeError for an iteration without end."""
        return count_batches(self.samples_left(Cursor(0)), self.block, drop_last)

    def after_batches(self, cursor: Cursor, batches: int, drop_last: bool = False) -> Cursor:
        """The cursor when every rank has taken so many batches since `cursor`, which lay between two batches. After the last
        of the iteration it is the start of the next epoch, whether or not the iterator was exhausted."""
        if batches >= batches_until_end(self.total, self.world_size, self.block, self.uneven, cursor.position, drop_last):
            return self.next_epoch_start(cursor)
        return Cursor(cursor.epoch, cursor.position + batches * self.samples_per_step)

    def after_samples(self, start: Cursor, taken: int, workers: int) -> Cursor:
        """The cursor of one of `workers` workers of this rank that took `taken` samples since `start`."""
        taken += start.taken
        if workers > 1:
            return replace(start, taken=taken)
        rounds, inside = divmod(taken, self.block)
        position = start.position + rounds * self.samples_per_step
        return replace(start, position=min(position, self.total), taken=inside)  # padding may fill the last round

    def is_at_end(self, cursor: Cursor) -> bool:
        """Whether nothing is left for this rank from the cursor on, as far as one worker of it can say."""
        return self.repeat is not None and self.samples_left(cursor) <= 0
