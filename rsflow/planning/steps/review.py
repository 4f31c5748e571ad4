"""Instructions that reviewers corrected: the person's texts, where what was corrected is still made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.lake.receipts import read_receipt_rows
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.review.instructions import corrected_turns
from rsflow.schemas import REVIEW_WORK
from rsflow.stages.instruct.revise_instructions import ReviseInstructions


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    stages = (ReviseInstructions(),)
    return (StepUnit(name, (unit,), stages) for unit in ids.usable.values() if (name := ids.review(unit)))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    """Each corrected instruction that its unit's rules or model made, with the turns that it is to have."""
    ids, decided = inputs.ids, inputs.ids.plan.decisions
    rows = []
    for each in units:
        (unit,) = each.label_units
        tiles = ids.reviewed_tiles(unit)
        receipts = [inputs.receipts[name] for name in ids.instructing(unit) if name in inputs.receipts]
        made = read_receipt_rows(inputs.lake, "instructions", pa.array(receipts, pa.string()))
        made = made.filter(
            pc.is_in(made["instruction_id"], value_set=pa.array(sorted(decided.dropped_instructions), pa.string()))
        )
        revised = [
            {**row, "turns": turns}
            for row in made.sort_by("instruction_id").to_pylist()
            if row["tile_id"] in tiles and (turns := corrected_turns(row, decided.tiles[row["tile_id"]])) is not None
        ]
        rows.append({"unit": each.id, "scene_id": each.scene_id, "source": each.source, "instructions": revised})
    return pa.Table.from_pylist(rows, schema=REVIEW_WORK)


STEP = Step("review", ("instructions",), _units, _rows)
