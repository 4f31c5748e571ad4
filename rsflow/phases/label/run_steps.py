"""The driver of the label phase: one loop plans, gathers, executes, commits and counts the units of every step.

One idea: what differs between steps is in their values (rsflow.planning.steps). Units of one step run together, but for models:
one model runs at a time, its pool has as many actors as its work can feed, and it gives their GPUs back when it is drained,
before the next model asks for them (Ray Data's pools never shrink to nothing while their run lasts, ray#66196).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import cast

import pyarrow as pa

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import UsageMeter, budget_error
from rsflow.engine.cluster.worker_pool import pool_size
from rsflow.engine.commit import Watch, commit_receipts, no_watch
from rsflow.engine.execute import BLOCK_BYTES, Job, blocks_of, blocks_with, execute
from rsflow.engine.progress import progress
from rsflow.engine.shared_allowance import INTERRUPTED, shared_allowance
from rsflow.engine.unit_blocks import UnitBlocks
from rsflow.generation import Allowance
from rsflow.lake.receipts import best_marks
from rsflow.lake.tables import Lake
from rsflow.planning.plan import Plan
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.steps import missing_units
from rsflow.planning.unit_ids import UnitIds
from rsflow.stage import ModelStage, fingerprint
from rsflow.stages.generate.generate_tiles import GenerateTiles


@dataclass
class StepRunner:
    """Runs steps of one plan. `marked`: the marks of finished units, with those that it commits. `undone`: by scene, why the
    surroundings kept it from being done; later units of such a scene are skipped."""

    built: BuildConfig
    lake: Lake
    run: str
    meter: UsageMeter
    marked: pa.Table
    undone: dict[str, str] = field(default_factory=dict)
    has_run: bool = False  # any unit

    def run_step(self, step: Step, plan: Plan) -> None:
        """Do the missing units of a step. Where one of several scenes stays undone, so do all of its scenes, and what they had
        in common with others is done without them."""
        known, failed = -1, plan.failed  # failed: of former runs, not tried again yet
        while known < len(self.undone):
            known = len(self.undone)
            ids = UnitIds(without_scenes(plan, self.undone), self.marked)
            done = set(self.marked["unit"].to_pylist()) - failed
            for pool in _pools(missing_units(step, ids, done), step.runs_model):
                units = [unit for unit in pool if unit.scene_id not in self.undone]
                self._run_pool(step, ids, units)
                failed -= {unit.id for unit in units}
                self._leave_undone(units)

    def _leave_undone(self, units: Sequence[StepUnit]) -> None:
        """Note all scenes of the units that were left undone."""
        done = set(self.marked["unit"].to_pylist())
        for unit in units:
            if unit.id not in done and unit.scene_id in self.undone:
                reason = self.undone[unit.scene_id]
                self.undone |= {each.scene_id: reason for each in unit.label_units if each.scene_id not in self.undone}

    def _run_pool(self, step: Step, ids: UnitIds, units: Sequence[StepUnit]) -> None:
        inputs = StepInputs(self.lake, ids, self.marked)
        pending = Counter(unit.scene_id for unit in units)
        name = _model(units).name if units and step.runs_model else step.name
        totals = {"scenes": len(pending)} if step.counted == "units" else {}
        spends = step.sends_requests and bool(units)
        with progress(name, step.counted, len(units), totals) as state, self._allowance(spends) as allowance:
            for part in _slices(units, step.slice_tiles):
                self.has_run = True
                jobs = [self._job(step, inputs, mine, allowance) for mine in _by_stages(part)]
                metered = self._metered(_model(part), len(jobs[0].blocks), spends) if step.runs_model else nullcontext(no_watch)
                with metered as watch:
                    receipts = execute(jobs, self.built.engine)
                    committed = commit_receipts(self.built.engine, self.lake, receipts, self.run, state, pending, watch)
                self.undone |= committed.undone
                self.marked = pa.concat_tables([self.marked, *committed.marks])
                if allowance and (reason := allowance.reason()):
                    raise KeyboardInterrupt if reason == INTERRUPTED else budget_error(reason)
        self.marked = best_marks(self.marked)

    def _allowance(self, spends: bool) -> AbstractContextManager[Allowance | None]:
        """What the run may still spend on requests, where a step sends any."""
        return shared_allowance(self.meter.remaining(), self.built.engine) if spends else nullcontext(None)

    def _job(self, step: Step, inputs: StepInputs, units: Sequence[StepUnit], allowance: Allowance | None) -> Job:
        rows = step.rows(inputs, units)
        stages = (
            tuple(replace(cast(GenerateTiles, stage), allowance=allowance) for stage in units[0].stages) if allowance else None
        )
        stage = UnitBlocks(stages or units[0].stages, step.name, self.built.root, self.run, self.built.engine.attempts)
        if step.runs_model:
            return Job(stage, blocks_with(rows, "tiles", _model(units).busy_with))
        most = min(BLOCK_BYTES, int(self.built.tiles.unit_mb * 2**20))
        return Job(stage, blocks_of(rows, [unit.bytes for unit in units], most))

    def _metered(self, model: ModelStage, blocks: int, has_allowance: bool) -> AbstractContextManager[Watch]:
        """The meter over the pool of one model with so many blocks of work."""
        most = 1 if self.built.engine.kind == "inline" else pool_size(model.resources.workers or 1, blocks)[1]
        return self.meter.over(model.name, model.resources.gpus, most, has_allowance)


def without_scenes(plan: Plan, scenes: Collection[str]) -> Plan:
    """The plan without the units of these scenes."""
    return replace(plan, units=tuple(unit for unit in plan.units if unit.scene_id not in scenes)) if scenes else plan


def _pools(units: Sequence[StepUnit], by_model: bool) -> Iterator[list[StepUnit]]:
    """The units that run together: those of one rank and, where they run `by_model`, of one stage."""
    by_rank: dict[int, list[StepUnit]] = defaultdict(list)
    for unit in units:
        by_rank[unit.rank].append(unit)
    for _, mine in sorted(by_rank.items()):
        yield from _by_stages(mine) if by_model else [mine]


def _slices(units: Sequence[StepUnit], tiles: int) -> Iterator[list[StepUnit]]:
    """The units in slices of so many tiles or a little more, whatever the number of units: the last one may be smaller."""
    part: list[StepUnit] = []
    tiles_in_part = 0
    for unit in units:
        part.append(unit)
        tiles_in_part += unit.tiles
        if tiles_in_part >= tiles:
            yield part
            part, tiles_in_part = [], 0
    if part:
        yield part


def _by_stages(units: Sequence[StepUnit]) -> list[list[StepUnit]]:
    """Units with equal stages, in the order of their first ones. Units share few objects, so few are hashed."""
    by_identity: dict[tuple[int, ...], list[StepUnit]] = defaultdict(list)
    for unit in units:
        by_identity[tuple(map(id, unit.stages))].append(unit)
    found: dict[str, list[StepUnit]] = defaultdict(list)
    for mine in by_identity.values():
        found[fingerprint(list(mine[0].stages))] += mine
    return list(found.values())


def _model(units: Sequence[StepUnit]) -> ModelStage:
    """The stage of units of a step that runs a model."""
    return cast(ModelStage, units[0].stages[0])
