"""A Parquet file whose rows lie in spatial order, and reading those in a box from it.

Rows are sorted by the Morton code of their centre (https://en.wikipedia.org/wiki/Z-order_curve) and written in small row
groups; the minima and maxima that Parquet keeps of the columns x0, y0, x1, y1 are the index. Memory is bounded: rows are
collected in memory; where they are many, in a temporary file that is distributed to one per stretch of the curve, and these are
sorted one by one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.files.row_groups import read_row_batches
from rsflow.spatial.geometry import Box, FloatArray

BOUNDS = ("x0", "y0", "x1", "y1")
GROUP_ROWS = 1024
ROWS_READ = 1 << 16  # at a time, of the rows that are not sorted yet
GROUPS_KEPT = 64  # in memory: neighbouring windows share some
SORTED_BYTES = 256 << 20  # that are sorted in memory at a time
CODE_BITS = 31  # per axis


def write_sorted(tables: Iterable[pa.Table], schema: pa.Schema, path: str, sorted_bytes: int = SORTED_BYTES) -> None:
    """Write all rows of `tables` (of `schema`, with the float64 columns BOUNDS) to `path`. Temporary files lie beside it."""
    tables = iter(tables)
    head, size = [schema.empty_table()], 0
    for table in tables:
        head.append(table)
        size += table.nbytes
        if size > sorted_bytes:
            break
    # Reading windows costs more time than the copy's size is worth: hence the fast codec, and no dictionaries of coordinates.
    with pq.ParquetWriter(
        path, schema, compression="lz4", use_dictionary=False, write_statistics=list(BOUNDS), write_page_checksum=True
    ) as writer:
        if size <= sorted_bytes:
            table = pa.concat_tables(head)
            _write_rows(writer, table, morton_codes(_centres(table)))
        else:
            _write_stretches(writer, chain(head, tables), schema, path, sorted_bytes)


def _write_rows(writer: pq.ParquetWriter, table: pa.Table, codes: npt.NDArray[np.uint64]) -> None:
    writer.write_table(table.take(pa.array(np.argsort(codes, kind="stable"))), row_group_size=GROUP_ROWS)


def _write_stretches(
    writer: pq.ParquetWriter, tables: Iterable[pa.Table], schema: pa.Schema, path: str, sorted_bytes: int
) -> None:
    """Sort one stretch of the curve after the other, each as large as `sorted_bytes` in its temporary file."""
    unsorted = f"{path}.unsorted"
    codes = morton_codes(_collect(tables, schema, unsorted))
    stretches = -(-os.path.getsize(unsorted) // sorted_bytes)
    limits = np.sort(codes)[(np.arange(1, stretches) * len(codes)) // stretches]
    for number, part in enumerate(_distribute(unsorted, codes, limits, schema, path)):
        _write_rows(writer, pq.read_table(part), codes[np.searchsorted(limits, codes, side="right") == number])
        os.remove(part)
    os.remove(unsorted)


def _collect(tables: Iterable[pa.Table], schema: pa.Schema, path: str) -> FloatArray:
    """Write the rows as they come. Returns their centres (n, 2)."""
    centres = []
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for table in tables:
            centres.append(_centres(table))
            writer.write_table(table)
    return np.concatenate(centres)


def _centres(table: pa.Table) -> FloatArray:
    x0, y0, x1, y1 = (table[name].to_numpy() for name in BOUNDS)
    return np.stack([(x0 + x1) / 2, (y0 + y1) / 2], axis=1)


def _distribute(
    unsorted: str, codes: npt.NDArray[np.uint64], limits: npt.NDArray[np.uint64], schema: pa.Schema, path: str
) -> list[str]:
    """One file per stretch between `limits`, rows in their order."""
    parts = [f"{path}.{number}" for number in range(len(limits) + 1)]
    writers = [pq.ParquetWriter(part, schema, compression="lz4") for part in parts]
    at = 0
    for batch in read_row_batches(pq.ParquetFile(unsorted), ROWS_READ):
        stretch = np.searchsorted(limits, codes[at : at + batch.num_rows], side="right")
        for number in np.unique(stretch).tolist():
            writers[number].write_table(batch.filter(pa.array(stretch == number)))
        at += batch.num_rows
    for writer in writers:
        writer.close()
    return parts


def morton_codes(points: FloatArray) -> npt.NDArray[np.uint64]:
    """The place of each point (n, 2) on the curve through the box that holds all of them."""
    if not len(points):
        return np.array([], np.uint64)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-300) * (2**CODE_BITS - 1)
    x, y = (_spread_bits(column.astype(np.uint64)) for column in scaled.T)
    codes: npt.NDArray[np.uint64] = x | y << np.uint64(1)
    return codes


def _spread_bits(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A zero between every two bits."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        values = (values | values << np.uint64(shift)) & np.uint64(mask)
    return values


def read_boxes(path: str, boxes: Sequence[Box] = ()) -> pa.Table:
    """The rows whose bounds meet one of the boxes, each once, in the file's order; all where there are no boxes.

    OSError or pyarrow.ArrowException where the file is missing or damaged.
    """
    file, groups = _open(path, os.stat(path).st_mtime_ns)
    near = [int(number) for number in np.flatnonzero(_meet(groups, boxes))] if boxes else list(range(file.num_row_groups))
    changed = os.stat(path).st_mtime_ns
    tables = (
        [_read_group(path, changed, number) for number in near] if len(near) <= GROUPS_KEPT else [file.read_row_groups(near)]
    )
    table = pa.concat_tables([file.schema_arrow.empty_table(), *tables])
    if not boxes:
        return table
    bounds = np.stack([table[name].to_numpy() for name in BOUNDS], axis=1) if table.num_rows else np.empty((0, 4))
    return table.filter(pa.array(_meet(bounds, boxes)))


def _meet(bounds: FloatArray, boxes: Sequence[Box]) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(bounds), np.bool_)
    x0, y0, x1, y1 = bounds.T
    for box in boxes:
        found |= (x0 <= box[2]) & (x1 >= box[0]) & (y0 <= box[3]) & (y1 >= box[1])
    return found


@lru_cache(maxsize=GROUPS_KEPT)
def _read_group(path: str, changed: int, number: int) -> pa.Table:
    file, _ = _open(path, changed)
    return file.read_row_group(number, use_threads=False)


@lru_cache(maxsize=32)
def _open(path: str, changed: int) -> tuple[pq.ParquetFile, FloatArray]:
    """The open file and the bounds (n, 4) of its row groups."""
    file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    return file, np.array(list(_group_bounds(file.metadata))).reshape(-1, 4)


def _group_bounds(metadata: pq.FileMetaData) -> Iterator[Box]:
    columns = {metadata.schema.column(number).name: number for number in range(metadata.num_columns)}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        x0, y0, x1, y1 = (group.column(columns[name]).statistics for name in BOUNDS)
        yield (x0.min, y0.min, x1.max, y1.max)
