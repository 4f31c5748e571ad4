"""Rows of a Parquet file that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def read_row_batches(file: pq.ParquetFile, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The file's rows in tables of one chunk and of `rows` rows, of which the last may have fewer.

    Row groups are read one by one: pyarrow's iterator over all of them keeps the data of each until it ends.
    """
    pending: list[pa.RecordBatch] = []
    count = 0
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(rows, [group], columns):
            pending.append(batch)
            count += batch.num_rows
            if count >= rows:
                table = pa.Table.from_batches(pending).combine_chunks()
                yield table.slice(0, rows)
                pending, count = table.slice(rows).to_batches(), count - rows
    if count:
        yield pa.Table.from_batches(pending).combine_chunks()
