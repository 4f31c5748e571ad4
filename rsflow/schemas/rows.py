"""Between Arrow columns and values: packed arrays, labels, windows, and rows by value. Nothing else converts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.records import Label, Provenance, Shape
from rsflow.spatial.geometry import Window


def pack_arrays(arrays: list[npt.NDArray[Any]]) -> pa.LargeBinaryArray:
    """Arrays as one binary column, a value each (C order). One copy; `unpack_array` is a view."""
    sizes = np.array([0, *(array.nbytes for array in arrays)], dtype=np.int64)
    data = np.empty(int(sizes.sum()), dtype=np.uint8)
    offsets = np.cumsum(sizes)
    for array, start, stop in zip(arrays, offsets[:-1], offsets[1:], strict=True):
        data[start:stop] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(arrays), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def unpack_array(value: pa.LargeBinaryScalar, dtype: str, shape: list[int] | tuple[int, ...]) -> npt.NDArray[Any]:
    """One value of a packed column as a read-only array of the given type and shape, without a copy."""
    return np.frombuffer(value.as_buffer(), dtype=np.dtype(dtype)).reshape(shape)


def label_row(label: Label) -> dict[str, Any]:
    """A label as a row of LABEL_STRUCT."""
    shape, source = label.shape, label.provenance
    return {
        "kind": label.kind,
        "category": label.category,
        "box": list(shape.box) if shape else None,
        "polygon": list(shape.polygon) if shape else None,
        "visibility": shape.visibility if shape else None,
        "oriented": shape.oriented if shape else None,
        "flags": list(shape.flags) if shape else None,
        "text": label.text,
        "value": label.value,
        "score": label.score,
        "origin": source.origin,
        "origin_name": source.name,
        "model": source.model,
        "revision": source.revision,
        "prompt_digest": source.prompt_digest,
        "quality": source.quality,
        "parts": [[list(ring) for ring in part] for part in shape.parts] if shape and shape.parts else None,
        "transferred_from": source.transferred_from or None,
    }


def label_from_row(row: dict[str, Any]) -> Label:
    """The inverse of `label_row`: equal in every field."""
    shape = None
    if row["box"] is not None:
        x0, y0, x1, y1 = row["box"]
        flags = tuple(row["flags"] or ())
        parts = tuple(tuple(map(tuple, part)) for part in row.get("parts") or ())
        shape = Shape((x0, y0, x1, y1), tuple(row["polygon"] or ()), row["visibility"], bool(row["oriented"]), flags, parts)
    provenance = Provenance(
        row["origin"],
        row["origin_name"],
        row["model"],
        row["revision"],
        row["prompt_digest"],
        row["quality"],
        row.get("transferred_from") or "",
    )
    return Label(row["kind"], row["category"], provenance, shape, row["text"], row["value"], row["score"])


def label_sort_key(label_id: str) -> tuple[str, int]:
    """What a tile's labels are sorted by: first those of its label unit by position, then each model's."""
    place = label_id.rpartition("#")[2]
    key, _, position = place.rpartition(".")
    return key, int(position)


def window_from_row(row: dict[str, Any]) -> Window:
    """The window of a TILES row."""
    return Window(row["row_off"], row["col_off"], row["height_px"], row["width_px"])


def filter_by_values(table: pa.Table, column: str, values: Any) -> pa.Table:
    """The rows whose `column` is one of `values` (an array or a list of strings)."""
    requested = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, pa.string())
    if isinstance(requested, pa.ChunkedArray):
        requested = requested.combine_chunks()
    return table.filter(pc.is_in(table[column], value_set=requested))
