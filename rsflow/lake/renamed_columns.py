"""Columns that earlier formats of the lake called otherwise: read under their present names.

A table that is replaced as a whole gets the present names with its next rows. `FORMAT_VERSION` counts such renamings, so that
an older rsflow, which would take a renamed column for a missing one, refuses the lake instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

FORMAT_VERSION = 2  # 1: `selection.assigned_split` was called `dealt`

RENAMED: Mapping[str, Mapping[str, str]] = {"selection": {"assigned_split": "dealt"}}  # table -> present name -> former name


def stored_names(table: str, columns: Collection[str], stored: Collection[str]) -> dict[str, str]:
    """Of `columns` of a table, those that it holds: from the present name to the one it is `stored` under."""
    former = RENAMED.get(table, {})
    names = {name: name if name in stored else former.get(name, name) for name in columns}
    return {name: found for name, found in names.items() if found in stored}
