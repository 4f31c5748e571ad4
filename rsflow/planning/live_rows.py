"""The rows that count now: those of finished units which the present configuration wants.

One idea: the lake keeps everything that was ever made; a phase looks only at wanted ∩ done. So two lakes with different
histories but the same configuration and files give the same dataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from rsflow.errors import LakeError, UndoneError
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake, filter_by_values
from rsflow.planning.annotation_rejects import annotation_rejects
from rsflow.planning.plan import Plan, undone_text
from rsflow.planning.work_units import WorkUnits


@dataclass(frozen=True, slots=True)
class LiveRows:
    """Marks of the wanted and finished units, per step.

    `seen`: of the models' looks at tiles and of what was merged of them. `instruct`: of all that made instructions, rules and
    models.
    """

    lake: Lake
    label: pa.Table
    seen: pa.Table
    instruct: pa.Table
    annotations: pa.Table

    @property
    def rejected_scenes(self) -> set[str]:
        return set(self.label.filter(self.label["scene_rejected"])["scene_id"].to_pylist())

    def tiles(self, columns: list[str] | None = None) -> pa.Table:
        """Tiles, sorted by tile_id; those of scenes that were rejected in part are among them."""
        return read_receipt_rows(self.lake, "tiles", self.label["receipt"], columns).sort_by("tile_id")

    @property
    def told(self) -> pa.ChunkedArray:
        """Receipts of the labels that count: annotations, what labellers without weights say, and what models saw, merged."""
        merged = self.seen.filter(pa.compute.equal(self.seen["step"], "merge"))
        return pa.chunked_array([*self.label["receipt"].chunks, *merged["receipt"].chunks], pa.string())

    def labels(self, columns: list[str] | None = None) -> pa.Table:
        return read_receipt_rows(self.lake, "labels", self.told, columns).sort_by("label_id")

    def embeddings(self, labeller: str) -> pa.Table:
        """EMBEDDINGS rows (tile_id, vector) of the labeller of this name, sorted by tile_id."""
        rows = read_receipt_rows(self.lake, "embeddings", self.seen["receipt"], ["tile_id", "labeller", "vector"])
        named = pa.compute.starts_with(rows["labeller"], f"{labeller}-")
        return rows.filter(named).select(["tile_id", "vector"]).sort_by("tile_id")

    def instructions(self, columns: list[str] | None = None) -> pa.Table:
        return read_receipt_rows(self.lake, "instructions", self.instruct["receipt"], columns).sort_by("instruction_id")

    def rejects(self) -> pa.Table:
        steps = (self.annotations, self.label, self.seen, self.instruct)
        return read_receipt_rows(
            self.lake, "rejects", pa.chunked_array([chunk for step in steps for chunk in step["receipt"].chunks])
        )


def read_live_rows(lake: Lake, plan: Plan) -> LiveRows:
    """The marks that count. LakeError where a wanted unit is not done: select and shard never work on half a label phase."""
    if plan.undone:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows + len(plan.undone), plan.undone))
    marked = completed_units(lake)
    wanted = [unit.id for unit in plan.units]
    label = filter_by_values(marked, "unit", wanted)
    if label.num_rows < len(wanted):
        raise LakeError(
            f"{lake.root}: {len(wanted) - label.num_rows} of {len(wanted)} units are not labelled yet: run `rsflow label` first"
        )
    units = WorkUnits(plan, marked)
    seen = _done(
        marked, [each.id for unit in units.fit.values() for each in units.seeing(unit)], lake, "not seen by every model"
    )
    merged = _done(marked, units.merging.values(), lake, "not merged")
    told = _done(marked, map(units.instruct, units.fit.values()), lake, "without instructions")
    written = _done(marked, filter(None, map(units.generate, units.fit.values())), lake, "not written about by the model")
    annotations = filter_by_values(marked, "unit", [unit for _, unit, _ in annotation_rejects(plan)])
    return LiveRows(lake, label, pa.concat_tables([seen, merged]), pa.concat_tables([told, written]), annotations)


def _done(marked: pa.Table, wanted: Iterable[str], lake: Lake, lacking: str) -> pa.Table:
    """The marks of these units. LakeError where one is missing."""
    units = list(wanted)
    found = filter_by_values(marked, "unit", units)
    if found.num_rows < len(units):
        raise LakeError(
            f"{lake.root}: {len(units) - found.num_rows} of {len(units)} units are {lacking} yet: run `rsflow label` first"
        )
    return found
