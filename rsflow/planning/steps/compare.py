"""Rules write instructions that compare the pictures of a group. Columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from rsflow.planning.groups.cell_units import CellUnit, cell_units
from rsflow.planning.groups.group_units import GroupUnit
from rsflow.planning.groups.zoom_units import ZoomUnit, zoom_units
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import COMPARE_WORK

GroupsUnit = GroupUnit | CellUnit | ZoomUnit


def _group_units(ids: UnitIds) -> list[GroupsUnit]:
    """All units that deliver groups."""
    return [*ids.groups, *cell_units(ids), *zoom_units(ids)]


def _id(ids: UnitIds, unit: GroupsUnit) -> str:
    return ids.compare(unit.id, unit.label_units)


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.compare:
        yield from (StepUnit(_id(ids, unit), unit.label_units, (stage,)) for unit in _group_units(ids))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    ids = inputs.ids
    group_unit = {_id(ids, unit): unit.id for unit in _group_units(ids)}
    delivered = inputs.groups([group_unit[unit.id] for unit in units], COMPARE_WORK)
    own = inputs.group_labels([group_unit[unit.id] for unit in units], COMPARE_WORK)
    rows = inputs.gather(COMPARE_WORK, units, ids.further_labels, adds_transfers=False).to_pylist()
    for row in rows:
        row["groups"] = delivered[group_unit[row["unit"]]]
        members = {member["tile_id"] for group in row["groups"] for member in group["members"]}
        row["tiles"] = [tile for tile in row["tiles"] if tile["tile_id"] in members]
        row["labels"] = [label for label in row["labels"] if label["tile_id"] in members] + own[group_unit[row["unit"]]]
    return pa.Table.from_pylist(rows, schema=COMPARE_WORK)


STEP = Step("compare", ("instructions", "rejects"), _units, _rows)
