"""Builds in which models look at tiles: what they see is told, nothing is looked at twice, a worker's death loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsflow.cli import main
from rsflow.config.settings import BuildConfig
from rsflow.errors import BudgetError
from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import open_lake
from rsflow.phases.build import BuildResult, plan_build, run, sample
from rsflow.planning.estimates.estimate import estimate_build
from rsflow.planning.recipe import load
from tests.archive import shards_of

checkpoints = pytest.importorskip("tests.checkpoints", reason="needs torch and transformers: pip install 'rsflow[vlm]'")


@pytest.fixture
def modelled(archive: Path) -> Path:
    """The archive, with a detector that sees one ship in the middle of every land tile, and an embedder."""
    checkpoints.constant_detr(archive / "detr", (0.5, 0.5, 0.25, 0.5), 0.9)
    checkpoints.dinov2(archive / "dino")
    settings = yaml.safe_load((archive / "build.yaml").read_text())
    detector = {
        "name": "detector",
        "model": str(archive / "detr"),
        "quality": 0.9,
        "device": "cpu",
        "workers": [1, 2],
        "cpus": 0.5,
        "gpus": 1.0,
    }
    embedder = {"name": "embedder", "model": str(archive / "dino"), "device": "cpu", "cpus": 0.5, "gpus": 1.0}
    settings["tiles"]["size_px"] = 80  # half a scene: no tile overlaps another
    settings["sources"][0]["labellers"] += [detector, embedder]
    (archive / "build.yaml").write_text(yaml.safe_dump(settings))
    return archive


def build_of(folder: Path, **changes: Any) -> BuildConfig:
    """The configuration with settings of its detector changed."""
    settings = yaml.safe_load((folder / "build.yaml").read_text())
    detector = next(one for one in settings["sources"][0]["labellers"] if one["name"] == "detector")
    detector.update(changes)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(settings))
    return load(str(path))


def seen(outcome: BuildResult) -> list[dict[str, Any]]:
    rows = outcome.now.labels().to_pylist()
    return [row for row in rows if row["origin_name"] == "detector"]


def test_what_a_model_sees_is_told_and_nothing_is_looked_at_twice(modelled: Path) -> None:
    first = run(build_of(modelled))
    tiles = {tile["tile_id"] for tile in first.now.tiles(["tile_id", "source"]).to_pylist() if tile["source"] == "land"}
    assert {row["tile_id"] for row in seen(first)} == tiles
    assert all(row["box"] == [30.0, 20.0, 50.0, 60.0] and row["category"] == "ship" for row in seen(first))
    told = [
        row for row in first.now.instructions().to_pylist() if "ship" in json.dumps(row["turns"]) and row["tile_id"] in tiles
    ]
    tasks = {row["task"] for row in told}
    assert "region_captioning" in tasks
    assert not tasks & {"grounding", "detection"}  # a model that may overlook ships says of none that it is the only one
    labels = set(first.now.labels(["label_id"])["label_id"].to_pylist())
    assert all(set(row["label_ids"]) <= labels for row in first.now.instructions().to_pylist())
    vectors = first.now.embeddings("embedder")
    assert set(vectors["tile_id"].to_pylist()) == tiles
    assert all(balance.is_balanced for balance in first.balances)
    assert {used.name for used in first.used} == {"detector detr", "embedder dino"}
    assert all(used.workers == used.amounts["workers"] == 1 and used.amounts["load_seconds"] > 0 for used in first.used)
    assert all(0 < used.first_seconds == used.ramp_seconds <= used.seconds for used in first.used)
    before = first.lake.read("runs").num_rows
    again = run(build_of(modelled))
    assert again.lake.read("runs").num_rows == before
    assert again.used == []


def test_a_changed_setting_is_looked_at_again_and_nothing_is_cut_again(modelled: Path) -> None:
    first = run(build_of(modelled))
    second = run(build_of(modelled, threshold=0.95))
    assert seen(second) == []
    assert [used.name for used in second.used] == ["detector detr", "embedder dino"]
    assert first.now.label.equals(second.now.label)
    back = run(build_of(modelled))
    assert back.used == []
    assert seen(back) == seen(first)


def test_a_moved_checkpoint_and_other_batches_change_nothing(modelled: Path) -> None:
    first = run(build_of(modelled))
    (modelled / "elsewhere").mkdir()
    (modelled / "detr").rename(modelled / "elsewhere/detr")
    assert run(build_of(modelled, model=str(modelled / "elsewhere/detr"), batch_rows=3, workers=1)).used == []
    other = run(load(str(modelled / "changed.yaml"), [f"root={modelled}/other"]))
    assert [row["box"] for row in seen(other)] == [row["box"] for row in seen(first)]


def test_a_damaged_tile_file_is_made_again(modelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(build_of(modelled), ("label",))
    file = next((modelled / "lake/tiles").glob("*o0/*.parquet"))
    file.write_bytes(b"no parquet")
    build_of(modelled, threshold=0.1)
    assert main(["label", str(modelled / "changed.yaml")]) == 0
    assert f"rsflow: warning: {file}: is damaged" in capsys.readouterr().err


# Kills the first actor that descends from the process that it is told.
KILLER = """
import os, pathlib, signal, sys, time
end = time.monotonic() + 200

def descends(process):
    while process > 1 and process != int(sys.argv[1]):
        process = int(pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process > 1

while time.monotonic() < end:
    for process in pathlib.Path("/proc").iterdir():
        try:
            name = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
            ours = name.startswith(b"ray::") and b"_Opened" in name and descends(int(process.name))
        except OSError:
            continue
        if ours:
            os.kill(int(process.name), signal.SIGKILL)
            sys.exit(0)
    time.sleep(0.02)
sys.exit(1)
"""


@pytest.mark.ray
def test_ray_sees_the_same_and_a_killed_actor_loses_nothing(modelled: Path, ray_session: None) -> None:
    """The cluster has one GPU (which nobody looks for): the second model runs only if the first gave it back."""
    inline = run(build_of(modelled))
    root = modelled / "rayed"
    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(os.getpid())])
    outcome = run(load(str(modelled / "changed.yaml"), [f"root={root}", "engine.kind=ray"]))
    assert killer.wait(timeout=240) == 0
    assert [(row["label_id"], row["box"]) for row in seen(outcome)] == [(row["label_id"], row["box"]) for row in seen(inline)]
    assert shards_of(root) == shards_of(modelled / "lake")


def test_a_spent_budget_stops_and_the_next_run_goes_on(modelled: Path) -> None:
    settings = yaml.safe_load((modelled / "build.yaml").read_text())
    settings["budget"] = {"gpu_hours": 1e-9}
    (modelled / "changed.yaml").write_text(yaml.safe_dump(settings))
    built = load(str(modelled / "changed.yaml"))
    with pytest.raises(BudgetError, match=r"budget\.gpu_hours=1e-09 is spent"):
        run(built)
    done = open_lake(built.root).read("runs").num_rows
    for _ in range(50):
        try:
            last = run(built)
            break
        except BudgetError:
            now = open_lake(built.root).read("runs").num_rows
            assert now > done
            done = now
    run(load(str(modelled / "build.yaml"), [f"root={modelled}/whole"]))
    assert shards_of(Path(built.root)) == shards_of(modelled / "whole")
    assert last.sharded is not None


def test_a_sample_tells_what_the_rest_will_take(modelled: Path) -> None:
    built = build_of(modelled)
    before = {model.name: model for model in estimate_build(built, plan_build(built, None)).models}
    assert before["detector detr"].measured == 0
    assert before["detector detr"].expected == {}
    sample(built, 1)
    lake = open_lake(built.root)
    after = {model.name: model for model in estimate_build(built, plan_build(built, lake)).models}["detector detr"]
    assert 0 < after.tiles < before["detector detr"].tiles
    assert after.measured + after.tiles == before["detector detr"].tiles
    assert after.expected["rows"] == pytest.approx(after.tiles)
    assert not {"workers", "load_seconds"} & set(after.expected)  # which do not grow with the tiles
    marks = lake.read("runs").num_rows
    run(built)
    assert lake.read("runs").num_rows > marks
    assert read_receipt_rows(lake, "labels", lake.read("runs")["receipt"], ["label_id"]).num_rows


def test_a_model_builds_on_what_the_one_before_it_saw(modelled: Path) -> None:
    checkpoints.sam(modelled / "sam")
    settings = yaml.safe_load((modelled / "build.yaml").read_text())
    outliner = {"name": "outliner", "model": str(modelled / "sam"), "quality": 0.9, "device": "cpu", "threshold": 0.0}
    settings["sources"][0]["labellers"].append(outliner)
    (modelled / "changed.yaml").write_text(yaml.safe_dump(settings))
    ships = seen(run(load(str(modelled / "changed.yaml"))))
    assert len(ships) == 8
    assert all(len(row["polygon"]) >= 6 for row in ships)
