"""All pairs of 64-bit signatures that differ in few bits.

One idea, multi-index hashing (Norouzi, Punjani, Fleet, https://arxiv.org/abs/1307.2982): cut the 64 bits into parts. Where two
signatures differ in at most `bits`, they differ little in at least one part; so it is enough to look, part by part, into the
buckets a few flips away, and to compare only what is met there. Exact: nothing is missed and nothing is sampled.

Three choices are ours. Parts are cut along diagonals of the hash's 8 x 8 bits, because bits beside and below each other go
together and would crowd buckets. The number of parts follows from the number of signatures (few wide parts for many). And a
pair is kept only in the first part that meets it, so none has to be sorted out afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import comb

import numpy as np
import numpy.typing as npt

Signatures = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

_CHUNK = 1 << 18  # comparisons at a time: their temporaries stay in the processor's cache
_COMPARISON = 1 / 6  # its time, where a look-up of a bucket takes 1 (measured, see benchmarks/select_phase.py)


def near_pairs(signatures: Signatures, bits: int) -> Indices:
    """Every pair (i, j), i < j, whose signatures differ in at most `bits` bits: (n, 2), sorted, each once.

    Time grows with the pairs that agree in a part, memory with the signatures and the result. A thousand equal signatures
    are half a million pairs, so give it distinct ones. Raises ValueError for `bits` outside [0, 64].
    """
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *each_near_pairs(signatures, bits)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def each_near_pairs(signatures: Signatures, bits: int) -> Iterator[Indices]:
    """The same pairs in pieces (n, 2) of at most about a quarter of a million, in no useful order."""
    if not 0 <= bits <= 64:
        raise ValueError(f"bits is {bits}: expected 0 to 64")
    values = np.ascontiguousarray(signatures, dtype=np.uint64)
    parts = min(range(3, 9), key=lambda count: _cost(len(values), bits, count))
    cuts, flips = _cut(parts), _flips(bits, parts)
    for number, (cut, most) in enumerate(zip(cuts, flips, strict=True)):
        if most < 0:
            break  # so are all that follow
        for pairs in _meet(values, bits, cut, most):
            differ = values[pairs[:, 0]] ^ values[pairs[:, 1]]
            first = np.ones(len(pairs), dtype=np.bool_)
            for earlier, limit in zip(cuts[:number], flips[:number], strict=True):
                first &= np.bitwise_count(differ & _mask(earlier)).astype(np.int64) > limit
            yield np.sort(pairs[first], axis=1)


def expand(left: Indices, start: Indices, stop: Indices) -> Iterator[tuple[Indices, Indices]]:
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


def _cut(parts: int) -> list[list[int]]:
    """The bits of each part: all 64, evenly."""
    return [[bit for bit in range(64) if (bit % 8 + 2 * (bit // 8)) % parts == part] for part in range(parts)]


def _flips(bits: int, parts: int) -> list[int]:
    """How many flips to look through per part; -1: not at all.

    If every part differed in more than its number, the whole would differ in at least sum(flips + 1) = bits + 1.
    """
    each, more = divmod(bits + 1, parts)
    return [each - 1 + (part < more) for part in range(parts)]


def _cost(count: int, bits: int, parts: int) -> float:
    """Time of look-ups, tables and comparisons, for signatures spread evenly."""
    cost = 0.0
    for cut, most in zip(_cut(parts), _flips(bits, parts), strict=True):
        looks = sum(comb(len(cut), flipped) for flipped in range(most + 1))
        buckets = 2 ** len(cut)
        cost += looks * count + _COMPARISON * (looks * count**2 / buckets + (buckets if looks else 0))
    return cost


def _mask(cut: list[int]) -> np.uint64:
    return np.uint64(sum(1 << bit for bit in cut))


def _keys(values: Signatures, cut: list[int]) -> Indices:
    """The bits of a part, gathered into a small number."""
    keys = np.zeros(len(values), dtype=np.int64)
    for place, bit in enumerate(cut):
        keys |= ((values >> np.uint64(bit)) & np.uint64(1)).astype(np.int64) << place
    return keys


def _meet(values: Signatures, bits: int, cut: list[int], most: int) -> Iterator[Indices]:
    """Pairs within `bits` whose part differs in at most `most` bits, each once, in chunks."""
    keys = _keys(values, cut)
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=1 << len(cut)))])
    for flipped in range(most + 1):
        for places in combinations(range(len(cut)), flipped):
            if not places:
                own = np.arange(len(keys))
                runs = own, own + 1, starts[keys + 1]
            else:
                # Of two buckets that flips join, only the one without the last of those bits looks into the other.
                lower = np.flatnonzero((keys >> places[-1]) & 1 == 0)
                other = keys[lower] ^ sum(1 << place for place in places)
                runs = lower, starts[other], starts[other + 1]
            for left, right in expand(*runs):
                near = np.flatnonzero(np.bitwise_count(values[left] ^ values[right]) <= bits)
                if len(near):
                    yield np.stack([order[left[near]], order[right[near]]], axis=1)
