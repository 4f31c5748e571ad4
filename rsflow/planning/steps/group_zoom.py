"""Tiles of the scales of one large scene become groups, from its overview to its detail. Columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.groups.zoom_units import zoom_units
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import ZOOM_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.group_zoom:
        yield from (StepUnit(unit.id, unit.label_units, (stage,)) for unit in zoom_units(ids))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    scenes = {unit.id: unit for unit in zoom_units(inputs.ids)}
    rows = inputs.gather(ZOOM_WORK, units, inputs.ids.merged).to_pylist()
    for row in rows:
        scene = scenes[row["unit"]]
        row["place"] = scene.place
        row["scales"] = [{"scene_id": name, "role": role, "factor": factor} for name, role, factor in scene.scales]
    return pa.Table.from_pylist(rows, schema=ZOOM_WORK)


STEP = Step("group_zoom", ("groups", "rejects"), _units, _rows)
