"""Whole rows of a few samples, read from the Parquet files of the lake's tables.

One idea: DuckDB skips the row groups and pages that hold none of the tiles, so that a few rows of many millions take less than
a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rsflow.lake.delta.formats import TABLES
from rsflow.viewer.index.index import SampleIndex

_MATCHES = 8  # text searches that are remembered

# By table: the text that is searched, and its columns.
_SEARCHED = {
    "instructions": ("lower(array_to_string(list_transform(turns, lambda turn: turn.text), ' '))", ["turns"]),
    "labels": ("lower(concat_ws(' ', category, text))", ["category", "text"]),
    "tiles": ("lower(concat_ws(' ', tile_id, key))", ["key"]),
}


@dataclass(frozen=True, slots=True)
class LakeRows:
    """Reads rows of one state of a lake, through the connection of its index."""

    index: SampleIndex
    _found: dict[str, pa.Table] = field(default_factory=dict)

    def read(self, table: str, column: str, values: Sequence[str], names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The live rows of a table whose `column` is one of `values`, with the columns `names` (default: all)."""
        return self.read_where(table, f"{column} IN (SELECT unnest($value))", list(values), names) if values else []

    def read_where(self, table: str, condition: str, value: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The live rows of a table that fulfil a condition of ours on the parameter `$value`."""
        requested = list(names or TABLES[table].names)
        query, parameters = self._live(table, requested)
        if not parameters:
            return []
        rows = self.index.table(f"{query} AND {condition}", {**parameters, "value": value})
        found: list[dict[str, Any]] = rows.select(requested).to_pylist()
        return found

    def _live(self, table: str, columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """A query of the live rows of a table, to which conditions may be added, and its parameters."""
        receipts = self.index.receipts.by_table
        own = [*dict.fromkeys([*columns, *_KEYS.get(table, ()), *(["receipt"] if table in receipts else [])])]
        query, parameters = self.index.tables.select(table, own)
        live = f"receipt IN (SELECT receipt FROM receipts WHERE tab = '{table}')" if table in receipts else "true"
        return f"SELECT * FROM ({query}) WHERE {live}", parameters

    def find_text(self, text: str) -> pa.Table:
        """The samples (column `n`) whose id, labels or instructions hold a text, whatever its case. The last searches are
        remembered, so that further pages of one cost nothing."""
        key = text.lower()
        if key not in self._found:
            parts, parameters = [], dict[str, Any]()
            for table, (searched, columns) in _SEARCHED.items():
                query, more = self._live(table, columns)
                parts.append(f"SELECT tile_id FROM ({query}) WHERE contains({searched}, $text)")
                parameters |= more
            while len(self._found) >= _MATCHES:
                self._found.pop(next(iter(self._found)), None)
            query = f"SELECT n FROM samples WHERE tile_id IN ({' UNION '.join(parts)})"
            self._found[key] = self.index.table(query, {**parameters, "text": key})
        return self._found[key]


# Columns that conditions ask for.
_KEYS = {
    **dict.fromkeys(("tiles", "labels", "embeddings", "instructions"), ("tile_id",)),
    "selection": ("tile_id", "subject"),
    "scenes": ("scene_id",),
    "groups": ("members",),
}
