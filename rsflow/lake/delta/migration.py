"""Bringing the tables of a lake of an earlier format to the present one.

One idea: each table is rewritten in one transaction, under its present columns and with the metadata of its last commit. A
migration that dies is begun again by the next one, and rewriting a table twice changes nothing; rows are never lost, because a
table's earlier version stays until `rsflow vacuum` deletes it, and every reader knows the former names too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsflow.lake.delta.formats import RENAMED, RENAMED_VALUES, TABLES
from rsflow.lake.delta.table_files import list_table_files, read_columns

if TYPE_CHECKING:
    from rsflow.lake.tables import Lake


def migrate(lake: Lake, stored_format: int) -> None:
    """Rewrite each table that holds columns or values which were renamed since `stored_format`."""
    for name in TABLES:
        columns = {each.former for each in RENAMED if each.table == name and each.last_format >= stored_format}
        values = any(each.table == name and each.last_format >= stored_format for each in RENAMED_VALUES)
        table = lake.delta(name) if columns or values else None
        if table is not None and (values or columns & {field.name for field in table.schema().fields}):
            _rewrite(lake, name)


def _rewrite(lake: Lake, name: str) -> None:
    metadata = lake.commit_metadata(name)
    columns = TABLES[name].names
    lake.overwrite(
        name,
        lambda: (read_columns(file, columns) for file in list_table_files(lake, name)),
        metadata[1] if metadata else None,
    )
