"""The live rows: those of finished units which the present configuration wants.

One idea: the lake keeps everything that was ever made; a phase uses only wanted ∩ done. So two lakes with different histories
but the same configuration and files give the same dataset.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.errors import LakeError, UndoneError
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.delta.table_files import list_table_files, read_table_file
from rsflow.lake.receipts import ROW_TABLES, completed_units, read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.planning.groups.group_samples import group_samples
from rsflow.planning.plan import Plan, undone_text
from rsflow.planning.sources.annotation_rejects import annotation_rejects
from rsflow.planning.steps import STEPS
from rsflow.planning.transferred import KNOWN, with_passed
from rsflow.planning.unit_ids import UnitIds
from rsflow.review.apply import reviewed_labels, reviewed_tile
from rsflow.review.resolve import Decisions
from rsflow.schemas import LABELS, RUNS, TILES
from rsflow.schemas.rows import filter_by_values

ANNOTATIONS = "annotations"  # what marks of rejected annotations call their step

_STEPS_OF: dict[str, tuple[str, ...]] = {
    table: (*(step.name for step in STEPS if table in step.tables), *([ANNOTATIONS] if table == "rejects" else []))
    for table in ROW_TABLES
}


@dataclass(frozen=True, slots=True)
class LiveRows:
    """`marks`: those of the wanted and finished units, by step. `decisions`: of reviewers; `tiles` and `labels` follow them."""

    lake: Lake
    marks: Mapping[str, pa.Table]
    decisions: Decisions = field(default_factory=Decisions)

    @property
    def label(self) -> pa.Table:
        return self.marks["label"]

    @property
    def all_marks(self) -> pa.Table:
        """The marks of all steps, without those of rejected annotations."""
        return pa.concat_tables([self.marks[step.name] for step in STEPS])

    def receipts(self, table: str) -> pa.ChunkedArray:
        """The receipts whose rows of this table count."""
        return pa.concat_tables([RUNS.empty_table(), *(self.marks[step] for step in _STEPS_OF[table])])["receipt"]

    @property
    def rejected_scenes(self) -> set[str]:
        return set(self.label.filter(self.label["scene_rejected"])["scene_id"].to_pylist())

    def read(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """The live rows of a table, in no stated order."""
        receipts = self.receipts(table)
        if not len(receipts):  # nothing to read, nor to ask a store for
            return TABLES[table].empty_table().select(columns or TABLES[table].names)
        return read_receipt_rows(self.lake, table, receipts, columns)

    def batches(self, table: str, columns: Sequence[str], receipts: pa.ChunkedArray | None = None) -> Iterator[pa.Table]:
        """The live rows of a table (or those of some `receipts`), a batch at a time: files and rows in a fixed order."""
        delivered = (self.receipts(table) if receipts is None else receipts).combine_chunks()
        for file in list_table_files(self.lake, table):
            yield from read_table_file(file, columns, delivered)

    def tiles(self, columns: list[str] | None = None, with_transfers: bool = True) -> pa.Table:
        """Tiles, sorted by tile_id; those of scenes that were rejected in part are among them. What is known of all objects
        counts what other tiles of a cell passed, but without `with_transfers`."""
        rows = self.read("tiles", columns)
        if with_transfers and not {*KNOWN}.isdisjoint(rows.column_names):
            rows = with_passed(rows, self.read("transfers"))
        names = {"vocabulary", "unknown"} & set(rows.column_names)
        decided = {tile: mine for tile, mine in self.decisions.tiles.items() if mine.labels} if names else {}
        if not decided:
            return rows.sort_by("tile_id")
        mine = pc.is_in(rows["tile_id"], value_set=pa.array(sorted(decided), pa.string()))
        changed = [reviewed_tile(row, decided[row["tile_id"]]) for row in rows.filter(mine).to_pylist()]
        parts = [rows.filter(pc.invert(mine)), pa.Table.from_pylist(changed, schema=rows.schema)]
        return pa.concat_tables(parts).sort_by("tile_id")

    def labels(self, columns: list[str] | None = None) -> pa.Table:
        """Annotations, labels of labellers without weights, and merged predictions, sorted by label_id."""
        made = self.reviewed_labels()
        if made is None:
            return self.read("labels", columns).sort_by("label_id")
        requested = columns or LABELS.names
        rows = self.read("labels", list(dict.fromkeys([*requested, "tile_id"])))
        tiles = pa.array(sorted(tile for tile, mine in self.decisions.tiles.items() if mine.labels), pa.string())
        others = rows.filter(pc.invert(pc.is_in(rows["tile_id"], value_set=tiles))).select(requested)
        return pa.concat_tables([others, made.select(requested)]).sort_by(
            "label_id" if "label_id" in requested else requested[0]
        )

    def reviewed_labels(self) -> pa.Table | None:
        """All LABELS rows, as they count, of the tiles whose labels reviewers changed; None where there are none such."""
        decided = {tile: mine for tile, mine in self.decisions.tiles.items() if mine.labels}
        if not decided:
            return None
        found = self.lake.read("labels", where={"tile_id": list(decided)})
        by_tile: dict[str, list[dict[str, Any]]] = {tile: [] for tile in decided}
        for row in filter_by_values(found, "receipt", self.receipts("labels")).sort_by("label_id").to_pylist():
            by_tile[row["tile_id"]].append(row)
        changed = [row for tile, mine in by_tile.items() for row in reviewed_labels(tile, mine, decided[tile])]
        return pa.Table.from_pylist(changed, schema=LABELS)

    def embeddings(self, labeller: str) -> pa.Table:
        """EMBEDDINGS rows (tile_id, vector) of the labeller of this name, sorted by tile_id."""
        rows = self.read("embeddings", ["tile_id", "labeller", "vector"])
        named = pa.compute.starts_with(rows["labeller"], f"{labeller}-")
        return rows.filter(named).select(["tile_id", "vector"]).sort_by("tile_id")

    def groups(self) -> pa.Table:
        """GROUPS rows, sorted by group_id; none in a lake that is older than the table."""
        return self.read("groups").sort_by("group_id")

    def group_samples(self) -> pa.Table:
        """SAMPLES rows of the groups, sorted by tile_id; reads no tile where there is no group."""
        groups = self.groups()
        return group_samples(groups, self.tiles() if groups.num_rows else TILES.empty_table())

    def samples(self, columns: list[str] | None = None) -> pa.Table:
        """Tiles, and groups as rows like them: all that an instruction's tile_id may name."""
        names = columns or TILES.names
        return pa.concat_tables([self.tiles(names), self.group_samples().select(names)])

    def instructions(self, columns: list[str] | None = None) -> pa.Table:
        return self.read("instructions", columns).sort_by("instruction_id")

    def rejects(self) -> pa.Table:
        return self.read("rejects")


def read_live_rows(lake: Lake, plan: Plan, allow_missing: bool = False, pending: Collection[str] = ()) -> LiveRows:
    """The live rows under a plan.

    LakeError where a wanted unit is not done: select and shard never work on half a label phase. With `allow_missing`, for
    reports, the rows of those that are done; `pending` are steps whose units need not be.
    """
    if plan.undone and not allow_missing:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows + len(plan.undone), plan.undone))
    marked = completed_units(lake)
    ids = UnitIds(plan, marked)
    marks = {}
    for step in STEPS:
        unit_ids = [unit.id for unit in step.units(ids)]
        marks[step.name] = filter_by_values(marked, "unit", unit_ids)
        if not allow_missing and step.name not in pending and (missing := len(unit_ids) - marks[step.name].num_rows) > 0:
            what = f"{missing} of {len(unit_ids)} units of the step `{step.name}`"
            raise LakeError(f"{lake.root}: {what} are not done yet: run `rsflow label` first")
    marks[ANNOTATIONS] = filter_by_values(marked, "unit", [unit for _, unit, _ in annotation_rejects(plan)])
    return LiveRows(lake, marks, plan.decisions)
