"""Which rows of a lake the page shows: those that the configuration of the last build asks for, as `rsflow status` counts them.

Where that cannot be determined (the sources are elsewhere, addresses were stored without passwords), everything that was ever
finished is shown, the newest row of each tile, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.errors import RsflowError
from rsflow.lake.receipts import ROW_TABLES, completed_units
from rsflow.lake.tables import Lake
from rsflow.phases.build import CONFIG, plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.planning.steps import STEPS
from rsflow.planning.unit_ids import UnitIds
from rsflow.viewer.queries.scene_tiles import SceneTiles


@dataclass(frozen=True, slots=True)
class LiveReceipts:
    """`by_table`: the receipts whose rows count, the newest first. `is_exact`: no rows of former configurations are among
    them. `note`: empty, or what is not as one might expect. `scenes`: those of that
    configuration, to cut tiles from."""

    by_table: Mapping[str, pa.Array]
    is_exact: bool = True
    note: str = ""
    scenes: SceneTiles = field(default_factory=SceneTiles)


def find_live_receipts(lake: Lake) -> LiveReceipts:
    """The receipts that count now; nothing in the lake is changed."""
    try:
        built = read_config(lake)
        plan = plan_build(built, lake)
        now = read_live_rows(lake, plan, allow_missing=True)
    except RsflowError as error:
        marks = completed_units(lake)
        if not marks.num_rows:
            return LiveReceipts({name: pa.array([], pa.string()) for name in ROW_TABLES})
        why = f"What the configuration of the last build ({CONFIG}) asks for cannot be determined: {error}"
        newest = _newest_first(marks)
        return LiveReceipts(dict.fromkeys(ROW_TABLES, newest), False, f"{why} All rows that were ever finished are shown.")
    ids = UnitIds(plan, completed_units(lake))
    missing = sum(1 for step in STEPS for _ in step.units(ids)) - now.all_marks.num_rows
    note = (
        f"{missing:,} units of work are not done yet: run `rsflow build`; what they will make is not shown." if missing else ""
    )
    scenes = SceneTiles(plan.files, built.render)
    return LiveReceipts({name: _receipts(now, name) for name in ROW_TABLES}, True, note, scenes)


def _receipts(now: LiveRows, table: str) -> pa.Array:
    newest = _newest_first(pa.concat_tables(list(now.marks.values())))
    return newest.filter(pc.is_in(newest, value_set=now.receipts(table)))


def _newest_first(marks: pa.Table) -> pa.Array:
    order = marks.sort_by([("committed_at", "descending"), ("receipt", "ascending")])
    return order["receipt"].combine_chunks()
