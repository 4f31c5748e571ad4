"""The steps of the label phase in their order: all that is known of them is in this table."""

from __future__ import annotations

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.steps import (
    compare,
    generate,
    group,
    group_cells,
    group_zoom,
    instruct,
    label,
    merge,
    predict,
    review,
    transfer,
)
from rsflow.planning.unit_ids import UnitIds

STEPS: tuple[Step, ...] = (
    label.STEP,
    predict.STEP,
    merge.STEP,
    transfer.STEP,
    instruct.STEP,
    group.STEP,
    group_cells.STEP,
    group_zoom.STEP,
    compare.STEP,
    generate.STEP,
    review.STEP,
)


def missing_units(step: Step, ids: UnitIds, done: set[str]) -> list[StepUnit]:
    """The wanted units of a step that are not among the finished ones."""
    return [unit for unit in step.units(ids) if unit.id not in done]
