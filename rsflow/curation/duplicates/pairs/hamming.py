"""All pairs of 64-bit signatures that differ in few bits, within one set or across two.

Multi-index hashing (Norouzi, Punjani, Fleet, https://arxiv.org/abs/1307.2982): the 64 bits are divided into parts. Two
signatures that differ in at most `bits` differ little in at least one part, so it is enough to search, part by part, the
buckets a few bit flips away and to compare what is found there. The result is exact.

Different from the paper: parts are cut along diagonals of the hash's 8 x 8 bits, because neighbouring bits correlate and would
crowd buckets; the number of parts follows from the number of signatures; and a pair is kept only in the first part that finds
it, so no duplicates have to be removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
import numpy.typing as npt

from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner

# Cut into shares (`TaskRunner.tasks`), each task sorts all signatures by one part and looks from its share into all buckets:
# for 100 M of them 0.8 GB are sent to every machine, a task takes 3 GB, and only pairs come back.

Signatures = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

_BLOCK = 1 << 20  # signatures of the second set that are looked up at a time
_CHUNK = 1 << 18  # comparisons at a time: their temporaries stay in the processor's cache
_COMPARISON = 1 / 6  # its time, where a look-up of a bucket takes 1 (measured, see benchmarks/select_phase.py)


def near_pairs(signatures: Signatures, bits: int) -> Indices:
    """Every pair (i, j), i < j, whose signatures differ in at most `bits` bits: (n, 2), sorted, each once.

    Time grows with the pairs that agree in a part, memory with the signatures and the result. A thousand equal signatures
    are half a million pairs, so give it distinct ones. Raises ValueError for `bits` outside [0, 64].
    """
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *iter_near_pairs(signatures, bits)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def iter_near_pairs(signatures: Signatures, bits: int, runner: TaskRunner = LOCAL_RUNNER) -> Iterator[Indices]:
    """The same pairs in pieces (n, 2) of at most about a quarter of a million, in no useful order."""
    values = np.ascontiguousarray(signatures, dtype=np.uint64)
    work = [
        (part, number, runner.tasks) for part in _choose_parts(len(values), len(values), bits) for number in range(runner.tasks)
    ]
    return runner.each(_near_pairs_in_part, work, (values, bits))


def iter_cross_pairs(
    signatures: Signatures, others: Signatures, bits: int, runner: TaskRunner = LOCAL_RUNNER
) -> Iterator[Indices]:
    """Every (row of `signatures`, row of `others`) that differ in at most `bits`, each once, in such pieces."""
    values, queries = (np.ascontiguousarray(some, dtype=np.uint64) for some in (signatures, others))
    work = [
        (part, number, runner.tasks)
        for part in _choose_parts(len(values), len(queries), bits)
        for number in range(runner.tasks)
    ]
    return runner.each(_cross_pairs_in_part, work, (values, queries, bits))


def _near_pairs_in_part(work: tuple[_Part, int, int], values: Signatures, bits: int) -> Iterator[Indices]:
    """The pairs that one part meets first, of one of several shares of the signatures with all."""
    part, number, shares = work
    buckets = _Buckets.of(values, part.cut)
    for pairs in _pairs_within(buckets, bits, part.flips, *_share_bounds(len(values), number, shares)):
        first = part.is_first(values[pairs[:, 0]] ^ values[pairs[:, 1]])
        yield np.sort(pairs[first], axis=1)


def _cross_pairs_in_part(work: tuple[_Part, int, int], values: Signatures, queries: Signatures, bits: int) -> Iterator[Indices]:
    """The same of all signatures with one share of the others."""
    part, number, shares = work
    buckets = _Buckets.of(values, part.cut)
    low, high = _share_bounds(len(queries), number, shares)
    for start in range(low, high, _BLOCK):
        for pairs in _look_up(buckets, queries[start : min(start + _BLOCK, high)], bits, part):
            pairs[:, 1] += start
            yield pairs[part.is_first(values[pairs[:, 0]] ^ queries[pairs[:, 1]])]


def _share_bounds(count: int, number: int, shares: int) -> tuple[int, int]:
    return count * number // shares, count * (number + 1) // shares


def expand_ranges(left: Indices, start: Indices, stop: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Every left[k] with every number of [start[k], stop[k]), about _CHUNK pairs (and one run) at a time."""
    counts = stop - start
    some = np.flatnonzero(counts)
    left, start, counts = left[some], start[some], counts[some]
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(0, ends[-1], _CHUNK), side="right") if len(ends) else some
    for low, high in pairwise([*cuts, len(ends)]):
        if low < high:
            run = counts[low:high]
            begins = ends[low:high] - run
            shift = np.repeat(start[low:high] - begins, run)
            yield np.repeat(left[low:high], run), np.arange(begins[0], ends[high - 1]) + shift


@dataclass(frozen=True, slots=True)
class _Part:
    """The bits of a part, how many flips to look through, and the parts before it with theirs."""

    cut: list[int]
    flips: int
    earlier: list[tuple[list[int], int]]

    def is_first(self, differ: Signatures) -> npt.NDArray[np.bool_]:
        """Whether no earlier part has met pairs that differ in these bits."""
        first = np.ones(len(differ), dtype=np.bool_)
        for cut, limit in self.earlier:
            first &= np.bitwise_count(differ & _mask(cut)).astype(np.int64) > limit
        return first


def _choose_parts(count: int, queries: int, bits: int) -> Iterator[_Part]:
    if not 0 <= bits <= 64:
        raise ValueError(f"bits is {bits}: expected 0 to 64")
    parts = min(range(3, 9), key=lambda number: _cost(count, queries, bits, number))
    both = list(zip(_bits_by_part(parts), _flips_by_part(bits, parts), strict=True))
    # A part of -1 flips is not searched, and neither are those that follow.
    return (_Part(cut, flips, both[:number]) for number, (cut, flips) in enumerate(both) if flips >= 0)


def _bits_by_part(parts: int) -> list[list[int]]:
    """The bits of each part: all 64, evenly."""
    return [[bit for bit in range(64) if (bit % 8 + 2 * (bit // 8)) % parts == part] for part in range(parts)]


def _flips_by_part(bits: int, parts: int) -> list[int]:
    """How many flips to look through per part; -1: not at all.

    If every part differed in more than its number, the whole would differ in at least sum(flips + 1) = bits + 1.
    """
    each, more = divmod(bits + 1, parts)
    return [each - 1 + (part < more) for part in range(parts)]


def _cost(count: int, queries: int, bits: int, parts: int) -> float:
    """Time of look-ups, tables and comparisons, for signatures spread evenly."""
    cost = 0.0
    for cut, most in zip(_bits_by_part(parts), _flips_by_part(bits, parts), strict=True):
        looks = sum(comb(len(cut), flipped) for flipped in range(most + 1))
        buckets = 2 ** len(cut)
        cost += looks * queries + _COMPARISON * (looks * queries * count / buckets + (buckets if looks else 0))
    return cost


def _mask(cut: list[int]) -> np.uint64:
    return np.uint64(sum(1 << bit for bit in cut))


def _keys(values: Signatures, cut: list[int]) -> Indices:
    """The bits of a part, gathered into a small number."""
    keys = np.zeros(len(values), dtype=np.int64)
    for place, bit in enumerate(cut):
        keys |= ((values >> np.uint64(bit)) & np.uint64(1)).astype(np.int64) << place
    return keys


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Signatures sorted by their keys: `rows` and `values` in that order, and where each key's bucket starts."""

    keys: Indices
    rows: Indices
    values: Signatures
    starts: Indices

    @classmethod
    def of(cls, values: Signatures, cut: list[int]) -> _Buckets:
        keys = _keys(values, cut)
        rows = np.argsort(keys, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=1 << len(cut)))])
        return cls(keys[rows], rows, values[rows], starts)


def _pairs_within(buckets: _Buckets, bits: int, most: int, low: int, high: int) -> Iterator[Indices]:
    """Pairs within `bits` whose part differs in at most `most` bits, each once, in chunks: of sorted [low, high) with all."""
    keys, values, starts = buckets.keys[low:high], buckets.values, buckets.starts
    for places in _flip_combinations(len(starts), most):
        if not places:
            own = np.arange(low, high)
            runs = own, own + 1, starts[keys + 1]
        else:
            # Of two buckets that flips join, only the one without the last of those bits looks into the other.
            lower = np.flatnonzero((keys >> places[-1]) & 1 == 0)
            other = keys[lower] ^ sum(1 << place for place in places)
            runs = low + lower, starts[other], starts[other + 1]
        for left, right in expand_ranges(*runs):
            near = np.flatnonzero(np.bitwise_count(values[left] ^ values[right]) <= bits)
            if len(near):
                yield np.stack([buckets.rows[left[near]], buckets.rows[right[near]]], axis=1)


def _look_up(buckets: _Buckets, others: Signatures, bits: int, part: _Part) -> Iterator[Indices]:
    """(row of the buckets, row of `others`) within `bits` whose part differs in at most its number of bits, in chunks."""
    queries = _Buckets.of(others, part.cut)  # sorted, so that neighbours look into neighbouring buckets
    every = np.arange(len(others))
    for places in _flip_combinations(len(buckets.starts), part.flips):
        other = queries.keys ^ sum(1 << place for place in places)
        for left, right in expand_ranges(every, buckets.starts[other], buckets.starts[other + 1]):
            near = np.flatnonzero(np.bitwise_count(queries.values[left] ^ buckets.values[right]) <= bits)
            if len(near):
                yield np.stack([buckets.rows[right[near]], queries.rows[left[near]]], axis=1)


def _flip_combinations(bounds: int, most: int) -> Iterator[tuple[int, ...]]:
    """The places of at most `most` flips in a key, none first, where `bounds` is one more than there are keys."""
    width = (bounds - 1).bit_length() - 1
    for flipped in range(most + 1):
        yield from combinations(range(width), flipped)
