"""In which order an epoch's samples come, and who takes which, as pure functions.

One idea: an epoch is one list of integer positions 0 … n - 1, the same for any number of ranks and workers. Shards are
permuted, then the samples of every window of shards are permuted among themselves, so memory and open files stay bounded by
the window, and any window can be computed without those before it. Ranks take blocks of consecutive positions in turn, one
block each a round: what all ranks took after a whole round is a prefix of the list. So a single number says how far an epoch
went, and any other number of ranks and workers can go on from there.

The permutations come from a hash of (content digest, split, seed, epoch) and integer arithmetic alone, for NumPy does not
promise that its generators give the same numbers in the next version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Uneven = Literal["pad", "drop", "keep"]
UNEVEN: tuple[Uneven, ...] = ("pad", "drop", "keep")


@dataclass(frozen=True, slots=True)
class Consumer:
    """One of those who share an epoch: worker `worker` of `workers` in rank `rank` of `world_size`."""

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class ShuffleWindow:
    """Consecutive positions [start, stop): position start + i is sample `sample[i]` of shard `shard[i]`."""

    start: int
    stop: int
    shard: Ints
    sample: Ints


class EpochOrder:
    """An epoch over shards of `sizes` samples, `width` shards shuffled together. `seed` None: in stored order.

    Every (shard, sample) has exactly one position. Takes memory for the shards, not for the samples.
    """

    def __init__(self, sizes: Sequence[int], seed: int | None, width: int) -> None:
        self._seed, self._width = seed, width
        self._shards = np.arange(len(sizes)) if seed is None else permutation(len(sizes), seed)
        self._sizes = np.array(sizes, dtype=np.int64)[self._shards]
        self._shard_ends = np.cumsum(self._sizes)

    def window(self, position: int) -> ShuffleWindow:
        """The window that holds a position."""
        first = int(np.searchsorted(self._shard_ends, position, side="right")) // self._width * self._width
        members, counts = self._shards[first : first + self._width], self._sizes[first : first + self._width]
        total, start = int(counts.sum()), int(self._shard_ends[first] - self._sizes[first])
        sample = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.arange(total) if self._seed is None else permutation(total, self._seed + 1 + first)
        return ShuffleWindow(start, start + total, np.repeat(members, counts)[order], sample[order])


def epoch_seed(content: str, seed: int, epoch: int) -> int:
    """The 64-bit number that an epoch's order follows from. `content`: the snapshot's digest and the split."""
    return int.from_bytes(hashlib.blake2b(f"{content}\n{seed}\n{epoch}".encode(), digest_size=8).digest())


def consumer_positions(total: int, consumer: Consumer, block: int, uneven: Uneven, start: int = 0) -> Iterator[range]:
    """The positions from `start` on of a consumer, as rising ranges. Block k of a round belongs to rank k; a rank's workers
    take its blocks in turn, as a DataLoader takes their batches.

    With `block` equal to the batch size a rank's batches are therefore the same for any number of workers. What is left after
    the last whole round is shared as `uneven` says: "pad", equally, rounded up, so that fewer than `world_size` positions lie
    at `total` or beyond; "drop", equally, rounded down, so that as few of the last positions are left out; "keep", each
    position once, ranks differing by at most one.
    """
    one_round = consumer.world_size * block
    rounds, left = divmod(max(0, total - start), one_round)
    for i in range(consumer.worker, rounds, consumer.workers):
        begin = start + i * one_round + consumer.rank * block
        yield range(begin, begin + block)
    if left and rounds % consumer.workers == consumer.worker:
        begin = start + rounds * one_round
        first, last = _last_round_share(left, consumer, uneven)
        yield range(begin + first, begin + last)


def samples_per_rank(total: int, consumer: Consumer, block: int, uneven: Uneven, start: int = 0) -> int:
    """How many samples all workers of the consumer's rank get."""
    rounds, left = divmod(max(0, total - start), consumer.world_size * block)
    first, last = _last_round_share(left, consumer, uneven)
    return rounds * block + last - first


def count_batches(samples: int, block: int, drop_last: bool) -> int:
    """Batches of `block` samples that so many make; `drop_last`: a smaller last one is left out."""
    return samples // block if drop_last else -(-samples // block)


def batches_until_end(total: int, world_size: int, block: int, uneven: Uneven, start: int = 0, drop_last: bool = False) -> int:
    """Batches from `start` on of the rank that gets most of them: after so many the iteration is over on every rank."""
    whole, left = divmod(max(0, total - start), world_size * block)
    most = left // world_size if uneven == "drop" else -(-left // world_size)
    return whole + count_batches(most, block, drop_last)


def _last_round_share(left: int, consumer: Consumer, uneven: Uneven) -> tuple[int, int]:
    rank, ranks = consumer.rank, consumer.world_size
    if uneven == "keep":
        return left * rank // ranks, left * (rank + 1) // ranks
    each = left // ranks if uneven == "drop" else -(-left // ranks)
    return each * rank, each * (rank + 1)


def permutation(n: int, seed: int) -> Ints:
    """A permutation of 0 … n - 1: sorted by the SplitMix64 output for (seed, i), https://prng.di.unimi.it/splitmix64.c"""
    with np.errstate(over="ignore"):
        x = np.uint64(seed % 2**64) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.argsort(x ^ (x >> np.uint64(31)), kind="stable")
