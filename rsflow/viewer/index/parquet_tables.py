"""The Parquet files of the lake's tables as DuckDB reads them: rows and columns that a query does not need are skipped.

One idea: the files are those of one version of each table; each is compared with its recorded digest before it is first read,
as everywhere in rsflow, and never changes after. Columns have their present names, whatever a file of an earlier format calls
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rsflow.errors import LakeError
from rsflow.files import storage
from rsflow.files.data_paths import check_link
from rsflow.lake.delta.formats import TABLES, stored_names
from rsflow.lake.delta.table_files import TableFile, list_table_files
from rsflow.lake.integrity import digests
from rsflow.lake.tables import Lake

if TYPE_CHECKING:
    import duckdb

_SCAN = "read_parquet($files_{table}, union_by_name = true)"


@dataclass(frozen=True, slots=True)
class ParquetTables:
    """Tables of a lake on a DuckDB connection."""

    lake: Lake
    connection: duckdb.DuckDBPyConnection
    _files: dict[str, list[str]] = field(default_factory=dict)
    _columns: dict[str, list[str]] = field(default_factory=dict)

    def files(self, table: str) -> list[str]:
        """The places of a table's files; none where it was never written."""
        if table not in self._files:
            found = list_table_files(self.lake, table)
            self._files[table] = [_verify_file(file) for file in found]
        return self._files[table]

    def select(self, table: str, columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """A query of these columns, and its parameters; no rows where the table was never written, null where files lack a
        column."""
        nulls = {name: f'CAST(NULL AS {_sql_type(TABLES[table].field(name).type)}) AS "{name}"' for name in columns}
        if not self.files(table):
            return f"SELECT {', '.join(nulls.values())} WHERE false", {}
        stored = stored_names(table, columns, self._stored(table))
        chosen = [f'"{stored[name]}" AS "{name}"' if name in stored else nulls[name] for name in columns]
        return f"SELECT {', '.join(chosen)} FROM {_SCAN.format(table=table)}", {f"files_{table}": self.files(table)}

    def _stored(self, table: str) -> list[str]:
        if table not in self._columns:
            query = f"DESCRIBE SELECT * FROM {_SCAN.format(table=table)}"
            described = run_query(self.connection, query, {f"files_{table}": self.files(table)})
            self._columns[table] = described["column_name"].to_pylist()
        return self._columns[table]


def connect(lake: Lake) -> duckdb.DuckDBPyConnection:
    """A database in memory that reads the lake's files, through fsspec where they are remote; it installs no extension."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    if storage.is_remote(lake.root):
        connection.register_filesystem(storage.filesystem(lake.root)[0])
    return connection


def run_query(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any], tables: dict[str, pa.Table] | None = None
) -> pa.Table:
    """The rows of a query, on a cursor of its own: requests come in several threads. `tables`: Arrow tables that it names.

    LakeError where a file cannot be read.
    """
    import duckdb

    with connection.cursor() as cursor:
        for name, table in (tables or {}).items():
            cursor.register(name, table)
        try:
            return cursor.sql(query, params=parameters).to_arrow_table()
        except duckdb.IOException as error:
            raise LakeError(f"cannot read a file of the lake: {error}") from error


def _verify_file(file: TableFile) -> str:
    """The place of a file as DuckDB takes it. LakeError where it is not what was committed, DataError for a link out."""
    below = f"tables/{file.name}/{file.path}"
    check_link(file.root, below)
    digests.verify_file(file.root, below)
    return file.place if storage.is_remote(file.root) else str(storage.filesystem(file.place)[1])


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = ", ".join(f'"{field.name}" {_sql_type(field.type)}' for field in kind)
        return f"STRUCT({fields})"
    return _SQL_TYPES[kind]


_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}
