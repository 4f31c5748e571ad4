"""Receipts: what a finished unit hands to the driver, and how it becomes visible.

One idea: a receipt is one row per unit that holds the unit's new rows as nested columns. The driver appends the rows to
their tables first and the marks to `runs` last; a reader keeps only rows whose receipt has a mark. So a crash between two
appends leaves rows that nobody reads, and the unit is simply done again under another receipt. Where two runs did the same
unit at once, the smaller receipt counts.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow import schemas
from rsflow.files import storage
from rsflow.lake.integrity import digests
from rsflow.lake.tables import Lake
from rsflow.records import Reject
from rsflow.schemas.rows import filter_by_values

ROW_TABLES = ("tiles", "labels", "embeddings", "transfers", "groups", "instructions", "rejects")

_MARK = [f for f in schemas.RUNS if f.name not in {"run", "committed_at"}]

# `undone`: why the unit is not done, where it is not; such a receipt is never committed.
RECEIPTS = pa.schema(
    [
        *_MARK,
        ("undone", pa.string()),
        *[(name, pa.list_(pa.struct(list(getattr(schemas, name.upper()))))) for name in ROW_TABLES],
    ]
)


def unit_mark(work: Mapping[str, Any], step: str, rows_in: int, rows_rejected: int = 0, **more: Any) -> dict[str, Any]:
    """The columns of a unit's mark under a new receipt. `work`: at least its unit, scene_id and source."""
    same = {name: work[name] for name in ("unit", "scene_id", "source")}
    counts = {"rows_in": rows_in, "rows_kept": rows_in - rows_rejected, "rows_rejected": rows_rejected, "bytes_read": 0}
    return {**same, **counts, "receipt": uuid.uuid4().hex, "step": step, "scene_rejected": False, **more}


def reject_row(work: Mapping[str, Any], step: str, reject: Reject, rows: int) -> dict[str, Any]:
    """A row of `rejects`, but for its delivery. `work`: at least the scene_id and source of what left.

    `rows`: how many tiles or groups left with it; 0 where only a label or a text was lost, or never made.
    """
    return {
        "scene_id": work["scene_id"],
        "source": work["source"],
        "step": step,
        "rows": rows,
        **dataclasses.asdict(reject),
    }


def receipt_table(marks: dict[str, Any], **rows: list[dict[str, Any]]) -> pa.Table:
    """One receipt: the mark's columns, and the unit's rows per table (`tiles=[…]`, tables without rows may be left out).

    Adds `unit` and `receipt` to every row.
    """
    delivery = {"unit": marks["unit"], "receipt": marks["receipt"]}
    nested = {name: [{**row, **delivery} for row in rows.get(name, [])] for name in ROW_TABLES}
    return pa.Table.from_pylist([{**marks, **nested}], schema=RECEIPTS)


def commit(lake: Lake, receipts: pa.Table, run: str) -> pa.Table:
    """Make the units of these receipts visible: their rows, then their marks (RUNS rows), which are returned."""
    if not receipts.num_rows:
        return schemas.RUNS.empty_table()
    now = pa.array([datetime.now(UTC)] * receipts.num_rows, schemas.RUNS.field("committed_at").type)
    marks = receipts.select([f.name for f in _MARK])
    marks = marks.append_column("run", pa.array([run] * receipts.num_rows)).append_column("committed_at", now)
    marks = marks.select(schemas.RUNS.names)
    with digests.one_record(lake.root):
        for name in ROW_TABLES:
            rows = receipts[name].combine_chunks().flatten()
            lake.append(name, pa.Table.from_struct_array(rows) if len(rows) else getattr(schemas, name.upper()).empty_table())
        lake.append("runs", marks)
    return marks


def completed_units(lake: Lake) -> pa.Table:
    """The mark of every finished unit, one each: see `best_marks`."""
    return best_marks(lake.read("runs"))


def best_marks(runs: pa.Table) -> pa.Table:
    """One mark of each unit: of several attempts the one that went best, else the smallest receipt."""
    if not runs.num_rows:
        return runs
    order = [(name, "ascending") for name in ("unit", "scene_rejected", "missed", "receipt")]
    runs = runs.append_column("missed", pa.array(count_failures(runs))).sort_by(order).drop_columns(["missed"])
    units = runs["unit"].combine_chunks()
    first = pc.not_equal(units[1:], units[:-1])
    return runs.filter(pa.concat_arrays([pa.array([True]), first]))


def count_failures(marked: pa.Table) -> npt.NDArray[np.float64]:
    """Per mark: how much of a model's work did not come off, tiles that it rejected and requests that failed."""
    usage = marked["usage"].combine_chunks()
    names, amounts = (usage.flatten().field(name) for name in ("name", "value"))
    failed = np.asarray(pc.equal(names, "failures"), dtype=np.bool_)
    rows = np.asarray(pc.list_parent_indices(usage))[failed]
    found = np.zeros(marked.num_rows)
    np.add.at(found, rows, np.asarray(amounts)[failed])
    predicted = np.asarray(pc.equal(marked["step"], "predict"))
    found[predicted] += np.asarray(marked["rows_rejected"])[predicted]
    return found


def read_receipt_rows(lake: Lake, name: str, receipts: Any, columns: list[str] | None = None) -> pa.Table:
    """The rows of one table that these receipts delivered; just these columns, in this order."""
    requested = [*columns, "receipt"] if columns and "receipt" not in columns else columns
    found = filter_by_values(lake.read(name, requested), "receipt", receipts)
    return found.select(columns) if columns else found


def withdraw_damaged_units(lake: Lake, place: str = "") -> None:
    """Take back the marks of the units whose tile files are missing, and of the one that wrote the file at `place`."""
    delivered = read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"], ["file", "receipt"])
    intact = {f"tiles/{name}" for name in storage.list_files(lake.place("tiles"))}
    intact.discard(place.removeprefix(lake.root.rstrip("/") + "/"))
    damaged = {row["receipt"] for row in delivered.to_pylist() if row["file"] not in intact}
    lake.delete_rows("runs", "receipt", sorted(damaged))
