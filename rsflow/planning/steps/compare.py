"""Rules write instructions that compare the pictures of a group. Columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import COMPARE_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.compare:
        yield from (StepUnit(ids.compare(unit), unit.label_units, (stage,)) for unit in ids.groups)


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    ids = inputs.ids
    group_unit = {ids.compare(unit): unit.id for unit in ids.groups}
    delivered = inputs.groups([group_unit[unit.id] for unit in units], COMPARE_WORK)
    rows = inputs.gather(COMPARE_WORK, units, ids.merged).to_pylist()
    for row in rows:
        row["groups"] = delivered[group_unit[row["unit"]]]
    return pa.Table.from_pylist(rows, schema=COMPARE_WORK)


STEP = Step("compare", ("instructions", "rejects"), _units, _rows)
