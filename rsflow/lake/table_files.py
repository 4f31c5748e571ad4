"""A table's rows file by file: for tables that are too long to be held whole.

One idea: the list of a table's files is a version of it. Whoever goes through the same list twice sees the same rows in the
same order, whatever is committed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rsflow.errors import LakeError
from rsflow.files import storage
from rsflow.lake import digests
from rsflow.lake.tables import TABLES, Lake

BATCH_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of a table."""

    name: str  # of the table
    place: str
    rows: int


def list_table_files(lake: Lake, name: str) -> list[TableFile]:
    """The files of a table as it is now, in the order of their names; none where it was never written."""
    table = lake.delta(name)
    if table is None:
        return []
    added = pa.table(table.get_add_actions(flatten=True))
    files = zip(added["path"].to_pylist(), added["num_records"].to_pylist(), strict=True)
    return [TableFile(name, lake.place("tables", name, path), rows) for path, rows in sorted(files)]


def read_table_file(piece: TableFile, columns: Sequence[str], receipts: pa.Array) -> Iterator[pa.Table]:
    """The rows that these receipts delivered, at most BATCH_ROWS at a time; a column that the file lacks is null."""
    try:
        root, _, path = piece.place.partition(f"/tables/{piece.name}/")
        digests.verify(root, piece.name, [path])
        remote = storage.is_remote(piece.place)
        file = pq.ParquetFile(pa.BufferReader(storage.read_bytes(piece.place)) if remote else piece.place)
        there = [name for name in dict.fromkeys([*columns, "receipt"]) if name in file.schema_arrow.names]
        for batch in file.iter_batches(BATCH_ROWS, columns=there):
            rows = pa.table(batch)
            yield _shaped(rows.filter(pc.is_in(rows["receipt"], value_set=receipts)), piece.name, columns)
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{piece.place}: cannot read this file of the lake: {storage.describe_error(error)}") from error


def _shaped(rows: pa.Table, name: str, columns: Sequence[str]) -> pa.Table:
    fields = [TABLES[name].field(column) for column in columns]
    there = rows.column_names
    return pa.table(
        [rows[f.name].cast(f.type) if f.name in there else pa.nulls(rows.num_rows, f.type) for f in fields],
        schema=pa.schema(fields),
    )
