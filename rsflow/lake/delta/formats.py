"""The lake's tables and the versions of its format: what each version renamed, and how files of an earlier one are read.

One idea: a data file is read by the names it was written with and given the present ones, so that every version of a table
that Delta still keeps stays readable. A build rewrites the tables of an older lake once (rsflow.lake.delta.migration);
commands that only read leave it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from rsflow import schemas
from rsflow.errors import LakeError

FORMAT_VERSION = 2

TABLES: dict[str, pa.Schema] = {
    "scenes": schemas.SCENES,
    "tiles": schemas.TILES,
    "labels": schemas.LABELS,
    "embeddings": schemas.EMBEDDINGS,
    "transfers": schemas.TRANSFERS,
    "groups": schemas.GROUPS,
    "instructions": schemas.INSTRUCTIONS,
    "rejects": schemas.REJECTS,
    "selection": schemas.SELECTION,
    "shards": schemas.SHARDS,
    "runs": schemas.RUNS,
    "reviews": schemas.REVIEWS,
}


class RenamedColumn(NamedTuple):
    """A column of `table` that was called `former` up to format `last_format`."""

    last_format: int
    table: str
    former: str
    present: str


RENAMED = (
    RenamedColumn(1, "scenes", "place_fault", "georeference_error"),
    RenamedColumn(1, "selection", "dealt", "assigned_split"),
)


class RenamedValue(NamedTuple):
    """A value of a text column that was `former` up to format `last_format`."""

    last_format: int
    table: str
    column: str
    former: str
    present: str


RENAMED_VALUES = (RenamedValue(1, "runs", "step", "see", "predict"),)


def stored_names(table: str, names: Sequence[str], stored: Sequence[str]) -> dict[str, str]:
    """Present name -> name in a file whose columns are `stored`, for those of `names` that the file has."""
    former = {each.present: each.former for each in RENAMED if each.table == table}
    found = {name: name if name in stored else former.get(name, name) for name in names}
    return {name: own for name, own in found.items() if own in stored}


def conform(table: str, rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """The columns `names` of rows as a file holds them, with the present schema and values; null where the file lacks one."""
    schema = pa.schema([TABLES[table].field(name) for name in names])
    stored = stored_names(table, names, rows.column_names)
    columns = [
        rows[stored[field.name]].cast(field.type) if field.name in stored else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    values = [each for each in RENAMED_VALUES if each.table == table and each.column in names]
    return _with_present_values(pa.table(columns, schema=schema), values)


def _with_present_values(rows: pa.Table, values: Sequence[RenamedValue]) -> pa.Table:
    for each in values:
        column = rows[each.column]
        present = pc.if_else(pc.equal(column, each.former), each.present, column)
        rows = rows.set_column(rows.schema.get_field_index(each.column), each.column, present)
    return rows


def parse_format(text: str, place: str) -> int:
    """The format of a lake's tables, from the text of its file at `place`: the earlier one where its migration did not come to
    an end. LakeError where it cannot be read or is newer than this rsflow."""
    try:
        stored = json.loads(text)
        version = stored["format"]
        tables = stored.get("migrating_from", version)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LakeError(f"{place}: is damaged: expected a JSON object with a number under 'format'") from error
    if type(version) is not int or type(tables) is not int or not 1 <= version <= FORMAT_VERSION:
        raise LakeError(
            f"{place}: the lake has format {version}, this rsflow reads formats 1 to {FORMAT_VERSION}: "
            "use a newer rsflow, or another root"
        )
    return min(tables, version)
