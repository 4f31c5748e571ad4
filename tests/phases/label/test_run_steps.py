"""Units of several scenes, of which one stays undone: what others have in common is done without it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from PIL import Image

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.engine.budget import UsageMeter
from rsflow.errors import UnavailableError
from rsflow.lake.receipts import receipt_table, unit_mark
from rsflow.phases.build import BuildResult, run
from rsflow.phases.label.run_steps import StepRunner
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import INSTRUCT_WORK
from rsflow.stage import BatchFunction, Resources


@dataclass(frozen=True)
class JoinScenes:
    """Work on units of two scenes; the store gives nothing of one scene."""

    unavailable: str
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        def join(table: pa.Table) -> Iterator[pa.Table]:
            for row in table.to_pylist():
                if self.unavailable in row["unit"]:
                    raise UnavailableError(f"{self.unavailable}: the store does not answer")
                yield receipt_table(unit_mark(row, "join", len(row["tiles"])))

        return join


def _step(unavailable: str) -> Step:
    """Each scene with the next that there is."""

    def units(ids: UnitIds) -> Iterator[StepUnit]:
        for one, other in itertools.pairwise(sorted(ids.by_scene)):
            yield StepUnit(f"{one} {other}", (*ids.by_scene[one], *ids.by_scene[other]), (JoinScenes(unavailable),))

    def rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
        return inputs.gather(INSTRUCT_WORK, units)

    return Step("join", ("rejects",), units, rows)


def _labelled_scenes(tmp_path: Path) -> tuple[BuildConfig, BuildResult]:
    """Scenes s.a to s.f, after the label phase."""
    (tmp_path / "scenes").mkdir()
    for number, name in enumerate("abcdef"):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / "scenes" / f"{name}.png")
    files = {"files": str(tmp_path / "scenes/*.png")}
    source = {"name": "s", "sensor": "optical", "licence": "CC0-1.0", "scenes": files, "labellers": [{"name": "scene"}]}
    built = check(BuildConfig, {"root": str(tmp_path / "lake"), "sources": [source], "engine": {"kind": "inline"}}, "build")
    return built, run(built, ["label"])


def test_what_scenes_have_in_common_is_done_without_one_that_stays_undone(tmp_path: Path) -> None:
    built, result = _labelled_scenes(tmp_path)
    runner = StepRunner(built, result.lake, "run", UsageMeter(built.budget), result.now.all_marks)
    runner.run_step(_step("s.c"), result.plan)
    # With b and with d it could not be done, and b and d have more in common with others.
    assert runner.undone.keys() == {"s.b", "s.c", "s.d"}
    done = {row["unit"] for row in runner.marked.to_pylist() if row["step"] == "join"}
    assert done == {"s.a s.b", "s.a s.e", "s.d s.e", "s.e s.f"}


def test_a_failed_unit_is_tried_again_once_also_where_a_scene_stays_undone(tmp_path: Path) -> None:
    built, result = _labelled_scenes(tmp_path)
    failed = unit_mark({"unit": "s.e s.f", "scene_id": "s.e", "source": "s"}, "join", 1, scene_rejected=True)
    marks = pa.concat_tables([result.now.all_marks, pa.Table.from_pylist([failed], schema=result.now.all_marks.schema)])
    plan = replace(result.plan, retry_rejects=True, marks=marks)
    runner = StepRunner(built, result.lake, "run", UsageMeter(built.budget), marks)
    runner.run_step(_step("s.c"), plan)
    rows = [row for row in result.lake.read("runs").to_pylist() if row["step"] == "join"]
    assert sorted(row["unit"] for row in rows) == ["s.a s.b", "s.a s.e", "s.d s.e", "s.e s.f"]
    assert not any(row["scene_rejected"] for row in runner.marked.to_pylist())


def test_scenes_that_are_all_undone_end_the_step(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype("uint8")).save(tmp_path / "a/a.png")
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype("uint8")).save(tmp_path / "a/b.png")
    source = {"name": "s", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": str(tmp_path / "a/*.png")}}
    built = check(BuildConfig, {"root": str(tmp_path / "lake"), "sources": [source], "engine": {"kind": "inline"}}, "build")
    result = run(built, ["label"])
    runner = StepRunner(built, result.lake, "run", UsageMeter(built.budget), result.now.all_marks)
    runner.run_step(_step("s."), result.plan)
    assert runner.undone.keys() == {"s.a", "s.b"}
