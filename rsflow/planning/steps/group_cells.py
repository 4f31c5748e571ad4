"""Tiles of several sensors or dates on one cell of the ground grid become groups, with their measured shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.groups.cell_units import cell_units
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import CELL_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.group_cells:
        yield from (StepUnit(unit.id, unit.label_units, (stage,)) for unit in cell_units(ids))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    cells = {unit.id: unit.cell for unit in cell_units(inputs.ids)}
    rows = inputs.gather(CELL_WORK, units).to_pylist()
    for row in rows:
        row["place"] = cells[row["unit"]]
        row["tiles"] = [tile for tile in row["tiles"] if tile["grid_cell"] == row["place"]]
    return pa.Table.from_pylist(rows, schema=CELL_WORK)


STEP = Step("group_cells", ("groups", "rejects"), _units, _rows)
