"""Rows of a Parquet file come in tables of one size, and no more of it is in memory than a row group or two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rsflow.files.row_groups import read_row_batches


def write(path: Path, sizes: list[int], width_bytes: int = 8) -> pa.Table:
    draw = np.random.default_rng(3)
    schema = pa.schema({"a": pa.int64(), "b": pa.binary()})
    groups = [pa.table([range(size), [draw.bytes(width_bytes) for _ in range(size)]], schema=schema) for size in sizes]
    with pq.ParquetWriter(path, schema) as writer:
        for group in groups:
            writer.write_table(group)
    return pa.concat_tables([schema.empty_table(), *groups])


@pytest.mark.parametrize("sizes", [[7], [3, 3, 3], [1, 1, 1, 20, 1], [10, 10], [0, 4, 0], []])
def test_every_table_but_the_last_has_that_many_rows(tmp_path: Path, sizes: list[int]) -> None:
    whole = write(tmp_path / "a.parquet", sizes)
    for columns in (None, ["a"]):
        found = [*read_row_batches(pq.ParquetFile(tmp_path / "a.parquet"), 5, columns)]
        assert [table.num_rows for table in found[:-1]] == [5] * (len(found) - 1)
        assert all(0 < table.num_rows <= 5 and table["a"].num_chunks == 1 for table in found)
        expected = whole if columns is None else whole.select(columns)
        assert pa.concat_tables([expected.slice(0, 0), *found]).combine_chunks() == expected.combine_chunks()


def test_memory_does_not_grow_with_the_number_of_row_groups(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [16] * 24, 1 << 16)  # 1 MiB each
    before = pa.total_allocated_bytes()
    most = 0
    for _ in read_row_batches(pq.ParquetFile(tmp_path / "a.parquet"), 16):
        most = max(most, pa.total_allocated_bytes() - before)
    assert 0 < most < 8 << 20
