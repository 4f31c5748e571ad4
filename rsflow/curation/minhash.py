"""Near duplicates among any number of texts: MinHash finds candidates, Jaccard's measure decides.

One idea: of 128 parts of the numbers that elements hash to, the smallest element in each (one permutation hashing,
https://arxiv.org/abs/1208.1259; empty parts take the next one's, https://arxiv.org/abs/1406.4784): one pass over the elements,
where the usual MinHash makes 128. Texts that agree in a whole band of values are candidates. `near_texts` compares each text
of a band with the first and the one before it, so a form of words that recurs a million times costs a million comparisons, not
their square. What is found is verified, what is missed has a chance below one in a thousand at the limit, and less above it.

This looks across a whole dataset. What one picture says twice is found without chance, see `rsflow.curation.texts`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.groups import Indices
from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.curation.texts import folded, sets_of, shingles

VALUES = 128

_MISS = 1e-3
_BLOCK = 1 << 15
_EMPTY = np.uint32(2**32 - 1)
_FARTHER = 0x9E3779B1  # makes a value taken from another part differ from that part's own


def near_texts(texts: pa.Array, least: float) -> Indices:
    """Verified pairs (i, j), i < j: enough that their components are the near duplicates, equal texts among them."""
    words = folded(texts)
    _, first, same = np.unique(stable_hashes(words, 0), return_index=True, return_inverse=True)
    equal = np.stack([first[same], np.arange(len(words))], axis=1)
    different = np.sort(first)
    elements, starts = shingles(words.take(pa.array(different)))
    sets = sets_of(elements, starts)
    bands = _candidates(elements, starts, band_width(least))
    near = [different[pairs[sets.jaccard(pairs) >= least]] for pairs in bands]
    return np.unique(np.concatenate([equal[equal[:, 0] < equal[:, 1]], *near]), axis=0)


def minhashes(elements: Hashes, starts: Indices) -> npt.NDArray[np.uint32]:
    """(n, VALUES) of texts whose hashed elements (at least one each) begin at `starts`, the last bound their end."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    part = (elements >> np.uint64(57)).astype(np.int64)
    smallest = np.full((len(starts) - 1) * VALUES, _EMPTY, dtype=np.uint32)
    np.minimum.at(smallest, rows * VALUES + part, (elements >> np.uint64(24)).astype(np.uint32))
    values = smallest.reshape(-1, VALUES)
    step = 1
    while step < VALUES:
        farther = np.roll(values, -step, axis=1)
        taken = np.where(farther == _EMPTY, _EMPTY, farther + np.uint32(_FARTHER * step % 2**32))
        values = np.where(values == _EMPTY, taken, values)
        step *= 2
    return values


def band_width(least: float) -> int:
    """The most values in a band at which texts that are alike by `least` share none with a chance below one in a thousand."""
    return max((width for width in range(1, 33) if (1 - least**width) ** (VALUES // width) <= _MISS), default=1)


def _candidates(elements: Hashes, starts: Indices, width: int) -> Iterator[Indices]:
    """Pairs (i, j), i < j, of neighbours in a band, and of the first and each other one; a band at a time."""
    bands = np.concatenate([np.empty((VALUES // width, 0), dtype=np.uint64), *_bands(elements, starts, width)], axis=1)
    for band in bands:
        order = np.argsort(band, kind="stable")
        new = np.concatenate([[True], np.diff(band[order]) != 0])[: len(order)]
        first = order[np.flatnonzero(new)[np.cumsum(new) - 1]]
        before = np.roll(order, 1)
        pairs = np.concatenate([np.stack([side, order], axis=1)[~new] for side in (first, before)])
        yield np.unique(np.sort(pairs, axis=1), axis=0) if len(pairs) else pairs


def _bands(elements: Hashes, starts: Indices, width: int) -> Iterator[Hashes]:
    """(bands, texts) hashes of each band's values, some texts at a time."""
    odd = stable_hashes(pa.array(map(str, range(width))), 0) | np.uint64(1)
    for begin in range(0, len(starts) - 1, _BLOCK):
        bounds = starts[begin : begin + _BLOCK + 1]
        values = minhashes(elements[bounds[0] : bounds[-1]], bounds - bounds[0])
        used = values[:, : VALUES // width * width].reshape(len(values), -1, width)
        yield (used * odd).sum(axis=2, dtype=np.uint64).T
