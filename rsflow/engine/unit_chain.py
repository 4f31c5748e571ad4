"""A run of stages as one function: what a worker executes without handing anything to the cluster in between.

One idea: units are independent, so a chain takes one unit (one row of work) through all its stages before the next. That bounds
memory to a unit, keeps pixels out of the object store, and gives one place to count attempts, to time the stages and to turn
the DataError of a unit into its reject.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pyarrow as pa

from rsflow.errors import DataError, UnavailableError
from rsflow.files.storage import mask_secrets
from rsflow.lake.attempts import attempt
from rsflow.lake.receipts import RECEIPTS, receipt_table
from rsflow.stage import BatchFunction, Resources, Stage


@dataclass(frozen=True, slots=True)
class UnitChain:
    """Work rows (LABEL_WORK or INSTRUCT_WORK) in, one RECEIPTS row out per row, whatever the unit's data does."""

    stages: tuple[Stage, ...]
    step: Literal["label", "merge", "instruct"]
    root: str
    run: str
    attempts: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        functions = [(type(stage).__name__, stage.open()) for stage in self.stages]

        def run(table: pa.Table) -> Iterator[pa.Table]:
            for i in range(table.num_rows):
                yield self._unit(functions, table.slice(i, 1))

        return run

    def _unit(self, functions: list[tuple[str, BatchFunction]], row: pa.Table) -> pa.Table:
        start = time.perf_counter()
        seconds: dict[str, float] = {}
        try:
            with attempt(self.root, self.run, row["unit"][0].as_py(), self.attempts):
                receipt = _through(functions, row, seconds)
        except DataError as error:
            receipt = scene_reject(row.to_pylist()[0], self.step, error)
        except (UnavailableError, MemoryError) as error:
            return undone_receipt(row.to_pylist()[0], self.step, str(error) or "out of memory")
        return timed(receipt, seconds, time.perf_counter() - start)


def _through(functions: list[tuple[str, BatchFunction]], row: pa.Table, seconds: dict[str, float]) -> pa.Table:
    """The unit through all stages, batch after batch; then the last over all of them at once, for a unit is one receipt."""
    *earlier, (last_name, last) = functions
    batches: Iterator[pa.Table] = iter([row])
    for name, function in earlier:
        batches = _stage(name, function, batches, seconds)
    whole = pa.concat_tables(list(batches))
    return pa.concat_tables(list(_stage(last_name, last, iter([whole]), seconds)))


def _stage(name: str, function: BatchFunction, batches: Iterator[pa.Table], seconds: dict[str, float]) -> Iterator[pa.Table]:
    """The stage's batches; what it spends in itself is added to `seconds`, what it spends waiting for its input is not."""
    for batch in batches:
        made = function(batch)
        while True:
            start = time.perf_counter()
            out = next(made, None)
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
            if out is None:
                break
            yield out


def scene_reject(work: dict[str, Any], step: str, error: DataError) -> pa.Table:
    """The receipt of a unit that could not be done: one reject that stands for all its rows."""
    rows = len(work.get("windows") or work.get("tiles") or [])
    same = {name: work[name] for name in ("scene_id", "source")}
    marks = {
        **same,
        "unit": work["unit"],
        "receipt": uuid.uuid4().hex,
        "step": step,
        "rows_in": rows,
        "rows_kept": 0,
        "rows_rejected": rows,
        "scene_rejected": True,
        "bytes_read": 0,
    }
    reject = {
        **same,
        "kind": "scene",
        "subject": work["scene_id"],
        "step": step,
        "reason": error.reason,
        "detail": mask_secrets(error.detail),
        "file": work.get("file") or "",
        "rows": rows,
    }
    return receipt_table(marks, rejects=[reject])


def undone_receipt(work: dict[str, Any], step: str, why: str) -> pa.Table:
    """What stands for a unit that the surroundings kept from being done (see UnavailableError): it is never committed."""
    nothing = dict.fromkeys(("rows_in", "rows_kept", "rows_rejected", "bytes_read"), 0)
    same = {name: work[name] for name in ("unit", "scene_id", "source")}
    marks = {**same, **nothing, "receipt": uuid.uuid4().hex, "step": step, "scene_rejected": False}
    return receipt_table({**marks, "undone": mask_secrets(why)})


def with_usage(receipt: pa.Table, more: dict[str, float]) -> pa.Table:
    """The receipt of one unit with these amounts behind those that it has."""
    (own,) = receipt["usage"].to_pylist()
    entries = [*(own or []), *({"name": name, "value": value} for name, value in more.items())]
    field = RECEIPTS.field("usage")
    return receipt.set_column(receipt.schema.get_field_index("usage"), field, pa.array([entries], field.type))


def timed(receipt: pa.Table, stages: dict[str, float], total: float) -> pa.Table:
    """The receipt with the seconds of its stages, by name, and of all."""
    spent = [{"stage": name, "seconds": value} for name, value in stages.items()]
    for name, value in (("stage_seconds", spent), ("seconds", total)):
        field = RECEIPTS.field(name)
        column = pa.array([value] * receipt.num_rows, field.type)
        receipt = receipt.set_column(receipt.schema.get_field_index(name), field, column)
    return receipt
