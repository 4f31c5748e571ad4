"""Models predict labels or vectors of the written pictures, one model after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import PICTURE_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    for unit in ids.usable.values():
        for rank, (name, stage) in enumerate(ids.predictions(unit)):
            yield StepUnit(name, (unit,), (stage,), rank)


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    """With the labels of the models before it in its source's list."""
    ids, ranks = inputs.ids, {each.label_units[0].id: each.rank for each in units}
    return inputs.gather(PICTURE_WORK, units, lambda unit: [each.id for each in ids.predictions(unit)[: ranks[unit.id]]])


STEP = Step("predict", ("embeddings", "rejects"), _units, _rows, runs_model=True, slice_tiles=200_000)
