"""A build: label, then select, then shard, each from what is in the lake, and the result of all of them.

One idea: a phase is a function of the configuration and the lake, so a build is three calls in a row, and running one of them
alone is the same call.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from rsflow.config.config_paths import relative_paths
from rsflow.config.settings import BuildConfig, resolved
from rsflow.config.validation import check
from rsflow.engine.budget import UsageMeter, Used
from rsflow.engine.cluster.leftover_processes import end_leftovers
from rsflow.engine.execute import session
from rsflow.engine.progress import progress
from rsflow.errors import DamagedFileError, LakeError, RsflowError
from rsflow.files import storage
from rsflow.lake.delta.compaction import compact_written_tables
from rsflow.lake.delta.read_cache import read_once
from rsflow.lake.receipts import completed_units, read_receipt_rows, withdraw_damaged_units
from rsflow.lake.relocations import Move
from rsflow.lake.tables import Lake, create_lake, open_lake
from rsflow.phases.empty_sources import find_empty_sources
from rsflow.phases.generate.choose_tiles import choice_digest, choose_tiles
from rsflow.phases.generate.generate import generate
from rsflow.phases.label.label import label
from rsflow.phases.row_balance import Balance, present_balance, select_balance, shard_balance, step_balances
from rsflow.phases.select.select import SelectionSummary, last_selection, require_current_selection, select
from rsflow.phases.shard.shard import Sharded, config_fingerprint, shard, snapshot_of
from rsflow.planning.estimates.estimate import BuildEstimate, estimate_build
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.planning.plan import Plan, make_plan
from rsflow.planning.sources.zoom_scales import stored_scene_id
from rsflow.planning.steps import STEPS
from rsflow.planning.steps.generate import STEP as GENERATE
from rsflow.shards.manifest import find_latest, read_snapshot
from rsflow.stage import fingerprint

Phase = Literal["label", "generate", "select", "shard"]
PHASES: tuple[Phase, ...] = ("label", "generate", "select", "shard")
CONFIG = "config.json"  # of the last build, or of a phase that was run alone since: what `status` plans with


@dataclass(frozen=True)
class BuildResult:
    """What a run did, and the state of the lake after it."""

    lake: Lake
    plan: Plan
    planned: BuildEstimate  # before the run
    now: LiveRows
    selected: SelectionSummary | None
    sharded: Sharded | None
    balances: list[Balance]
    seconds: dict[str, float]
    used: list[Used]  # by models
    empty_sources: dict[str, str]  # by name, why it contributes nothing


def run(built: BuildConfig, phases: Collection[Phase] = PHASES, retry_rejects: bool = False) -> BuildResult:
    """Run phases in their order. LakeError where one needs what is not there."""
    end_leftovers()
    again: set[str] = set()
    with session():
        while True:
            try:
                with read_once():
                    return _run(built, phases, retry_rejects)
            except DamagedFileError as error:
                if "label" not in phases or error.place in again:
                    raise
                again.add(error.place)
                print(f"rsflow: warning: {error}; its unit is labelled again", file=sys.stderr)
                withdraw_damaged_units(open_lake(built.root), error.place)


def _run(built: BuildConfig, phases: Collection[Phase], retry_rejects: bool) -> BuildResult:
    lake = _prepare_lake(built) if "label" in phases else open_lake(built.root, writable=True)
    if "label" in phases:
        withdraw_damaged_units(lake)
    seconds: dict[str, float] = {}
    meter = UsageMeter(built.budget)
    with _timed(seconds, "plan"):
        plan = plan_build(built, lake, retry_rejects, keep="label" in phases)
        planned = estimate_build(built, plan, lake)
    for warning in planned.warnings:
        print(f"rsflow: warning: {warning}", file=sys.stderr)
    if "label" in phases:
        with _timed(seconds, "label"):
            label(built, lake, plan, meter)
    now = read_live_rows(lake, plan, pending=(GENERATE.name,) if built.asks_selected or phases == ("generate",) else ())
    if plan.generator and "generate" in phases:
        with _timed(seconds, "generate"):
            plan = replace(plan, chosen=choose_tiles(built, lake, now) if built.asks_selected else None)
            generate(built, lake, plan, meter)
        now = read_live_rows(lake, plan)
    elif plan.chosen is not None and not {"select", "shard"}.isdisjoint(phases):
        now = _require_generated(built, lake, plan, now)
    selected, sharded = None, None
    if "select" in phases:
        with _timed(seconds, "select"):
            selected = select(built, lake, now)
    if "shard" in phases:
        with _timed(seconds, "shard"):
            chosen = selected or require_current_selection(built, lake, now)
            sharded = shard(built, lake, now, chosen)
    if "label" not in phases:
        _keep_config(built, lake)  # a selection by other settings is what the lake holds from now on
    compact_written_tables(lake)
    found = [_scenes(now), *step_balances(lake, now.all_marks), *select_balance(lake)]
    if sharded:
        found += shard_balance(lake, sharded.manifest, chosen.version)
    empty = dict(find_empty_sources(now, plan.recipes, selected is not None))
    return BuildResult(lake, plan, planned, now, selected, sharded, found, seconds, meter.used, empty)


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Note the wall-clock seconds of a block that ends without an error."""
    start = time.monotonic()
    yield
    seconds[phase] = time.monotonic() - start


def _require_generated(built: BuildConfig, lake: Lake, plan: Plan, now: LiveRows) -> LiveRows:
    """The live rows with what the model wrote. LakeError where it is yet to be asked."""
    if plan.chosen is None or plan.chosen.digest != choice_digest(built, now):
        raise LakeError(f"{lake.root}: no model was asked yet about the present tiles: run `rsflow generate` first")
    return read_live_rows(lake, plan)


def sample(built: BuildConfig, scenes: int) -> None:
    """Do the label phase of a few scenes that models are to label or describe, so that the cost of the rest can be estimated
    from theirs. The scenes are chosen by hash; their work is kept."""
    with session():
        lake = _prepare_lake(built)
        plan = plan_build(built, lake, keep=True)
        modelled = {unit.scene_id for unit in plan.units if plan.generator or unit.source in plan.predictors}
        chosen = sorted(modelled, key=lambda scene_id: fingerprint(built.seed, scene_id))[:scenes]
        units = tuple(unit for unit in plan.units if unit.scene_id in set(chosen))
        label(built, lake, replace(plan, units=units, chosen=None), steps=STEPS)


def plan_build(built: BuildConfig, lake: Lake | None, retry_rejects: bool = False, keep: bool = False) -> Plan:
    """Plan from the sources, with progress where that takes a while. `keep`: see rsflow.planning.plan.make_plan."""
    with progress("plan", "scenes probed", 0, quiet_seconds=2.0) as state:
        return make_plan(built, lake, retry_rejects, state.count_one_of, keep)


def _prepare_lake(built: BuildConfig) -> Lake:
    lake = create_lake(built.root)
    _keep_config(built, lake)
    return lake


def _keep_config(built: BuildConfig, lake: Lake) -> None:
    place, text = lake.place(CONFIG), config_text(built, lake.moves())
    former = storage.read_text_if_exists(place)
    if former != text:
        _warn_of_relative_paths(former)
        storage.write_bytes(place, text.encode())


def config_text(built: BuildConfig, moves: Sequence[Move]) -> str:
    """The file CONFIG: the resolved configuration and its fingerprint. `moves`: of the lake's sources."""
    content = {"fingerprint": config_fingerprint(built, moves), "config": resolved(built)}
    return json.dumps(content, indent=1, sort_keys=True)


def _warn_of_relative_paths(former: str | None) -> None:
    """Say, once for a lake whose last build took relative paths from its working directory, that they start elsewhere now."""
    relative = relative_paths(json.loads(former).get("config", {})) if former else []
    if relative:
        message = f"relative paths such as {relative[0]} started at the working directory when this lake was built"
        print(f"rsflow: warning: {message}; now they start at the folder of the configuration", file=sys.stderr)


def read_config(lake: Lake) -> BuildConfig:
    """The configuration that the lake was last built with."""
    place = lake.place(CONFIG)
    text = storage.read_text(place)
    if storage.MASK in text:
        raise LakeError(f"{place}: addresses are stored without their passwords and signatures: use `rsflow plan CONFIG`")
    try:
        return check(BuildConfig, json.loads(text)["config"], place)
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(f"{place}: cannot read the configuration of the last build: {error}") from error


def _scenes(now: LiveRows) -> Balance:
    rejects = now.rejects()
    reasons = Counter({row["scene_id"]: row["reason"] for row in rejects.to_pylist() if row["kind"] == "scene"}.values())
    names = now.lake.read("scenes", ["scene_id"])["scene_id"].to_pylist()
    scenes, noun = len(names), "scenes"
    if any(stored_scene_id(name) != name for name in names):
        noun = "scenes and coarser scales"
    return Balance("scenes", noun, scenes, {"kept": scenes - len(now.rejected_scenes), **reasons})


@dataclass(frozen=True)
class LakeStatus:
    """What a lake holds: rows per table, the latest snapshot, the equations of what was done, and the sources of the last
    build's configuration that contribute nothing, each with the reason."""

    root: str
    rows: dict[str, int]
    snapshot: str | None
    balances: list[Balance]
    empty_sources: dict[str, str]


def status(root: str) -> tuple[LakeStatus, BuildEstimate | str]:
    """What a lake holds, and what a build with its last configuration would do, or why that is not known.

    Nothing is changed.
    """
    lake = open_lake(root)
    marked = completed_units(lake)
    rows = {
        name: read_receipt_rows(lake, name, marked["receipt"], ["receipt"]).num_rows
        for name in ("tiles", "labels", "instructions")
    }
    latest = find_latest(root)
    snapshot = None if latest is None else f"snapshots/{latest}.json"
    rows = {"scenes": lake.read("scenes", ["scene_id"]).num_rows, **rows}
    found = LakeStatus(root, rows, snapshot, lake_balances(root), {})
    try:
        built = read_config(lake)
        plan = plan_build(built, lake)
    except RsflowError as error:
        return found, f"what a build would do cannot be determined: {error}"
    now = read_live_rows(lake, plan, allow_missing=True)
    empty = find_empty_sources(now, plan.recipes, selected=snapshot is not None)
    return replace(found, empty_sources=dict(empty)), estimate_build(built, plan, lake)


def lake_balances(root: str) -> list[Balance]:
    """The equations over everything that a lake's marks say was done, and of its selection and latest snapshot."""
    lake = open_lake(root)
    marked = completed_units(lake)
    found = [*step_balances(lake, marked), *select_balance(lake), *present_balance(lake, marked)]
    snapshot = snapshot_of(lake, last_selection(lake))
    return found if snapshot is None else [*found, *shard_balance(lake, read_snapshot(root, snapshot))]
