"""Tiles of one place become groups: the two dates of an annotated pair, window by window. Columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import GROUP_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    return (StepUnit(unit.id, unit.label_units, (ids.plan.group,)) for unit in ids.groups)


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    groups = {unit.id: unit.group for unit in inputs.ids.groups}
    rows = inputs.gather(GROUP_WORK, units).to_pylist()
    for row in rows:
        group = groups[row["unit"]]
        row |= {"kind": group.kind, "place": group.place}
        row["scenes"] = [{"scene_id": scene, "role": role} for scene, role in group.scenes]
    return pa.Table.from_pylist(rows, schema=GROUP_WORK)


STEP = Step("group", ("groups", "rejects"), _units, _rows)
