"""The laws of a build: nothing twice, only what is missing, the same bytes however it came about."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsflow.errors import ConfigError, RejectLimitError
from rsflow.phases.build import BuildResult, run
from rsflow.shards.verify import verify_snapshot
from tests.archive import config_of, optical, shards_of, write_scene


def build(archive: Path, *overrides: str, retry_rejects: bool = False) -> BuildResult:
    return run(config_of(archive, *overrides), retry_rejects=retry_rejects)


def test_a_build_ends_with_a_snapshot_that_verifies_and_balances(archive: Path) -> None:
    outcome = build(archive)
    assert outcome.sharded is not None
    assert outcome.planned.scenes["new"] == 4
    assert [balance.line() for balance in outcome.balances if not balance.is_balanced] == []
    assert verify_snapshot(str(archive / "lake")).differences == ()
    tasks = {task for split in outcome.sharded.manifest.splits.values() for task in split.counts}
    assert {"captioning", "vqa", "detection", "grounding", "region_captioning", "description"} <= tasks


def test_a_second_build_does_nothing(archive: Path) -> None:
    build(archive)
    before = {path: path.stat().st_mtime_ns for path in (archive / "lake").rglob("*") if path.is_file()}
    again = build(archive)
    assert (again.planned.units, again.planned.instruct_units) == (0, 0)
    assert again.sharded is not None
    assert again.sharded.written == 0
    after = {path: path.stat().st_mtime_ns for path in (archive / "lake").rglob("*") if path.is_file()}
    changed = {path.name for path in after if before.get(path) != after[path]}
    assert changed <= {"config.json"}


def test_touched_files_are_not_done_again(archive: Path) -> None:
    build(archive)
    for scene in (archive / "optical").iterdir():
        os.utime(scene, (1, 1))
    assert build(archive).planned.units == 0


def test_one_more_scene_labels_just_that_scene(archive: Path) -> None:
    first = build(archive)
    write_scene(archive / "optical/o9.tif", optical(9), 700_000.0)
    second = build(archive)
    assert second.planned.scenes["new"] == 1
    assert second.planned.units == 1
    assert second.now.label.num_rows == first.now.label.num_rows + 1


def test_changed_content_under_the_same_name_is_labelled_again(archive: Path) -> None:
    build(archive)
    write_scene(archive / "optical/o1.tif", optical(99), 540_000.0)
    again = build(archive)
    assert again.planned.scenes["changed"] == 1
    fresh = archive.parent / "fresh"
    build(archive, f"root={fresh}")
    assert shards_of(archive / "lake").items() >= shards_of(fresh).items()


def test_a_changed_recipe_relabels_what_depends_on_it(archive: Path) -> None:
    build(archive)
    labeller = build(archive, "sources.1.labellers=[{name: cfar}, {name: scene}]").planned
    assert (labeller.scenes["to_label"], labeller.units) == (2, 2)
    build(archive)
    quotas = build(archive, "select.quotas={vqa: 5}").planned
    assert quotas.units == 0


def test_changed_instructions_read_no_pixel(archive: Path) -> None:
    build(archive)
    planned = build(archive, "instructions.per_task=1").planned
    assert planned.units == 0
    assert planned.instruct_units == 4


def test_quotas_hold(archive: Path) -> None:
    outcome = build(archive, "select.quotas={vqa/sar: 3, captioning: 0}")
    assert outcome.sharded is not None
    counts = [split.counts for split in outcome.sharded.manifest.splits.values()]
    assert sum(count.get("vqa", {}).get("sar", 0) for count in counts) == 3
    assert all("captioning" not in count for count in counts)


def test_an_exact_copy_is_dropped_and_says_why(archive: Path) -> None:
    (archive / "optical/copy.tif").write_bytes((archive / "optical/o0.tif").read_bytes())
    outcome = build(archive, "select.splits={train: 1}")  # so that no other rule takes the one that stays
    rows = outcome.lake.read("selection").to_pylist()
    dropped = [row for row in rows if row["kind"] == "tile" and row["reason"] == "duplicate_exact"]
    assert dropped
    kept = {row["tile_id"] for row in rows if row["selected"] and row["kind"] == "tile"}
    assert all(row["canonical"] in kept and row["tile_id"] not in kept for row in dropped)


def test_a_broken_scene_is_a_reject_and_the_run_goes_on(archive: Path) -> None:
    whole = (archive / "optical/o1.tif").read_bytes()
    (archive / "optical/o1.tif").write_bytes(whole[: len(whole) // 2])
    outcome = build(archive, "max_reject_share=0.5")
    (reject,) = [row for row in outcome.now.rejects().to_pylist() if row["kind"] == "scene"]
    assert (reject["scene_id"], reject["reason"]) == ("land.o1", "unreadable")
    assert "o1.tif" in reject["detail"]
    assert [balance.line() for balance in outcome.balances if not balance.is_balanced] == []
    # Rejected scenes are not tried at every run, only when asked, or when their content changes.
    assert build(archive, "max_reject_share=0.5").planned.units == 0
    (archive / "optical/o1.tif").write_bytes(whole)
    repaired = build(archive)
    assert repaired.planned.scenes["changed"] == 1
    assert repaired.now.rejected_scenes == set()


def test_retry_rejects_tries_exactly_the_rejected(archive: Path) -> None:
    scene = archive / "optical/o1.tif"
    good, stat = scene.read_bytes(), scene.stat()
    scene.write_bytes(b"x" * len(good))
    os.utime(scene, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    build(archive, "max_reject_share=0.5")
    # A repair that neither size nor time betrays: only trying again can find it.
    scene.write_bytes(good)
    os.utime(scene, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert build(archive, "max_reject_share=0.5").planned.units == 0
    again = build(archive, retry_rejects=True)
    assert again.planned.units == 1
    assert again.now.rejected_scenes == set()
    build(archive, f"root={archive / 'fresh'}")
    assert shards_of(archive / "lake").items() >= shards_of(archive / "fresh").items()


def test_too_many_rejects_fail_the_run_with_the_reasons(archive: Path) -> None:
    for scene in (archive / "optical").iterdir():
        scene.write_bytes(b"not a picture")
    with pytest.raises(RejectLimitError, match=r"(?s)2 of 4 scenes.*unreadable"):
        build(archive)


def test_a_scene_deleted_between_plan_and_read_is_a_reject(archive: Path) -> None:
    from rsflow.lake.tables import create_lake
    from rsflow.phases.build import plan_build
    from rsflow.phases.label.label import label
    from rsflow.planning.live_rows import read_live_rows

    built = config_of(archive, "max_reject_share=0.5")
    lake = create_lake(built.root)
    plan = plan_build(built, lake)
    (archive / "optical/o0.tif").unlink()
    label(built, lake, plan)
    rejects = read_live_rows(lake, plan).rejects().to_pylist()
    assert [(row["scene_id"], row["reason"]) for row in rejects if row["kind"] == "scene"] == [("land.o0", "missing_file")]


def test_annotations_that_fit_no_scene_are_a_users_mistake(archive: Path) -> None:
    coco = json.loads((archive / "sar.json").read_text())
    for image in coco["images"]:
        image["file_name"] = "other_" + image["file_name"]
    (archive / "sar.json").write_text(json.dumps(coco))
    with pytest.raises(ConfigError, match="none of the 2 pictures"):
        build(archive)


def test_a_picture_without_scene_and_a_box_outside_are_counted(archive: Path) -> None:
    coco = json.loads((archive / "sar.json").read_text())
    coco["images"].append({"id": 7, "file_name": "gone.tif", "height": 10, "width": 10})
    coco["annotations"].append({"id": 70, "image_id": 0, "category_id": 1, "bbox": [900, 900, 5, 5]})
    (archive / "sar.json").write_text(json.dumps(coco))
    reasons = sorted(row["reason"] for row in build(archive).now.rejects().to_pylist() if row["kind"] == "annotation")
    assert reasons == ["box_outside", "missing_picture"]


@pytest.mark.ray
@pytest.mark.slow
def test_ray_gives_the_same_bytes_as_inline(archive: Path, ray_session: None) -> None:
    asked = {1: [], 2: ["render.raw_bands=true", "shard.companions=[optical, sar]"]}
    for workers, more in asked.items():
        inline, root = archive / f"inline{workers}", archive / f"ray{workers}"
        build(archive, f"root={inline}", *more)
        build(archive, "engine.kind=ray", f"engine.workers={workers}", f"root={root}", *more)
        assert shards_of(root) == shards_of(inline)


def test_order_of_work_does_not_matter(archive: Path) -> None:
    """Blocks of another size stand for another number of workers: other files in the lake, the same shards."""
    build(archive)
    build(archive, f"root={archive / 'small'}", "tiles.unit_mb=0.02")
    assert shards_of(archive / "small") == shards_of(archive / "lake")


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(archive: Path) -> None:
    build(archive, f"root={archive / 'whole'}")
    random.seed(3)
    command = [sys.executable, "-m", "rsflow.cli", "build", str(archive / "build.yaml"), "engine.commit_seconds=0.01"]
    for attempt in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5 + random.random() * 2.5)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        if attempt == 2:
            subprocess.run(command, check=True, timeout=120, capture_output=True)
    expected = shards_of(archive / "whole")
    found = shards_of(archive / "lake")
    assert {name: found.get(name) for name in expected} == expected
    assert verify_snapshot(str(archive / "lake")).differences == ()
    shutil.rmtree(archive / "lake")
