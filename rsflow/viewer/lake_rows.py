"""Whole rows of a few samples, read from the Parquet files of the lake's tables.

One idea: DuckDB skips the row groups and pages that hold none of the tiles, so that a few rows of many millions take less than
a second. The files are those of the version that the index was made from; their digests were compared then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from rsflow.files import storage
from rsflow.lake.formats import TABLES, conform
from rsflow.lake.table_files import list_table_files
from rsflow.viewer.index import SampleIndex

_MATCHES = 8  # text searches that are remembered

_SEARCHED = {
    "instructions": "lower(array_to_string(list_transform(turns, lambda turn: turn.text), ' '))",
    "labels": "lower(concat_ws(' ', category, text))",
    "tiles": "lower(concat_ws(' ', tile_id, key))",
}


@dataclass(frozen=True)
class LakeRows:
    """Reads rows of one state of a lake, through the connection of its index."""

    index: SampleIndex
    _found: dict[str, pa.Table] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, list[str]]:
        """The places of the Parquet files by table."""
        lake = self.index.lake
        if storage.is_remote(lake.root):
            self.index.connection.register_filesystem(storage.filesystem(lake.root)[0])
        found = {name: list_table_files(lake, name) for name in TABLES}
        return {name: [_local_path(file.place) for file in files] for name, files in found.items()}

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        return {}

    def read(self, table: str, column: str, values: Sequence[str], names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The live rows of a table whose `column` is one of `values`, with the columns `names` (default: all)."""
        return self.read_where(table, f"{column} IN (SELECT unnest($value))", list(values), names) if values else []

    def read_where(self, table: str, condition: str, value: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The live rows of a table that fulfil a condition of ours on the parameter `$value`."""
        requested = list(names or TABLES[table].names)
        if not self.files[table]:
            return []
        chosen = ", ".join(f'"{name}"' for name in self._stored(table) if name in requested or name not in TABLES[table].names)
        query = f"SELECT {chosen} FROM {_SCAN} WHERE {condition} {self._live(table)}"
        rows = self.index.table(query, {"files": self.files[table], "value": value})
        found: list[dict[str, Any]] = conform(table, rows, requested).to_pylist()
        return found

    def _live(self, table: str) -> str:
        names = self.index.receipts.by_table
        return f"AND receipt IN (SELECT receipt FROM receipts WHERE tab = '{table}')" if table in names else ""

    def _stored(self, table: str) -> list[str]:
        """The columns that the files of a table hold together, former names among them."""
        if table not in self._columns:
            described = self.index.rows(f"DESCRIBE SELECT * FROM {_SCAN}", {"files": self.files[table]})
            self._columns[table] = [row["column_name"] for row in described]
        return self._columns[table]

    def find_text(self, text: str) -> pa.Table:
        """The samples (column `n`) whose id, labels or instructions hold a text, whatever its case. The last searches are
        remembered, so that further pages of one cost nothing."""
        wanted = text.lower()
        if wanted not in self._found:
            parts = [
                f"SELECT DISTINCT tile_id FROM read_parquet($f_{table}, union_by_name = true)"
                f" WHERE contains({searched}, $text) {self._live(table)}"
                for table, searched in _SEARCHED.items()
                if self.files[table]
            ]
            files = {f"f_{table}": self.files[table] for table in _SEARCHED if self.files[table]}
            query = f"SELECT n FROM samples WHERE tile_id IN ({' UNION '.join(parts)})" if parts else "SELECT n FROM samples"
            while len(self._found) >= _MATCHES:
                self._found.pop(next(iter(self._found)), None)
            self._found[wanted] = self.index.table(query, {**files, "text": wanted} if parts else {})
        return self._found[wanted]


_SCAN = "read_parquet($files, union_by_name = true)"


def _local_path(place: str) -> str:
    return place if storage.is_remote(place) else str(storage.filesystem(place)[1])
