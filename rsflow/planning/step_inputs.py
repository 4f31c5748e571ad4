"""What is known of finished label units: their tiles, and their labels with what models saw since.

One idea: every later step gets its work in one shape, a row per unit with tiles and labels nested, gathered here from the
tables by receipt. Raw labels of models are never told: what counts is what their merging made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import Lake, filter_by_values
from rsflow.planning.plan import Unit

SLICE_UNITS = 2000  # units whose columns the driver holds at a time


def receipts_of(marked: pa.Table, units: Iterable[str]) -> dict[str, str]:
    """The receipt of every one of these units that is finished."""
    found = filter_by_values(marked.select(["unit", "receipt"]), "unit", list(units))
    return dict(zip(found["unit"].to_pylist(), found["receipt"].to_pylist(), strict=True))


def gather(
    lake: Lake,
    schema: pa.Schema,
    units: Sequence[tuple[str, Unit]],
    tiles: Mapping[str, str],
    labels: Sequence[Mapping[str, str]],
) -> pa.Table:
    """A row of `schema` for each (id, label unit).

    `tiles`: the receipt of each label unit. `labels`: further receipts by label unit, which may deliver labels of other units'
    tiles too (of their scene): each label goes with its tile.
    """
    wanted = [unit.id for _, unit in units]
    rows = _rows(lake, "tiles", schema, {tiles[unit] for unit in wanted})
    unit_of = {receipt: unit for unit, receipt in tiles.items()}
    by_unit: dict[str, list[dict[str, Any]]] = {unit: [] for unit in wanted}
    home: dict[str, str] = {}
    for row in rows:
        unit = unit_of[row.pop("receipt")]
        by_unit[unit].append(row)
        home[row["tile_id"]] = unit
    said: dict[str, list[dict[str, Any]]] = {unit: [] for unit in wanted}
    for row in _rows(lake, "labels", schema, {by[unit] for by in (tiles, *labels) for unit in wanted if unit in by}):
        del row["receipt"]
        if row["tile_id"] in home:
            said[home[row["tile_id"]]].append(row)
    return pa.Table.from_pylist(
        [
            {"unit": name, "scene_id": unit.scene_id, "source": unit.source, "tiles": by_unit[unit.id], "labels": said[unit.id]}
            for name, unit in units
        ],
        schema=schema,
    )


def slices(units: Sequence[tuple[str, Unit]], most: int = SLICE_UNITS) -> Iterator[Sequence[tuple[str, Unit]]]:
    for start in range(0, len(units), most):
        yield units[start : start + most]


def _rows(lake: Lake, name: str, schema: pa.Schema, receipts: set[str]) -> list[dict[str, Any]]:
    fields = schema.field(name).type.value_type
    columns = [fields.field(i).name for i in range(fields.num_fields)]
    rows: list[dict[str, Any]] = read_receipt_rows(lake, name, sorted(receipts), [*columns, "receipt"]).to_pylist()
    return rows
