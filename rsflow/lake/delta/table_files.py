"""The Parquet files of a table: each is verified against its recorded digest, and its rows get the present names of columns.

One idea: the list of a table's files is a version of it. Reading the same list twice gives the same rows in the
same order, whatever is committed meanwhile; a table that is too long to be held whole is read file by file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rsflow.errors import DataError, LakeError
from rsflow.files import storage
from rsflow.files.data_paths import check_link
from rsflow.files.row_groups import read_row_batches
from rsflow.lake.delta import read_cache
from rsflow.lake.delta.formats import conform, stored_names
from rsflow.lake.integrity import digests

if TYPE_CHECKING:
    from rsflow.lake.tables import Lake

BATCH_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class TableFile:
    """A data file of the table `name`; `path` is below the table's folder."""

    root: str
    name: str
    path: str
    rows: int

    @property
    def place(self) -> str:
        return storage.join(self.root, "tables", self.name, self.path)


def list_table_files(lake: Lake, name: str) -> list[TableFile]:
    """The files of a table as it is now, in the order of their names; none where it was never written."""
    table = lake.delta(name)
    if table is None:
        return []
    added = pa.table(table.get_add_actions(flatten=True))
    files = zip(added["path"].to_pylist(), added["num_records"].to_pylist(), strict=True)
    return [TableFile(lake.root, name, path, rows) for path, rows in sorted(files)]


def read_table_file(file: TableFile, columns: Sequence[str], receipts: pa.Array) -> Iterator[pa.Table]:
    """The rows that these receipts delivered, at most BATCH_ROWS at a time; a column that the file lacks is null."""
    names = [*dict.fromkeys([*columns, "receipt"])]
    for rows in _batches(file, names):
        yield rows.filter(pc.is_in(rows["receipt"], value_set=receipts)).select(list(columns))


def read_columns(file: TableFile, columns: Sequence[str]) -> pa.Table:
    """All rows of a file; a column that the file lacks is null."""
    try:
        opened = _open(file)
        stored = stored_names(file.name, columns, opened.schema_arrow.names)
        # Not by pyarrow's dataset reader: its threads over Python file objects abort one process in twenty at its exit.
        return conform(file.name, opened.read(columns=list(stored.values())), columns)
    except (OSError, ValueError, DataError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error


def _batches(file: TableFile, names: Sequence[str]) -> Iterator[pa.Table]:
    try:
        opened = _open(file)
        stored = stored_names(file.name, names, opened.schema_arrow.names)
        for batch in read_row_batches(opened, BATCH_ROWS, list(stored.values())):
            yield conform(file.name, batch, names)
    except (OSError, ValueError, DataError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error


def _open(file: TableFile) -> pq.ParquetFile:
    """The verified file: from its bytes where it has to be verified or is remote, else from its place."""
    below = f"tables/{file.name}/{file.path}"
    check_link(file.root, below)
    if not storage.is_remote(file.root) and not digests.needs_verification(file.root, below):
        return pq.ParquetFile(storage.filesystem(file.place)[1])
    data = read_cache.read_file(file.place)
    digests.verify_file(file.root, below, data)
    return pq.ParquetFile(pa.BufferReader(data))


def _unreadable(file: TableFile, error: Exception) -> LakeError:
    return LakeError(f"{file.place}: cannot read this file of the lake: {storage.describe_error(error)}")
