"""Connected components of rows, over pairs of rows and over equal values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Indices = npt.NDArray[np.int64]


def component_labels(count: int, pairs: Indices) -> Indices:
    """The component of each of `count` rows, numbered from 0 by first row, where each of `pairs` (n, 2) joins two rows."""
    ones = np.ones(len(pairs), dtype=np.bool_)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    named: Indices = order[numbers]
    return named


def first_equal_row(values: pa.Array | pa.ChunkedArray) -> Indices:
    """For each row, the first row with the same value; a null equals nothing, so its row is its own."""
    rows = np.arange(len(values))
    # More than 2 GiB of different texts do not fit the 32-bit offsets of `string`.
    codes = pc.dictionary_encode(values.cast(pa.large_string()) if pa.types.is_string(values.type) else values)
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    numbers = np.asarray(codes.indices.fill_null(-1), dtype=np.int64)
    known = numbers >= 0
    first = np.full(len(codes.dictionary), len(values), dtype=np.int64)
    np.minimum.at(first, numbers[known], rows[known])
    result = rows.copy()
    result[known] = first[numbers[known]]
    return result


def pairs_with_first(first: Indices) -> Indices:
    """The pairs (row, first row) of `first_equal_row`, without those of a row and itself."""
    rows = np.flatnonzero(first != np.arange(len(first)))
    return np.stack([first[rows], rows], axis=1)
