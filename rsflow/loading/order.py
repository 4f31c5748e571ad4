"""In which order an epoch's samples come, and who takes which, as pure functions.

One idea: an epoch is one list of integer positions 0 … n - 1, the same for any number of ranks and workers. Shards are
permuted, then the samples of every window of shards are permuted among themselves, so memory and open files stay bounded by
the window. Consumers take blocks of consecutive positions in turn: at any moment what all have taken together is close to a
prefix of the list, and a rank's list of blocks does not depend on its number of workers.

The permutations come from a hash of (content digest, split, seed, epoch) and integer arithmetic alone, for NumPy does not
promise that its generators give the same numbers in the next version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Consumer:
    """One of those who share an epoch: worker `worker` of `workers` in rank `rank` of `world_size`."""

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive positions [start, stop): position start + i is sample `sample[i]` of shard `shard[i]`."""

    start: int
    stop: int
    shard: Ints
    sample: Ints


def epoch_seed(content: str, seed: int, epoch: int) -> int:
    """The 64-bit number that an epoch's order follows from. `content`: the snapshot's digest and the split."""
    return int.from_bytes(hashlib.blake2b(f"{content}\n{seed}\n{epoch}".encode(), digest_size=8).digest())


def windows(sizes: Sequence[int], seed: int | None, window_shards: int) -> Iterator[Window]:
    """The epoch as windows in order. `sizes`: samples of each shard. `seed` None: shards and samples as they stand.

    Every (shard, sample) has exactly one position.
    """
    shards = np.arange(len(sizes)) if seed is None else shuffled(len(sizes), seed)
    start = 0
    for i in range(0, len(shards), window_shards):
        members = shards[i : i + window_shards]
        counts = np.array([sizes[shard] for shard in members], dtype=np.int64)
        total = int(counts.sum())
        sample = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.arange(total) if seed is None else shuffled(total, seed + 1 + i)
        yield Window(start, start + total, np.repeat(members, counts)[order], sample[order])
        start += total


def dealt(total: int, consumer: Consumer, block: int) -> Iterator[range]:
    """The positions of a consumer, as rising ranges. Over all consumers each position is dealt exactly once.

    Block k of a round belongs to rank k; a rank's workers take its blocks in turn, as a DataLoader takes their batches. With
    `block` equal to the batch size a rank's batches are therefore the same for any number of workers. What is left after the
    last whole round is shared evenly, so ranks differ by at most one sample.
    """
    one_round = consumer.world_size * block
    rounds = total // one_round
    for i in range(consumer.worker, rounds, consumer.workers):
        start = i * one_round + consumer.rank * block
        yield range(start, start + block)
    if rounds % consumer.workers == consumer.worker:
        start, left = rounds * one_round, total % one_round
        first, last = (left * rank // consumer.world_size for rank in (consumer.rank, consumer.rank + 1))
        yield range(start + first, start + last)


def share(total: int, consumer: Consumer, block: int) -> int:
    """How many samples all workers of the consumer's rank get."""
    one_rank = Consumer(consumer.rank, consumer.world_size)
    rounds = total // (consumer.world_size * block)
    return rounds * block + sum(len(part) for part in dealt(total % (consumer.world_size * block), one_rank, block))


def shuffled(n: int, seed: int) -> Ints:
    """A permutation of 0 … n - 1: sorted by the SplitMix64 output for (seed, i), https://prng.di.unimi.it/splitmix64.c"""
    with np.errstate(over="ignore"):
        x = np.uint64(seed % 2**64) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.argsort(x ^ (x >> np.uint64(31)), kind="stable")
