"""Scenes are read, cut, screened, annotated and labelled, and their tiles are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.plan import label_work
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    stages = {source: recipe.all_stages for source, recipe in ids.plan.recipes.items()}
    return (StepUnit(unit.id, (unit,), stages[unit.source], bytes=unit.bytes) for unit in ids.plan.units)


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    return label_work(inputs.ids.plan, [unit for each in units for unit in each.label_units])


STEP = Step("label", ("tiles", "labels", "rejects"), _units, _rows)
