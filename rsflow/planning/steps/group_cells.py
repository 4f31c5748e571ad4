"""Tiles of several sensors or dates on one cell of the ground grid become groups, with their measured shifts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from rsflow.planning.groups.cell_units import cell_units
from rsflow.planning.plan import Plan
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import CELL_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.group_cells:
        yield from (StepUnit(unit.id, unit.label_units, (stage,)) for unit in cell_units(ids))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    cells = {unit.id: unit for unit in cell_units(inputs.ids)}
    maps = _class_rasters(inputs.ids.plan)
    rows = inputs.gather(CELL_WORK, units).to_pylist()
    for row in rows:
        cell = cells[row["unit"]]
        row |= {"place": cell.cell, "siblings": list(cell.siblings)}
        row["tiles"] = [tile for tile in row["tiles"] if tile["grid_cell"] in (cell.cell, *cell.siblings)]
        row["maps"] = json.dumps(
            {tile["scene_id"]: maps[tile["scene_id"]] for tile in row["tiles"] if tile["scene_id"] in maps}
        )
    return pa.Table.from_pylist(rows, schema=CELL_WORK)


def _class_rasters(plan: Plan) -> dict[str, dict[str, Any]]:
    """By scene that class rasters label: where its pixels lie, and these rasters."""
    found = {scene: [layer for layer in layers if layer.kind == "cover"] for scene, layers in plan.ground.of_scene.items()}
    layers_by_scene = {scene: layers for scene, layers in found.items() if layers}
    placed = (
        {row["scene_id"]: row for row in plan.scenes.select(["scene_id", "crs", "transform"]).to_pylist()}
        if layers_by_scene
        else {}
    )
    return {
        scene: {
            "crs": placed[scene]["crs"],
            "transform": placed[scene]["transform"],
            "layers": [layer.to_row() for layer in layers],
        }
        for scene, layers in layers_by_scene.items()
    }


STEP = Step("group_cells", ("groups", "labels", "rejects"), _units, _rows)
