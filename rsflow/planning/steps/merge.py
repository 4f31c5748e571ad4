"""The predictions of a scene become labels that count: merged over its tiles and its models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import PICTURE_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    return (StepUnit(name, tuple(ids.by_scene[scene]), (ids.plan.merge,)) for scene, name in ids.merges.items())


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    return inputs.gather(PICTURE_WORK, units, lambda unit: [each.id for each in inputs.ids.predictions(unit)])


STEP = Step("merge", ("labels", "rejects"), _units, _rows, counted="scenes")
