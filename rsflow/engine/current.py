"""The rows that count now: those of finished units which the present configuration wants.

One idea: the lake keeps everything that was ever made; a phase looks only at wanted ∩ done. So two lakes with different
histories but the same configuration and files give the same dataset.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from rsflow.engine.label import annotation_rejects
from rsflow.engine.plan import Plan, instruct_unit
from rsflow.errors import LakeError
from rsflow.lake.receipts import marks, rows_of
from rsflow.lake.tables import Lake, of_values


@dataclass(frozen=True, slots=True)
class Current:
    """Marks of the wanted and finished units, per step."""

    lake: Lake
    label: pa.Table
    instruct: pa.Table
    annotations: pa.Table

    @property
    def rejected_scenes(self) -> set[str]:
        return set(self.label.filter(self.label["scene_rejected"])["scene_id"].to_pylist())

    def tiles(self, columns: list[str] | None = None) -> pa.Table:
        """Tiles, sorted by tile_id; those of scenes that were rejected in part are among them."""
        return rows_of(self.lake, "tiles", self.label["receipt"], columns).sort_by("tile_id")

    def labels(self, columns: list[str] | None = None) -> pa.Table:
        return rows_of(self.lake, "labels", self.label["receipt"], columns).sort_by("label_id")

    def instructions(self, columns: list[str] | None = None) -> pa.Table:
        return rows_of(self.lake, "instructions", self.instruct["receipt"], columns).sort_by("instruction_id")

    def rejects(self) -> pa.Table:
        steps = (self.annotations, self.label, self.instruct)
        return rows_of(self.lake, "rejects", pa.chunked_array([chunk for step in steps for chunk in step["receipt"].chunks]))


def current(lake: Lake, plan: Plan) -> Current:
    """The marks that count. LakeError where a wanted unit is not done: select and shard never work on half a label phase."""
    marked = marks(lake)
    wanted = [unit.id for unit in plan.units]
    label = of_values(marked, "unit", wanted)
    if label.num_rows < len(wanted):
        raise LakeError(
            f"{lake.root}: {len(wanted) - label.num_rows} of {len(wanted)} units are not labelled yet: run `rsflow label` first"
        )
    fit = label.filter(pa.compute.invert(label["scene_rejected"]))
    instruct = of_values(marked, "unit", [instruct_unit(plan, unit) for unit in fit["unit"].to_pylist()])
    if instruct.num_rows < fit.num_rows:
        raise LakeError(
            f"{lake.root}: {fit.num_rows - instruct.num_rows} of {fit.num_rows} units have no instructions yet: "
            "run `rsflow label` first"
        )
    annotations = of_values(marked, "unit", [unit for _, unit, _ in annotation_rejects(plan)])
    return Current(lake, label, instruct, annotations)
