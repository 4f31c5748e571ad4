"""Near-duplicate texts in a whole dataset: MinHash proposes pairs, Jaccard similarity decides.

One permutation hashing (https://arxiv.org/abs/1208.1259): the hash range is divided into 128 parts, of each of which the
smallest element is taken; empty parts take that of the next one (https://arxiv.org/abs/1406.4784). That needs one pass over the
elements instead of 128. Texts that agree in a whole band of values are candidates. `near_duplicate_texts` compares each text of
a band with the first and the previous one, so a template that occurs a million times costs a million comparisons. Found pairs
are verified; the chance to miss a pair is below 1e-3 at the limit, and less above it.

Repeated texts of one picture are found exactly: `rsflow.curation.duplicates.texts.text_similarity`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.texts.text_similarity import (
    Sketch,
    build_shingle_sets,
    may_be_similar,
    normalise_text,
    shingles,
    sketch_from_shingles,
)
from rsflow.curation.hashing import Hashes, stable_hashes

MINHASH_VALUES = 128

_MAX_MISS = 1e-3
_BLOCK = 1 << 13  # texts at a time: their values stay in the processor's cache
_EMPTY = np.uint32(2**32 - 1)
_DISTANCE_FACTOR = np.uint32(0x9E3779B1)  # makes a value taken from another part differ from that part's own


def near_duplicate_texts(texts: pa.Array, least: float) -> Indices:
    """Verified pairs (i, j), i < j: enough that their components are the near duplicates, equal texts among them."""
    width = band_width(least)
    parts = [_hash_part(texts.slice(start, _BLOCK), width) for start in range(0, max(len(texts), 1), _BLOCK)]
    sketches = Sketch(*map(np.concatenate, zip(*((s.text_hash, s.bits, s.elements) for _, s, _ in parts), strict=True)))
    _, first, same = np.unique(sketches.text_hash, return_index=True, return_inverse=True)
    equal = np.stack([first[same], np.arange(len(same))], axis=1)
    bands = np.concatenate([band for _, _, band in parts], axis=1)[:, first]
    found = [first[pairs] for pairs in map(_candidates, bands)]
    pairs = np.concatenate([equal[:0], *(pairs[may_be_similar(sketches, pairs, least)] for pairs in found)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    rows, places = np.unique(pairs, return_inverse=True)
    words = pa.chunked_array([words for words, _, _ in parts], pa.large_string()).take(pa.array(rows)).combine_chunks()
    near = pairs[build_shingle_sets(*shingles(words)).jaccard(places.reshape(-1, 2)) >= least]
    return np.concatenate([equal[equal[:, 0] < equal[:, 1]], near])


def _hash_part(texts: pa.Array, width: int) -> tuple[pa.Array, Sketch, npt.NDArray[np.uint64]]:
    """Some texts: folded, their sketches, and (bands, texts) hashes of the values of each band."""
    words = normalise_text(texts)
    elements, starts = shingles(words)
    used = minhashes(elements, starts)[:, : MINHASH_VALUES // width * width].reshape(len(texts), MINHASH_VALUES // width, width)
    odd = stable_hashes(pa.array(map(str, range(width))), 0) | np.uint64(1)
    return words, sketch_from_shingles(words, elements, starts), (used * odd).sum(axis=2, dtype=np.uint64).T


def minhashes(elements: Hashes, starts: Indices) -> npt.NDArray[np.uint32]:
    """(n, VALUES) of texts whose hashed elements (at least one each) begin at `starts`, the last bound their end."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    place = rows * MINHASH_VALUES + (elements >> np.uint64(57)).astype(np.int64)
    smallest = np.full((len(starts) - 1) * MINHASH_VALUES, _EMPTY, dtype=np.uint32)
    np.minimum.at(smallest, place, (elements >> np.uint64(24)).astype(np.uint32))
    values = smallest.reshape(-1, MINHASH_VALUES)
    # The next part that is not empty, going round: from the last backwards, those beyond the end begin anew.
    there = np.where(values != _EMPTY, np.arange(MINHASH_VALUES, dtype=np.int16), np.int16(2 * MINHASH_VALUES))
    beyond = there.min(axis=1, keepdims=True) + np.int16(MINHASH_VALUES)
    following = np.minimum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    following = np.minimum(following, beyond)
    farther = (following - np.arange(MINHASH_VALUES, dtype=np.int16)).astype(np.uint32) * _DISTANCE_FACTOR
    taken: npt.NDArray[np.uint32] = np.take_along_axis(values, (following % MINHASH_VALUES).astype(np.int64), axis=1) + farther
    return taken


def band_width(least: float) -> int:
    """The most values in a band at which texts that are alike by `least` share none with a chance below one in a thousand."""
    return max((width for width in range(1, 33) if (1 - least**width) ** (MINHASH_VALUES // width) <= _MAX_MISS), default=1)


def _candidates(band: Hashes) -> Indices:
    """Pairs of neighbours among those that are equal here, and of the first and each other one."""
    # Most texts share a band with none: only those that do are put in order.
    ordered = np.sort(band)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    at = np.searchsorted(twice, band)
    rows = np.flatnonzero(at < len(twice))
    rows = rows[twice[at[rows]] == band[rows]]
    rows = rows[np.argsort(band[rows], kind="stable")]
    new = np.diff(band[rows], prepend=~band[rows[:1]]) != 0
    first = rows[np.flatnonzero(new)[np.cumsum(new) - 1]]
    before = np.roll(rows, 1)
    pairs: Indices = np.concatenate([np.stack([side, rows], axis=1)[~new] for side in (first, before)])
    return pairs
