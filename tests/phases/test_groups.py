"""Pairs of two dates from files to training: both pictures in one sample, on one side of every split, whatever becomes of
each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from PIL import Image

import rsflow
from rsflow import dialects
from rsflow.exports import export
from rsflow.inspection.explain import Explained, explain, read_cluster_pictures
from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load
from rsflow.report.pictures.show import SampleFilter, show
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_snapshot

SIZE = 96


def ground(seed: int) -> npt.NDArray[np.uint8]:
    """A picture with some structure, another for each seed."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(40, 200, (12, 12, 3), dtype=np.uint8)
    grown = np.asarray(Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC), dtype=np.int16)
    return np.clip(grown + draw.integers(-12, 12, grown.shape), 0, 255).astype(np.uint8)


def write_pair(root: Path, name: str, before: npt.NDArray[np.uint8], areas: list[tuple[int, int, int, int]]) -> None:
    after, mask = before.copy(), np.zeros((SIZE, SIZE), np.uint8)
    for x0, y0, x1, y1 in areas:
        after[y0:y1, x0:x1], mask[y0:y1, x0:x1] = (220, 40, 40), 255
    for folder, pixels in (("A", before), ("B", after), ("label", mask)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / folder / f"{name}.png")


AREAS = {"one": [(10, 10, 34, 30)], "two": [(5, 60, 25, 80), (60, 8, 84, 28)], "same": [], "still": [], "quiet": []}


@pytest.fixture
def levir(tmp_path: Path) -> Path:
    for seed, (name, areas) in enumerate(AREAS.items()):
        write_pair(tmp_path / "levir", name, ground(seed), areas)
    config = f"""
root: {tmp_path}/lake
sources:
  - name: levir
    sensor: optical
    licence: CC-BY-4.0
    scenes: {{files: [{tmp_path}/levir/A/*.png, {tmp_path}/levir/B/*.png], gsd_m: 0.5}}
    annotations: {{format: change_pairs, files: {tmp_path}/levir/label/*.png}}
select: {{splits: {{train: 1.0}}}}
engine: {{kind: inline}}
"""
    (tmp_path / "build.yaml").write_text(config)
    return tmp_path


def build(folder: Path, *overrides: str) -> BuildResult:
    return run(load(str(folder / "build.yaml"), overrides))


def samples(root: Path) -> Iterator[Sample]:
    for split in read_snapshot(str(root)).splits.values():
        for shard in split.shards:
            yield from ShardReader(str(root), shard)


def shard_bytes(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((root / "shards").rglob("*")) if path.is_file()}


def test_a_pair_is_one_sample_of_both_pictures(levir: Path) -> None:
    outcome = build(levir)
    assert all(balance.is_balanced for balance in outcome.balances)
    assert verify_snapshot(str(levir / "lake")).differences == ()
    found = {sample.record["group"]["place"].partition(".")[2].partition("-")[0]: sample for sample in samples(levir / "lake")}
    assert set(found) >= {"one", "two"}
    for name, sample in found.items():
        record = sample.record
        assert record["group"] | {"place": "", "tile_id": ""} == {"kind": "pair", "place": "", "role": "before", "tile_id": ""}
        ((extension, after),) = sample.further_pictures()
        assert (extension, after["role"], after["number"]) == ("2-after.jpg", "after", 2)
        with Image.open(levir / "levir" / "A" / f"{name}.png") as before, Image.open(_stored(sample.picture)) as stored:
            assert np.abs(np.asarray(before, np.int16) - np.asarray(stored, np.int16)).mean() < 6
        assert {one["task"] for one in record["instructions"]} == {"change"}
        assert after["shift_px"] == pytest.approx([0, 0], abs=0.1)  # measured, of pictures of one grid
        assert after["registration_confidence"] > 0.3


def _stored(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def test_boxes_are_those_of_the_mask_on_the_picture_that_is_told(levir: Path) -> None:
    build(levir, "instructions.per_task=30")
    for sample in samples(levir / "lake"):
        name = sample.record["group"]["place"].partition(".")[2].partition("-")[0]
        expected = sorted([float(value) for value in area] for area in AREAS[name])
        kinds = {one["answer"]["kind"]: one for one in sample.record["instructions"]}
        if not expected:
            assert "boxes" not in kinds
            assert all(one["answer"].get("changed") is False for one in sample.record["instructions"])
            continue
        after, both = kinds["boxes"], kinds["boxes_in_both"]
        assert sorted(after["boxes"]) == expected
        assert after["box_pictures"] == [1] * len(expected)
        assert both["box_pictures"] == [0] * len(expected) + [1] * len(expected)
        assert sorted(both["boxes"][: len(expected)]) == expected
        assert kinds["count"]["answer"]["value"] == len(expected)
        share = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in expected) / SIZE**2
        assert kinds["share"]["answer"]["value"] == pytest.approx(share)


def test_unchanged_pairs_are_no_more_than_changed_ones(levir: Path) -> None:
    outcome = build(levir)
    assert outcome.selected
    assert outcome.selected.groups == {"kept": 4, "unchanged": 1}
    rows = outcome.lake.read("selection", where={"kind": "group"}).to_pylist()
    assert sorted(row["reason"] for row in rows) == ["kept"] * 4 + ["unchanged"]


def test_near_equal_dates_are_a_pair_all_the_same(levir: Path) -> None:
    outcome = build(levir)
    rows = {row["subject"]: row["reason"] for row in outcome.lake.read("selection").to_pylist() if row["kind"] == "tile"}
    assert any(reason.startswith("duplicate") for reason in rows.values())  # the two dates of a pair without change
    kept = [sample.record["group"]["place"] for sample in samples(levir / "lake")]
    assert any(".same" in place or ".still" in place or ".quiet" in place for place in kept)


def test_a_pair_and_its_pictures_are_on_one_side_of_every_split(levir: Path) -> None:
    for seed in range(5, 35):
        write_pair(levir / "levir", f"more{seed}x", ground(seed), [(10, 10, 40, 40)])
    outcome = build(levir, "select.splits={train: 0.5, val: 0.25, test: 0.25}", "instructions.tasks=[]")
    rows = {row["subject"]: row for row in outcome.lake.read("selection").to_pylist() if row["kind"] != "instruction"}
    groups = outcome.now.groups().to_pylist()
    splits = {rows[group["group_id"]]["assigned_split"] for group in groups}
    assert len(splits) > 1
    for group in groups:
        assert {rows[member["tile_id"]]["assigned_split"] for member in group["members"]} == {
            rows[group["group_id"]]["assigned_split"]
        }


def test_the_same_bytes_again_and_only_what_is_new_is_done(levir: Path) -> None:
    build(levir)
    first = shard_bytes(levir / "lake")
    again = build(levir)
    assert (again.planned.units, again.sharded and again.sharded.written) == (0, 0)
    write_pair(levir / "levir", "later", ground(77), [(20, 20, 50, 50)])
    more = build(levir)
    assert more.planned.units == 2  # the two new pictures
    group_marks = more.now.marks["group"]
    assert group_marks.num_rows == len(AREAS) + 1
    fresh = levir / "fresh"
    (levir / "build.yaml").write_text((levir / "build.yaml").read_text().replace(f"{levir}/lake", str(fresh)))
    build(levir)
    assert shard_bytes(fresh).items() <= shard_bytes(levir / "lake").items()
    assert first.keys() <= shard_bytes(levir / "lake").keys()


def test_a_picture_that_was_screened_out_takes_its_pair_with_it(levir: Path) -> None:
    write_pair(levir / "levir", "flat", ground(50), [(10, 10, 60, 60)])
    Image.fromarray(np.full((SIZE, SIZE, 3), 90, np.uint8)).save(levir / "levir/A/flat.png")
    outcome = build(levir, "max_reject_share=1.0")
    assert all(balance.is_balanced for balance in outcome.balances)
    lost = [row for row in outcome.now.rejects().to_pylist() if row["kind"] == "group"]
    assert [(row["reason"], "before" in row["detail"]) for row in lost] == [("missing_partner", True)]


def test_a_stream_gives_both_pictures(levir: Path) -> None:
    build(levir)
    examples = list(rsflow.stream(str(levir / "lake"), dialect="internvl"))
    assert len(examples) == 4
    for one in examples:
        assert list(one["others"]) == ["after"]
        assert one["image"].shape == one["others"]["after"].shape == (3, SIZE, SIZE)
        for each in one["instructions"]:
            assert len(each.get("box_pictures", ())) == len(each["boxes"])


def test_exports_hold_both_pictures_or_count_what_they_leave_out(levir: Path, tmp_path: Path) -> None:
    build(levir)
    root = str(levir / "lake")
    for form, token in (("llava", "<image>\n<image>\n"), ("internvl", "Image-1: <image>\nImage-2: <image>\n")):
        out = tmp_path / form
        export(root, form, str(out))
        text = (out / ("train.json" if form == "llava" else "train.jsonl")).read_text()
        record = json.loads(text)[0] if form == "llava" else json.loads(text.splitlines()[0])
        assert len(record["image"]) == 2
        assert all((out / path).is_file() for path in record["image"])
        assert record["conversations"][0]["value"].startswith(token)
    assert export(root, "lmms-eval", str(tmp_path / "lmms")).notes["group_pictures"] == 4
    questions = pq.read_table(tmp_path / "lmms/data/train_short.parquet").to_pylist()
    assert {len(row["further_images"]) for row in questions} == {1}
    facts = export(root, "mmrs", str(tmp_path / "mmrs"))
    assert facts.notes["groups_left_out"] == 4
    assert json.loads((tmp_path / "mmrs/train.json").read_text()) == []


def test_swift_counts_boxes_on_the_picture_that_they_are_on(levir: Path, tmp_path: Path) -> None:
    build(levir, "instructions.per_task=30")
    export(str(levir / "lake"), "swift", str(tmp_path / "swift"))
    rows = [json.loads(line) for line in (tmp_path / "swift/train.jsonl").read_text().splitlines()]
    shown = [row["objects"]["image_id"] for row in rows if "objects" in row]
    assert [0, 1] in shown  # one area, in both images
    assert all(len(row["images"]) == 2 for row in rows)


def test_a_group_is_shown_and_explained(levir: Path) -> None:
    build(levir)
    root = str(levir / "lake")
    assert show(root, SampleFilter(task="change", count=4), str(levir / "sheet.png")) == 4
    sample = next(samples(levir / "lake"))
    found = explain(root, sample.key)
    assert isinstance(found, Explained)
    assert [member["role"] for member in found.pictures] == ["before", "after"]
    assert [len(picture) > 0 for _, picture in read_cluster_pictures(root, found, 4)] == [True, True]


def test_texts_hold_no_marks_in_any_dialect(levir: Path) -> None:
    build(levir)
    for name in dialects.DIALECTS:
        for example in rsflow.stream(str(levir / "lake"), dialect=name):
            assert not any(
                "[[" in turn["text"] and "|" in turn["text"] for one in example["instructions"] for turn in one["turns"]
            )
