"""The values of a column as small numbers, and where its lists begin."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices


def encode_values(values: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one dictionary-encoded array, however it was chunked or encoded."""
    encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    whole = encoded.unify_dictionaries().combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def value_codes(values: pa.Array | pa.ChunkedArray) -> Indices:
    """Equal numbers for equal values, -1 for null."""
    return np.asarray(encode_values(values).indices.fill_null(-1)).astype(np.int64)


def list_offsets(lists: pa.Array | pa.ChunkedArray) -> Indices:
    """Where each list begins in the flattened column, and where the last ends; a null is an empty list."""
    sizes = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)
    return np.concatenate([[0], np.cumsum(sizes)])
