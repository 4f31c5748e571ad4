"""Labels pass between the tiles of a cell of the ground grid, from scenes that have them to scenes that have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import TRANSFER_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.transfer:
        yield from (StepUnit(unit.id, unit.label_units, (stage,)) for unit in ids.transfers.values())


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    """A tile gives others what reviewers left of its labels. What it gets does not depend on its own review, which is of labels
    that it got too."""
    cells = {unit.id: inputs.ids.transfers[unit.id].cell for unit in units}
    work = inputs.gather(
        TRANSFER_WORK,
        units,
        inputs.ids.merged,
        reviewed=True,
        is_needed=lambda unit, tile: bool(tile["grid_cell"] == cells[unit.id]),
    )
    work = work.set_column(
        work.schema.get_field_index("unreviewed"), TRANSFER_WORK.field("unreviewed"), _unreviewed(inputs, units, cells)
    )
    places = pa.array([cells[unit.id] for unit in units], pa.string())
    return work.set_column(work.schema.get_field_index("place"), TRANSFER_WORK.field("place"), places)


def _unreviewed(inputs: StepInputs, units: Sequence[StepUnit], cells: dict[str, str]) -> pa.Array:
    """By unit what its tiles on which reviewers decided have without these decisions."""
    decided = {tile for tile, decision in inputs.ids.plan.decisions.tiles.items() if decision.labels}
    kind = TRANSFER_WORK.field("unreviewed").type
    if not decided:
        return pa.array([[] for _ in units], kind)

    def is_reviewed(unit: StepUnit, tile: dict[str, Any]) -> bool:
        return tile["grid_cell"] == cells[unit.id] and tile["tile_id"] in decided

    rows = inputs.gather(TRANSFER_WORK, units, inputs.ids.merged, is_needed=is_reviewed).to_pylist()
    found = [
        [{**tile, "labels": [label for label in row["labels"] if label["tile_id"] == tile["tile_id"]]} for tile in row["tiles"]]
        for row in rows
    ]
    return pa.array(found, kind)


STEP = Step("transfer", ("labels", "transfers", "rejects"), _units, _rows)
