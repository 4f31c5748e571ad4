"""One stage of one unit again, alone, on the input that it had, and its results compared with what the lake holds.

One idea: everything a unit depends on is in the plan and the lake, so its stages can be run again anywhere; what they make must
be what was recorded. The stage reads its input from a file, which can be kept and run again elsewhere. Nothing is written into
the lake: tile files go to a folder that is thrown away, and recorded answers of engines are used as always.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake, open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.steps import STEPS
from rsflow.planning.unit_ids import UnitIds
from rsflow.stage import Stage
from rsflow.stages.label.write_tiles import WriteTiles

PER_ATTEMPT = {"receipt", "file", "row_group", "row"}  # columns that say where an attempt put something
KEYS = {"tiles": "tile_id", "labels": "label_id", "instructions": "instruction_id", "embeddings": "tile_id"}
SHOWN = 5  # differences of one table that are listed


@dataclass(frozen=True, slots=True)
class TableComparison:
    """Rows that the lake has of a unit in one table, rows that the replay gave, and what differs, one line each."""

    table: str
    recorded: int
    replayed: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """`stages`: those of the unit's step in their order; `saved`: the files with the stage's input and output."""

    unit: str
    step: str
    stage: str
    stages: tuple[str, ...]
    saved: tuple[str, ...]
    rows_in: int
    rows_out: int
    tables: tuple[TableComparison, ...]

    @property
    def is_same(self) -> bool:
        return not any(table.differences for table in self.tables)


def replay(root: str, subject: str, stage: str | None, folder: str) -> Replayed:
    """Replay a stage (by default the last) of the finished unit with this id, or of the one that cut this tile.

    UsageError where there is no such unit or stage.
    """
    lake = open_lake(root)
    plan = plan_build(read_config(lake), lake)
    marked = completed_units(lake)
    ids = UnitIds(plan, marked)
    step, unit = _find_unit(lake, ids, subject, set(marked["unit"].to_pylist()))
    names = tuple(_stage_names(unit.stages))
    chosen = names[-1] if stage is None else stage
    if chosen not in names:
        raise UsageError(f"step {step.name} of unit {unit.id} has no stage {chosen!r}: it has {', '.join(names)}")
    inputs = StepInputs(lake, ids, marked)
    with tempfile.TemporaryDirectory() as scratch:
        stages = [replace(each, root=scratch) if isinstance(each, WriteTiles) else each for each in unit.stages]
        at = names.index(chosen)
        table = _run(stages[:at], step.rows(inputs, [unit]))
        saved_in = _save(table, folder, f"{unit.id[:12]}-{chosen}-input.arrow")
        made = _run(stages[at : at + 1], _load(saved_in))
        saved_out = _save(made, folder, f"{unit.id[:12]}-{chosen}-output.arrow")
        receipts = _run(stages[at + 1 :], made)
    tables = tuple(_compare(lake, name, inputs.receipts[unit.id], receipts) for name in step.tables)
    return Replayed(unit.id, step.name, chosen, names, (saved_in, saved_out), table.num_rows, made.num_rows, tables)


def _find_unit(lake: Lake, ids: UnitIds, subject: str, done: set[str]) -> tuple[Step, StepUnit]:
    of_tile = set(lake.read("tiles", ["unit"], where={"tile_id": subject})["unit"].to_pylist())
    for step in STEPS:
        for unit in step.units(ids):
            if unit.id in done and (unit.id in of_tile or (len(subject) >= 8 and unit.id.startswith(subject))):
                return step, unit
    raise UsageError(
        f"{lake.root}: no finished unit of the last configuration has the id {subject!r}, or cut a tile of this id"
    )


def _stage_names(stages: Sequence[Stage]) -> Iterator[str]:
    """The stages by name, those that come again with a number: LabelTiles, LabelTiles-2."""
    occurrences: Counter[str] = Counter()
    for stage in stages:
        name = str(getattr(stage, "name", type(stage).__name__))
        occurrences[name] += 1
        yield name if occurrences[name] == 1 else f"{name}-{occurrences[name]}"


def _run(stages: Sequence[Stage], table: pa.Table) -> pa.Table:
    """The table after these stages, each given all that the one before it made."""
    for stage in stages:
        table = pa.concat_tables(list(stage.open()(table)))
    return table


def _save(table: pa.Table, folder: str, name: str) -> str:
    place = storage.join(folder, name)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    storage.write_bytes(place, sink.getvalue().to_pybytes())
    return place


def _load(place: str) -> pa.Table:
    return pa.ipc.open_file(storage.read_bytes(place)).read_all()


def _compare(lake: Lake, table: str, receipt: str, receipts: pa.Table) -> TableComparison:
    recorded = read_receipt_rows(lake, table, pa.array([receipt])).to_pylist()
    replayed = [row for rows in receipts[table].to_pylist() for row in rows]
    differences = list(_differences(table, _by_key(table, recorded), _by_key(table, replayed)))
    return TableComparison(table, len(recorded), len(replayed), tuple(differences[:SHOWN]))


def _by_key(table: str, rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows without what is of one attempt, by their id; rejects, which have none, by all that they say."""
    plain = [{name: value for name, value in row.items() if name not in PER_ATTEMPT} for row in rows]
    key = KEYS.get(table)
    return {str(row[key]) if key else repr(sorted(row.items())): row for row in plain}


def _differences(table: str, recorded: dict[str, dict[str, Any]], replayed: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name in sorted(recorded.keys() - replayed.keys()):
        yield f"{table}: {name} is recorded, and did not come out again"
    for name in sorted(replayed.keys() - recorded.keys()):
        yield f"{table}: {name} came out, and is not recorded"
    for name in sorted(recorded.keys() & replayed.keys()):
        for column, value in recorded[name].items():
            if replayed[name].get(column) != value:
                yield f"{table}: {name}: {column} is recorded as {value!r:.80}, came out as {replayed[name].get(column)!r:.80}"
