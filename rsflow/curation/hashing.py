"""Stable 64-bit hashes of string columns: the only source of pseudo-random order in the select phase.

A choice depends on an id and the seed, never on the row number, so that added data changes few choices. Arrow's own hash is not
stable across versions and a digest per row takes minutes on tens of millions of rows; this hash mixes eight bytes of all
strings at a time. It is well distributed and not cryptographic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]

_ALL = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def stable_hashes(values: pa.Array | pa.ChunkedArray, seed: int) -> Hashes:
    """A hash per string, the same on every machine and for every way of chunking the column; nulls share one.

    h = mix(seed + step); h = mix(h ^ length); then for each eight bytes of the UTF-8 text (little-endian, the last padded
    with zeros) h = mix(h ^ word). mix is the finaliser of SplitMix64 after adding its step
    (https://prng.di.unimi.it/splitmix64.c). A null is taken for a text of length 2**64 - 1 without words.
    """
    if isinstance(values, pa.ChunkedArray):
        # Chunk by chunk: a column of text beyond 2 GiB cannot be joined, and need not.
        return np.concatenate([np.empty(0, dtype=np.uint64), *(stable_hashes(chunk, seed) for chunk in values.chunks)])
    column = values.cast(pa.large_string())
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    lengths = np.diff(offsets)
    known = np.asarray(column.is_valid())
    start = _mix(np.array([(seed + _STEP) & _ALL], dtype=np.uint64))
    hashes = _mix(start ^ np.where(known, lengths.astype(np.uint64), np.uint64(_ALL)))
    words = _words(column.buffers()[2], int(offsets[0]), int(offsets[-1]))
    offsets = offsets - offsets[0]
    rows, at = np.flatnonzero(known & (lengths > 0)), 0
    while len(rows):
        left = np.minimum(lengths[rows] - at, 8).astype(np.uint64)
        word = words[offsets[rows] + at] & (np.uint64(_ALL) >> (np.uint64(64) - left * np.uint64(8)))
        hashes[rows] = _mix(hashes[rows] ^ word)
        at += 8
        rows = rows[lengths[rows] > at]
    return hashes


def combine_hashes(first: Hashes, *others: Hashes) -> Hashes:
    """One hash per row of several columns of 64 bits, whose order counts."""
    combined = _mix(first)
    for column in others:
        combined = _mix(combined ^ column)
    return combined


def unit_interval(hashes: Hashes) -> npt.NDArray[np.float64]:
    """The hashes as numbers in [0, 1), by their upper 53 bits."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(value: Hashes) -> Hashes:
    value = value + np.uint64(_STEP)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(_MIX_1)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(_MIX_2)
    return value ^ (value >> np.uint64(31))


def _words(text: pa.Buffer | None, start: int, stop: int) -> Hashes:
    """The eight bytes at every byte of a part of a buffer, as one little-endian number each: overlapping views of one copy."""
    padded = np.zeros(stop - start + 8, dtype=np.uint8)
    if text is not None and stop > start:
        padded[:-8] = np.frombuffer(text, dtype=np.uint8, offset=start, count=stop - start)
    return np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
