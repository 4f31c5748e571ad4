"""What a build would do, in numbers: the work that is missing, and what models will take for it.

One idea: what a model takes for a tile is known once it has done some, for every mark says what its unit used. So a prediction
is the mean of what was measured, times what is missing; where nothing was measured yet it says so instead of guessing, and a
small sample (`rsflow plan CONFIG --sample N`) is real work that is kept.

Whether splits can be met follows from where the scenes lie: tiles of one ground cell, or of one scene of unknown ground, go to
one split together, so there must be at least as many such groups as splits, and a split of share s needs about 1/s of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.engine.budget import LOADING, WORKERS, total_usage
from rsflow.lake.tables import Lake
from rsflow.planning.estimates.source_outlook import SourceOutlook, describe_sources, find_warnings
from rsflow.planning.plan import Plan
from rsflow.planning.sources.zoom_scales import stored_scene_id
from rsflow.planning.step import StepUnit
from rsflow.planning.steps import STEPS, missing_units
from rsflow.planning.unit_ids import UnitIds
from rsflow.spatial.geometry import ground_cells
from rsflow.stage import ModelStage

_POINTS = 24  # along each side of a scene: cells narrower than a twenty-fourth of it are counted too few

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
    layers: tuple[str, ...] = ()  # what each layer on the ground holds, in words
    sources: tuple[SourceOutlook, ...] = ()
    warnings: tuple[str, ...] = ()


def estimate_build(built: BuildConfig, plan: Plan, lake: Lake | None = None) -> BuildEstimate:
    """What a build would do, and what it would see of its sources. `lake`: for how many samples to expect."""
    if plan.chosen is not None and not plan.chosen.digest:
        plan = replace(plan, chosen=None)  # nothing is chosen yet: at most all tiles
    rejected, done, ids = _rejected_scenes(plan), plan.done, UnitIds(plan, plan.marks)
    label, *later = ((step, missing_units(step, ids, done)) for step in STEPS)
    good = [(step, [unit for unit in units if unit.scene_id not in rejected]) for step, units in later]
    units = [unit for each in label[1] for unit in each.label_units]
    sources = describe_sources(built, plan, lake)
    return BuildEstimate(
        _states(plan, {unit.scene_id for unit in units}, rejected),
        len(units),
        sum(len(unit.windows) for unit in units),
        sum(unit.bytes for unit in units),
        sum(len(missing) for step, missing in good if step.name == "instruct"),
        tuple(_models(plan, [unit for step, missing in good if step.runs_model for unit in missing])),
        tuple(plan.ground.notes),
        sources,
        (*find_warnings(built, sources, plan.undone), *_find_split_warnings(built, plan)),
    )


_STATES = ("new", "changed", "to_label", "done", "rejected")


def _states(plan: Plan, pending: set[str], rejected: set[str]) -> dict[str, int]:
    prints = dict(zip(plan.scenes["scene_id"].to_pylist(), plan.scenes["fingerprint"].to_pylist(), strict=True))

    def state(scene_id: str) -> str:
        if scene_id not in pending:
            return "rejected" if scene_id in rejected else "done"
        if scene_id not in plan.before:
            return "new"
        return "changed" if plan.before[scene_id] != prints[scene_id] else "to_label"

    # The scales of a large scene are one scene, whose state is that of the scale with most to do.
    states: dict[str, str] = {}
    for scene_id in prints:
        name = stored_scene_id(scene_id)
        states[name] = min(state(scene_id), states.get(name, "rejected"), key=_STATES.index)
    counts = Counter(states.values())
    counts["gone"] = len({*map(stored_scene_id, plan.before)} - {*states})
    return {name: counts[name] for name in ("new", "changed", "to_label", "done", "rejected", "gone")}


def _models(plan: Plan, missing: list[StepUnit]) -> list[ModelWork]:
    by_name: dict[str, list[StepUnit]] = {model.name: [] for model in plan.models}
    for each in missing:
        by_name[cast(ModelStage, each.stages[0]).name].append(each)
    return [_expect(plan.marks, name, units) for name, units in by_name.items()]


def _expect(marked: pa.Table, name: str, todo: list[StepUnit]) -> ModelWork:
    tiles = sum(unit.tiles for unit in todo)
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


def _find_split_warnings(built: BuildConfig, plan: Plan) -> Iterator[str]:
    """One line where there are fewer groups of tiles than splits, or too few for the smallest share."""
    shares = {name: share for name, share in built.select.splits.items() if share > 0}
    own = {picture.split for joined in plan.annotated.values() for picture in joined.pictures.values()} - {None}
    if len(shares) < 2 or own & built.select.source_splits.keys():
        return
    name, least = min(shares.items(), key=lambda item: (item[1], item[0]))
    scenes = plan.scenes.filter(pc.is_null(plan.scenes["probe_reason"]))
    footprints = [footprint for footprint in scenes["footprint"].to_pylist() if footprint]
    cells: set[tuple[int, ...]] = set()
    for footprint in footprints:
        groups = len(cells) + scenes.num_rows - len(footprints)
        if groups >= len(shares) and least * groups >= 0.5:
            return  # a large archive has enough groups in its first scenes
        cells |= _cells(footprint, built.tiles.cell_km)
    groups = len(cells) + scenes.num_rows - len(footprints)
    where = f"about {groups:,} groups that stay together (ground cells of {built.tiles.cell_km:g} km, scenes without a place)"
    advice = "set tiles.cell_km smaller, or ask for fewer splits" if cells else "add scenes, or ask for fewer splits"
    if groups < len(shares):
        yield f"splits {', '.join(shares)} cannot be met: tiles form {where}; {advice}"
    elif least * groups < 0.5:
        yield f"split {name} is to have {least:.1%}, but tiles form {where}: it may stay empty or be too large; {advice}"


def _cells(footprint: Sequence[float], cell_km: float) -> set[tuple[int, ...]]:
    """The cells of points over a footprint (a flat ring of lon, lat), taken for the quadrangle of its four corners."""
    ring = np.asarray(footprint, dtype=float).reshape(-1, 2)
    corners = ring[[0, len(ring) // 4, len(ring) // 2, 3 * len(ring) // 4]]
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    down, across = (each[..., np.newaxis] for each in np.meshgrid(steps, steps, indexing="ij"))
    top, bottom = corners[0] * (1 - across) + corners[1] * across, corners[3] * (1 - across) + corners[2] * across
    points = (top * (1 - down) + bottom * down).reshape(-1, 2)
    return set(map(tuple, ground_cells(points[:, 0], points[:, 1], cell_km).tolist()))
