"""The steps that look at written pictures with a model: what models see, what becomes of it, and what models write.

One idea: a model is loaded once per actor and gets blocks of many units, because a unit may be one small picture and a GPU
wants a full batch. One model runs at a time: its pool has as many actors as its work can feed, and gives their GPUs back when
it is drained, before the next model asks for them (Ray Data's pools never shrink to nothing while their run lasts, ray#66196).

A block that killed its worker, or cost it its device, is done again unit by unit, and a unit that keeps doing so becomes a
reject.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import LOADING, WORKERS, UsageMeter
from rsflow.engine.commit import commit_receipts
from rsflow.engine.execute import Job, blocks_of, blocks_with, execute
from rsflow.engine.progress import progress
from rsflow.engine.unit_chain import UnitChain, scene_reject, timed, undone_receipt, with_usage
from rsflow.engine.worker_pool import pool_size
from rsflow.errors import DataError, UnavailableError
from rsflow.lake.attempts import attempt
from rsflow.lake.receipts import completed_units
from rsflow.lake.tables import Lake
from rsflow.planning.companion_pairs import companions
from rsflow.planning.plan import Plan, Unit
from rsflow.planning.step_inputs import gather, receipts_of, slices
from rsflow.planning.work_units import ModelUnit, WorkUnits
from rsflow.schemas import PICTURE_WORK
from rsflow.stage import BatchFunction, ModelStage, Resources, fingerprint

MODEL_UNITS = 20_000  # units whose columns the driver holds at a time: each slice loads the model again


@dataclass(frozen=True, slots=True)
class Blocks:
    """PICTURE_WORK rows in, one RECEIPTS row out per row, whatever the rows' data does to a worker."""

    stage: ModelStage
    step: Literal["see", "generate"]
    root: str
    run: str
    attempts: int
    version: ClassVar[int] = 1

    @property
    def resources(self) -> Resources:
        return self.stage.resources

    def open(self) -> BatchFunction:
        name, start = self.stage.name, time.perf_counter()
        function = _telling(self.stage.open(), {WORKERS: 1.0, LOADING: time.perf_counter() - start})

        def run(table: pa.Table) -> Iterator[pa.Table]:
            done: set[str] = set()
            block = fingerprint(table["unit"].to_pylist())
            try:
                with attempt(self.root, self.run, block, 1):
                    for receipt in _timed(name, function(table)):
                        done.update(receipt["unit"].to_pylist())
                        yield receipt
                    return
            except (DataError, UnavailableError, MemoryError):
                pass  # some unit of it, or the worker's death at the first attempt: which one, the units tell
            for i in range(table.num_rows):
                row = table.slice(i, 1)
                if row["unit"][0].as_py() not in done:
                    yield from self._unit(name, function, row)

        return run

    def _unit(self, name: str, function: BatchFunction, row: pa.Table) -> Iterator[pa.Table]:
        try:
            with attempt(self.root, self.run, row["unit"][0].as_py(), self.attempts):
                yield from list(_timed(name, function(row)))
        except DataError as error:
            yield scene_reject(row.to_pylist()[0], self.step, error)
        except (UnavailableError, MemoryError) as error:
            yield undone_receipt(row.to_pylist()[0], self.step, str(error) or "out of memory")


def see(built: BuildConfig, lake: Lake, plan: Plan, run: str, meter: UsageMeter) -> dict[str, str]:
    """Let the models look at every finished unit that they have not looked at; then merge what they saw, scene by scene.

    Returns why scenes were left undone; nothing of theirs is merged."""
    undone: dict[str, str] = {}
    if not plan.predictors:
        return undone
    units = WorkUnits(plan, completed_units(lake))
    for rank in range(max(len(stages) for stages in plan.predictors.values())):
        marked = completed_units(lake)
        by_stage: dict[str, list[tuple[ModelUnit, Unit]]] = defaultdict(list)
        done = set(marked["unit"].to_pylist()) - plan.failed
        for unit in units.fit.values():
            for seeing in units.seeing(unit)[rank : rank + 1]:
                if seeing.id not in done and unit.scene_id not in undone:
                    by_stage[fingerprint(seeing.stage)].append((seeing, unit))
        for mine in by_stage.values():
            # With what the models before it in its source's list saw.
            looks = [units.seeing(unit)[:rank] for _, unit in mine]
            found = receipts_of(marked, [seeing.id for each in looks for seeing in each])
            todo = [(seeing.id, unit) for seeing, unit in mine]
            undone |= _work(built, lake, mine[0][0].stage, "see", todo, _by_rank(looks, found), run, meter)
    return undone | _merge(built, lake, without(plan, undone), run)


def without(plan: Plan, undone: Mapping[str, str]) -> Plan:
    """The plan without the units of these scenes."""
    return dataclasses.replace(plan, units=tuple(unit for unit in plan.units if unit.scene_id not in undone))


def generate(built: BuildConfig, lake: Lake, plan: Plan, run: str, meter: UsageMeter) -> dict[str, str]:
    """Let the model write about every unit that it has not written about. Returns why scenes were left undone."""
    if plan.generator is None:
        return {}
    marked = completed_units(lake)
    units = WorkUnits(plan, marked)
    done = set(marked["unit"].to_pylist()) - plan.failed
    named = [(units.generate(unit) or "", unit) for unit in units.fit.values()]
    todo = [(name, unit) for name, unit in named if name not in done]
    merged = units.merged(marked)
    receipts = receipts_of(marked, units.fit)

    def beside(work: pa.Table) -> pa.Table:
        return _with_others(work, lake, units, receipts, merged)

    return _work(built, lake, plan.generator, "generate", todo, [merged], run, meter, beside)


def _work(
    built: BuildConfig,
    lake: Lake,
    stage: ModelStage,
    step: Literal["see", "generate"],
    todo: Sequence[tuple[str, Unit]],
    extra: Sequence[dict[str, str]],
    run: str,
    meter: UsageMeter,
    completed: Callable[[pa.Table], pa.Table] = lambda work: work,
) -> dict[str, str]:
    """One model over these units, slice by slice; `completed` adds what their own tiles and labels do not say."""
    name = stage.name
    undone: dict[str, str] = {}
    blocks = Blocks(stage, step, built.root, run, built.engine.attempts)
    tiles = receipts_of(completed_units(lake), [unit.id for _, unit in todo])
    pending = Counter(unit.scene_id for _, unit in todo)
    with progress(name, "units", len(todo), {"scenes": len(pending)}) as state:
        for part in slices(todo, MODEL_UNITS):
            work = completed(gather(lake, PICTURE_WORK, part, tiles, extra))
            job = Job(blocks, blocks_with(work, "tiles", stage.busy_with))
            most = 1 if built.engine.kind == "inline" else pool_size(stage.resources.workers or 1, len(job.blocks))[1]
            receipts = execute([job], built.engine)
            with meter.over(name, stage.resources.gpus, most) as watch:
                undone |= commit_receipts(built, lake, receipts, run, state, pending, watch)
    return undone


def _with_others(
    work: pa.Table, lake: Lake, units: WorkUnits, receipts: Mapping[str, str], merged: Mapping[str, str]
) -> pa.Table:
    """The same with `others`: tiles of other sensors that show the ground of one of its tiles."""
    scenes = sorted({name for scene_id in work["scene_id"].to_pylist() for name in units.neighbours.get(scene_id, [])})
    around = [(unit.id, unit) for scene_id in scenes for unit in units.of_scene.get(scene_id, [])]
    if not around:
        return work
    known = gather(lake, PICTURE_WORK, around, receipts, [merged]).to_pylist()
    others = [tile for row in known for tile in row["tiles"]]
    labels: dict[str, list[object]] = defaultdict(list)
    for row in known:
        for label in row["labels"]:
            labels[label["tile_id"]].append(label)
    rows = work.to_pylist()
    for row in rows:
        found = companions(row["tiles"], others)
        row["others"] = [{"beside": tile, **other} for tile, other in sorted(found.items())]
        row["labels"] += [label for name in sorted({other["tile_id"] for other in found.values()}) for label in labels[name]]
    return pa.Table.from_pylist(rows, schema=PICTURE_WORK)


def _merge(built: BuildConfig, lake: Lake, plan: Plan, run: str) -> dict[str, str]:
    marked, undone = completed_units(lake), dict[str, str]()
    units = WorkUnits(plan, marked)
    done = set(marked["unit"].to_pylist())
    todo = [scene_id for scene_id, name in units.merging.items() if name not in done]
    chain = UnitChain((plan.merge,), "merge", built.root, run, built.engine.attempts)
    with progress("merge", "scenes", len(todo), {}) as state:
        for start in range(0, len(todo), MODEL_UNITS):
            work = _scenes(lake, units, marked, todo[start : start + MODEL_UNITS])
            receipts = execute([Job(chain, blocks_of(work, [0] * work.num_rows))], built.engine)
            undone |= commit_receipts(built, lake, receipts, run, state, Counter(work["scene_id"].to_pylist()))
    return undone


def _scenes(lake: Lake, units: WorkUnits, marked: pa.Table, scenes: Sequence[str]) -> pa.Table:
    """PICTURE_WORK rows with all tiles of a scene and what the models saw there; named by the merging unit."""
    mine = [(unit.id, unit) for scene_id in scenes for unit in units.of_scene[scene_id]]
    looks = [units.seeing(unit) for _, unit in mine]
    extra = _by_rank(looks, receipts_of(marked, [seeing.id for each in looks for seeing in each]))
    work = gather(lake, PICTURE_WORK, mine, receipts_of(marked, [unit.id for _, unit in mine]), extra)
    rows: dict[str, dict[str, list[object]]] = {scene_id: {"tiles": [], "labels": []} for scene_id in scenes}
    for row in work.to_pylist():
        rows[row["scene_id"]]["tiles"].extend(row["tiles"])
        rows[row["scene_id"]]["labels"].extend(row["labels"])
    return pa.Table.from_pylist(
        [
            {"unit": units.merging[scene_id], "scene_id": scene_id, "source": units.of_scene[scene_id][0].source, **both}
            for scene_id, both in rows.items()
        ],
        schema=PICTURE_WORK,
    )


def _by_rank(looks: Sequence[Sequence[ModelUnit]], found: Mapping[str, str]) -> list[dict[str, str]]:
    """For the first models of all units, the second, …: the receipts of their finished looks by label unit."""
    return [
        {each[rank].label_unit: found[each[rank].id] for each in looks if rank < len(each) and each[rank].id in found}
        for rank in range(max(map(len, looks), default=0))
    ]


def _telling(function: BatchFunction, first: dict[str, float]) -> BatchFunction:
    """The same, with these amounts on its first receipt."""
    untold = [first]

    def run(table: pa.Table) -> Iterator[pa.Table]:
        for receipt in function(table):
            yield with_usage(receipt, untold.pop()) if untold else receipt

    return run


def _timed(name: str, receipts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The receipts with the time that each took, counted from the one before."""
    start = time.perf_counter()
    for receipt in receipts:
        now = time.perf_counter()
        yield timed(receipt, {name: now - start}, now - start)
        start = time.perf_counter()
