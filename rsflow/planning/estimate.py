"""What a build would do, in numbers: the work that is missing, and what models will take for it.

One idea: what a model takes for a tile is known once it has done some, for every mark says what its unit used. So a prediction
is the mean of what was measured, times what is missing; where nothing was measured yet it says so instead of guessing, and a
small sample (`rsflow plan CONFIG --sample N`) is real work that is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.engine.budget import LOADING, WORKERS, total_usage
from rsflow.planning.plan import Plan, Unit
from rsflow.planning.work_units import WorkUnits

SECONDS = "worker_seconds"  # of a model's workers together, beside the amounts that its marks name


@dataclass(frozen=True, slots=True)
class ModelWork:
    """What is missing of one model's work, at most `tiles`, and what that will take going by what it has done.

    `measured`: tiles it has done. `expected`: amounts by name, such as requests, tokens_in, money, device_seconds; empty where
    nothing was measured.
    """

    name: str
    units: int
    tiles: int
    measured: int
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """The plan in numbers, per state of a scene, and the work that is missing."""

    scenes: dict[str, int]  # new, changed, to_label (recipe or annotations changed, or interrupted), done, rejected, gone
    units: int
    tiles: int
    bytes: int
    instruct_units: int
    models: tuple[ModelWork, ...] = ()


def estimate_build(plan: Plan) -> BuildEstimate:
    """What a build would do."""
    missing = plan.missing
    rejected = _rejected_scenes(plan)
    units = WorkUnits(plan, plan.marks)
    done = plan.done
    good = [unit for unit in units.fit.values() if unit.scene_id not in rejected]
    return BuildEstimate(
        _states(plan, {unit.scene_id for unit in missing}, rejected),
        len(missing),
        sum(len(unit.windows) for unit in missing),
        sum(unit.bytes for unit in missing),
        sum(units.instruct(unit) not in done for unit in good),
        tuple(_models(plan, units, good, done)),
    )


def _states(plan: Plan, pending: set[str], rejected: set[str]) -> dict[str, int]:
    prints = dict(zip(plan.scenes["scene_id"].to_pylist(), plan.scenes["fingerprint"].to_pylist(), strict=True))

    def state(scene_id: str) -> str:
        if scene_id not in pending:
            return "rejected" if scene_id in rejected else "done"
        if scene_id not in plan.before:
            return "new"
        return "changed" if plan.before[scene_id] != prints[scene_id] else "to_label"

    states = Counter(state(scene_id) for scene_id in prints)
    states["gone"] = len(set(plan.before) - set(prints))
    return {name: states[name] for name in ("new", "changed", "to_label", "done", "rejected", "gone")}


def _models(plan: Plan, units: WorkUnits, good: list[Unit], done: set[str]) -> list[ModelWork]:
    todo: dict[str, list[Unit]] = defaultdict(list)
    for unit in good:
        for seeing in units.seeing(unit):
            todo[seeing.stage.name] += [unit] if seeing.id not in done else []
        if plan.generator:
            todo[plan.generator.name] += [unit] if units.generate(unit) not in done else []
    return [_expect(plan.marks, name, mine) for name, mine in todo.items()]


def _expect(marked: pa.Table, name: str, todo: list[Unit]) -> ModelWork:
    tiles = sum(len(unit.windows) for unit in todo)
    ran = [any(stage["stage"] == name for stage in stages or []) for stages in marked["stage_seconds"].to_pylist()]
    mine = marked.filter(pa.array(ran, pa.bool_()))
    measured = int(pc.sum(mine["rows_in"]).as_py() or 0)
    used = total_usage(mine) + Counter({SECONDS: float(pc.sum(mine["seconds"]).as_py() or 0.0)})
    del used[WORKERS], used[LOADING]  # do not grow with the tiles
    expected = {each: amount * tiles / measured for each, amount in sorted(used.items())} if measured else {}
    return ModelWork(name, len(todo), tiles, measured, expected)


def _rejected_scenes(plan: Plan) -> set[str]:
    units = {unit.id for unit in plan.units}
    rows = plan.marks.select(["unit", "scene_id", "scene_rejected"]).to_pylist()
    return {row["scene_id"] for row in rows if row["scene_rejected"] and row["unit"] in units}
