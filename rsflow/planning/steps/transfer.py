"""Labels pass between the tiles of a cell of the ground grid, from scenes that have them to scenes that have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import TRANSFER_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.transfer:
        yield from (StepUnit(unit.id, unit.label_units, (stage,)) for unit in ids.transfers.values())


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    cells = {unit.id: inputs.ids.transfers[unit.id].cell for unit in units}
    work = inputs.gather(
        TRANSFER_WORK,
        units,
        inputs.ids.merged,
        reviewed=True,
        is_needed=lambda unit, tile: bool(tile["grid_cell"] == cells[unit.id]),
    )
    places = pa.array([cells[unit.id] for unit in units], pa.string())
    return work.set_column(work.schema.get_field_index("place"), TRANSFER_WORK.field("place"), places)


STEP = Step("transfer", ("labels", "transfers", "rejects"), _units, _rows)
