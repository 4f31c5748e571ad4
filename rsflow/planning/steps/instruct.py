"""Rules write instructions from labels. Columns only: a changed phrasing reads no picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import INSTRUCT_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    stages = ids.plan.instruct.stages
    return (StepUnit(ids.instruct(unit), (unit,), stages) for unit in ids.usable.values())


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    return inputs.gather(INSTRUCT_WORK, units, inputs.ids.further_labels, reviewed=True)


STEP = Step("instruct", ("instructions", "rejects"), _units, _rows)
