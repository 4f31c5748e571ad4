"""Stages over blocks of units as one function: what a worker executes without handing anything to the cluster in between.

One idea: a block is many units, because a unit may be one small picture, and starting a unit alone costs more than its work. A
block is one attempt; where a unit of it failed or killed a worker, those that are not done yet are done one by one, each an
attempt of its own, so that one bad unit becomes one reject. Pixels never enter the object store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.engine.budget import LOADING, WORKERS
from rsflow.errors import DataError, UnavailableError
from rsflow.files.storage import mask_secrets
from rsflow.lake.attempts import attempt
from rsflow.lake.receipts import RECEIPTS, receipt_table, reject_row, unit_mark
from rsflow.records import Reject
from rsflow.stage import BatchFunction, Resources, Stage, fingerprint

Named = tuple[str, BatchFunction]


@dataclass(frozen=True, slots=True)
class UnitBlocks:
    """Rows of work in, one RECEIPTS row out per row, whatever the rows' data does to a worker.

    All stages but the last get one unit at a time; the last, which makes the receipts, gets what is left of the whole block.
    """

    stages: tuple[Stage, ...]
    step: str
    root: str
    run: str
    attempts: int
    version: ClassVar[int] = 1

    @property
    def resources(self) -> Resources:
        return self.stages[0].resources

    def open(self) -> BatchFunction:
        start = time.perf_counter()
        functions = [(getattr(stage, "name", type(stage).__name__), stage.open()) for stage in self.stages]
        # Of a long-lived worker: on its first receipt.
        loading = [{WORKERS: 1.0, LOADING: time.perf_counter() - start}] if self.resources.workers is not None else []

        def run(table: pa.Table) -> Iterator[pa.Table]:
            for receipt in self._run(functions, table):
                yield with_usage(receipt, loading.pop()) if loading else receipt

        return run

    def _run(self, functions: Sequence[Named], table: pa.Table) -> Iterator[pa.Table]:
        done: set[str] = set()
        if table.num_rows > 1:
            try:
                with attempt(self.root, self.run, fingerprint(table["unit"].to_pylist()), 1):
                    for receipt in self._receipts(functions, table):
                        done.update(receipt["unit"].to_pylist())
                        yield receipt
                    return
            except (DataError, UnavailableError, MemoryError):
                pass  # some unit of it, or the worker's death at the first attempt: which one, the units show
        for row in _rows(table):
            if row["unit"][0].as_py() not in done:
                yield from self._unit(functions, row)

    def _unit(self, functions: Sequence[Named], row: pa.Table) -> Iterator[pa.Table]:
        try:
            with attempt(self.root, self.run, row["unit"][0].as_py(), self.attempts):
                yield from list(self._receipts(functions, row))
        except (DataError, UnavailableError, MemoryError) as error:
            yield self._failed(row, error)

    def _receipts(self, functions: Sequence[Named], table: pa.Table) -> Iterator[pa.Table]:
        *earlier, (last_name, last) = functions
        if not earlier:
            yield from _timed(last_name, last(table))
            return
        ready: list[pa.Table] = []
        spent: dict[str, dict[str, float]] = {}
        for row in _rows(table):
            start, stages = time.perf_counter(), dict[str, float]()
            try:
                ready += _apply_stages(earlier, row, stages)
            except (DataError, UnavailableError) as error:
                yield timed(self._failed(row, error), stages, time.perf_counter() - start)
            spent[row["unit"][0].as_py()] = stages
        if ready:
            start = time.perf_counter()
            receipts = pa.concat_tables(list(last(pa.concat_tables(ready))))
            share = (time.perf_counter() - start) / receipts.num_rows
            for receipt in _rows(receipts):
                stages = {**spent[receipt["unit"][0].as_py()], last_name: share}
                yield timed(receipt, stages, sum(stages.values()))

    def _failed(self, row: pa.Table, error: DataError | UnavailableError | MemoryError) -> pa.Table:
        (work,) = row.to_pylist()
        if isinstance(error, DataError):
            return scene_reject(work, self.step, error)
        return undone_receipt(work, self.step, str(error) or "out of memory")


def _rows(table: pa.Table) -> Iterator[pa.Table]:
    return (table.slice(i, 1) for i in range(table.num_rows))


def _apply_stages(functions: Sequence[Named], row: pa.Table, seconds: dict[str, float]) -> list[pa.Table]:
    """The batches that the stages make of one unit."""
    batches: Iterator[pa.Table] = iter([row])
    for name, function in functions:
        batches = _stage(name, function, batches, seconds)
    return list(batches)


def _stage(name: str, function: BatchFunction, batches: Iterator[pa.Table], seconds: dict[str, float]) -> Iterator[pa.Table]:
    """The stage's batches; the time in the stage itself, without that of its input, is added to `seconds`."""
    for batch in batches:
        made = function(batch)
        while True:
            start = time.perf_counter()
            out = next(made, None)
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
            if out is None:
                break
            yield out


def _timed(name: str, receipts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The receipts with the time that each took, counted from the one before."""
    start = time.perf_counter()
    for receipt in receipts:
        now = time.perf_counter()
        yield timed(receipt, {name: now - start}, now - start)
        start = time.perf_counter()


def scene_reject(work: dict[str, Any], step: str, error: DataError) -> pa.Table:
    """The receipt of a unit that could not be done: one reject that stands for all its rows."""
    rows = len(work.get("windows") or work.get("tiles") or [])
    marks = unit_mark(work, step, rows, rows, scene_rejected=True, seconds=0.0)
    reject = Reject("scene", work["scene_id"], error.reason, mask_secrets(error.detail), work.get("file") or "")
    return receipt_table(marks, rejects=[reject_row(work, step, reject, rows)])


def undone_receipt(work: dict[str, Any], step: str, why: str) -> pa.Table:
    """What stands for a unit that the surroundings kept from being done (see UnavailableError): it is never committed."""
    return receipt_table(unit_mark(work, step, 0, undone=mask_secrets(why)))


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
