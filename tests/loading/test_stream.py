"""The stream: each sample once for any ranks and workers, one order for all, and refusals before anything is read."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed
import webdataset
from torch.utils.data import DataLoader

import rsflow
from rsflow.errors import ConfigError, SnapshotError
from rsflow.files import storage
from rsflow.loading.dataset import Stream
from rsflow.loading.example import collate_samples
from rsflow.loading.loader import Loader
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.stream import stream
from rsflow.shards.manifest import read_snapshot, write_snapshot
from rsflow.shards.verify import verify_snapshot
from rsflow.shards.writer import write_shard
from tests.loading.conftest import write_split


def keys(dataset: Stream, workers: int = 0, **options: Any) -> list[str]:
    """In the order in which a training loop gets them."""
    loader = DataLoader(dataset, batch_size=8, num_workers=workers, collate_fn=collate_samples, **options)
    return [key for batch in loader for key in batch["key"]]


def test_every_sample_once_with_what_was_written(lake: Any) -> None:
    found = {one["key"]: one for one in rsflow.stream(str(lake.root))}
    assert sorted(found) == sorted(lake.keys())
    for sample in lake.samples["train"]:
        one = found[sample.key]
        assert one["image"].shape == (3, 24, 40)
        assert (one["sensor"], one["split"]) == (sample.record["sensor"], "train")
        assert [i["id"] for i in one["instructions"]] == [i["id"] for i in sample.record["instructions"]]


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("workers", [0, 2])
def test_every_sample_once_over_ranks_and_workers(lake: Any, world_size: int, workers: int) -> None:
    for uneven, each in (("keep", None), ("pad", -(-73 // world_size)), ("drop", 73 // world_size)):
        datasets = [
            stream(lake.root, batch_size=8, decode=False, uneven=uneven, rank=rank, world_size=world_size)
            for rank in range(world_size)
        ]
        hands = [keys(dataset, workers) for dataset in datasets]
        assert [len(positions) for positions in hands] == [len(dataset) for dataset in datasets]
        count = Counter(key for positions in hands for key in positions)
        assert set(count) <= set(lake.keys())
        if each is None:
            assert sorted(count.elements()) == sorted(lake.keys())
        else:
            assert {len(positions) for positions in hands} == {each}
            assert len(count) >= 73 - world_size + 1
            assert count.total() - len(count) < world_size


def test_one_order_for_any_ranks_and_workers(lake: Any) -> None:
    alone = keys(stream(lake.root, batch_size=8, decode=False))
    assert keys(stream(lake.root, batch_size=8, decode=False), workers=2) == alone
    hands = [keys(stream(lake.root, batch_size=8, decode=False, rank=rank, world_size=3), workers=rank) for rank in range(3)]
    whole = len(alone) // 24 * 24  # what is left after the last whole round is shared evenly
    rounds = [key for i in range(0, whole // 3, 8) for positions in hands for key in positions[i : i + 8]]
    assert rounds == alone[:whole]


def test_epochs_and_seeds_differ_and_repeat(lake: Any) -> None:
    dataset = stream(lake.root, decode=False)
    first = [one["key"] for one in dataset]
    dataset.set_epoch(0)
    assert [one["key"] for one in dataset] == first
    second = [one["key"] for one in dataset]
    assert second == [one["key"] for one in stream(lake.root, decode=False, epoch=1)]
    assert sorted(second) == sorted(first)
    assert second != first != lake.keys() != [one["key"] for one in stream(lake.root, decode=False, seed=1)]


def test_unshuffled_is_the_order_of_the_shards(lake: Any) -> None:
    assert [one["key"] for one in stream(lake.root, decode=False, shuffle=False)] == lake.keys()
    assert [one["key"] for one in stream(lake.root, "val", decode=False, shuffle=False)] == lake.keys("val")


def test_persistent_workers_see_the_new_epoch(lake: Any) -> None:
    dataset = stream(lake.root, decode=False)
    loader = DataLoader(dataset, batch_size=8, num_workers=1, collate_fn=collate_samples, persistent_workers=True)
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        assert [key for batch in loader for key in batch["key"]] == keys(stream(lake.root, decode=False, epoch=epoch))


@pytest.mark.slow
def test_spawned_workers(lake: Any) -> None:
    dataset = stream(lake.root, batch_size=8, tasks=["vqa"])
    spawned = keys(dataset, workers=1, multiprocessing_context="spawn")
    dataset.set_epoch(0)
    assert spawned == keys(dataset)


def test_a_pickled_stream_is_the_same(lake: Any) -> None:
    dataset = stream(lake.root, decode=False, epoch=3, rank=1, world_size=2)
    again = pickle.loads(pickle.dumps(dataset))
    assert [one["key"] for one in again] == [one["key"] for one in dataset]


def test_filters_give_exactly_what_fits(lake: Any) -> None:
    for tasks, sensors in ((["vqa"], None), (None, ["sar"]), (["vqa", "captioning"], ["sar", "optical"]), ("vqa", "sar")):
        fits = [
            sample.key
            for sample in lake.samples["train"]
            if (sensors is None or sample.record["sensor"] in sensors)
            and (tasks is None or any(one["task"] in tasks for one in sample.record["instructions"]))
        ]
        datasets = [
            stream(lake.root, tasks=tasks, sensors=sensors, decode=False, uneven="keep", rank=r, world_size=2) for r in (0, 1)
        ]
        found = [one for dataset in datasets for one in dataset]
        assert sorted(one["key"] for one in found) == sorted(fits)
        assert [len(dataset) for dataset in datasets] == [(len(fits) + 1) // 2, len(fits) // 2] or len(fits) % 16 > 0
        assert sum(len(dataset) for dataset in datasets) == len(fits)
        if tasks is not None:
            assert all(one["task"] in tasks for example in found for one in example["instructions"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"split": "test"}, r"split 'test' is not in the snapshot; its splits: train, val"),
        ({"tasks": ["vqa", "vqq"]}, r"task 'vqq' does not occur in this split; its tasks: captioning, detection, vqa"),
        ({"sensors": ["lidar"]}, r"sensor 'lidar' does not occur in this split; its sensors: infrared, optical, sar"),
        ({"dialect": "klingon"}, r"dialect 'klingon' is not known"),
        ({"batch_size": 0}, r"batch_size: found 0, expected at least 1"),
        ({"repeat": 0}, r"repeat: found 0, expected at least 1"),
        ({"max_samples": 0}, r"max_samples: found 0, expected at least 1"),
        ({"shuffle": 33}, r"shuffle: found 33, expected at most 32"),
        ({"epoch": -1}, r"epoch: found -1, expected at least 0"),
        ({"uneven": "even"}, r"uneven: found 'even', expected one of pad, drop, keep"),
        ({"follow": True, "repeat": 2}, r"follow: moves to a root's newest snapshot between epochs"),
        ({"rank": 1}, r"rank 1, world_size None: expected both or neither"),
        ({"rank": 2, "world_size": 2}, r"rank: found 2, expected at most 1"),
        ({"sensors": []}, r"sensors: found \[\], expected names"),
    ],
)
def test_wrong_wishes_are_refused(lake: Any, options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        stream(lake.root, **options)


def test_a_place_without_a_snapshot_is_told(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"snapshots/LATEST: is missing"):
        stream(tmp_path)


def test_a_manifest_path_pins_the_snapshot(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    manifest = read_snapshot(str(root))
    write_snapshot(str(root), replace(manifest, splits={"val": manifest.splits["val"]}))
    assert sorted(one["key"] for one in stream(root / "snapshots/1.json", decode=False)) == sorted(lake.keys())
    with pytest.raises(ConfigError, match="its splits: val"):
        stream(root)


def test_a_damaged_shard_stops_the_stream_by_name(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    shard = root / "shards/train/3.tar"
    shard.write_bytes(shard.read_bytes()[:-512])
    with pytest.raises(SnapshotError, match=r"shards/train/3\.tar: has \d+ bytes, the manifest says"):
        list(stream(root))


def test_rank_and_world_size_of_the_environment(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [one["key"] for one in stream(lake.root, batch_size=8, decode=False, rank=1, world_size=2)]
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert keys(stream(lake.root, batch_size=8, decode=False), workers=2) == given
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(ConfigError, match="environment RANK='2', WORLD_SIZE='2'"):
        len(stream(lake.root))


def test_rank_and_world_size_of_the_process_group(lake: Any, tmp_path: Path) -> None:
    dataset = stream(lake.root, decode=False)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        assert len(dataset) == 73
        settled = pickle.loads(pickle.dumps(dataset))
    finally:
        torch.distributed.destroy_process_group()
    assert settled.settings.ranks == (0, 1)


@pytest.fixture
def stored(lake: Any, bucket: str) -> str:
    """The lake in a bucket."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().put(str(lake.root), f"{bucket}/root", recursive=True)
    return f"s3://{bucket}/root"


def test_an_object_store_gives_the_same(lake: Any, stored: str) -> None:
    local = [one["key"] for one in stream(lake.root, batch_size=8, decode=False)]
    found = list(stream(stored))
    assert [one["key"] for one in found] == local
    assert all(one["image"].shape == (3, 24, 40) for one in found)
    assert keys(stream(f"{stored}/snapshots/1.json", batch_size=8, decode=False), workers=2) == local
    # Two roots, one read ahead in threads: the order of the contents, wherever they are.
    twice = [one["key"] for one in stream([lake.root, lake.root / "snapshots/1.json"], decode=False)]
    assert [one["key"] for one in stream([stored, lake.root], decode=False)] == twice
    assert Counter(twice) == dict.fromkeys(lake.keys(), 2)
    with pytest.raises(SnapshotError, match=r"s3://lake/none/snapshots/LATEST: is missing"):
        stream("s3://lake/none")


def test_an_object_store_takes_shards_and_snapshots(lake: Any, stored: str) -> None:
    shard = lake.root / "shards/train/3.tar"
    samples = lake.samples["train"][20:37]
    write_shard(f"{stored}/again.tar", f"{stored}/again.idx", samples)
    assert storage.read_bytes(f"{stored}/again.tar") == shard.read_bytes()
    manifest = read_snapshot(stored)
    assert write_snapshot(stored, manifest) == 1
    assert write_snapshot(stored, replace(manifest, seed=5)) == 2
    assert read_snapshot(stored).seed == 5
    found = verify_snapshot(stored)
    assert (found.differences, found.samples) == ((), 78)


def test_another_process_has_the_same_order_and_needs_nothing_of_the_building_wing(lake: Any) -> None:
    program = f"""
import sys
for name in ("ray", "rasterio", "deltalake", "pydantic", "pyarrow", "scipy", "shapely", "yaml"):
    sys.modules[name] = None
import rsflow
from rsflow.loading.loader import Loader
loader = Loader(rsflow.stream({str(lake.root)!r}, batch_size=8, seed=3, epoch=2))
print(*(key for batch in loader for key in batch["key"]))
"""
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.split() == [one["key"] for one in stream(lake.root, seed=3, epoch=2)], done.stderr


def test_max_samples_takes_the_first_of_each_epoch(lake: Any) -> None:
    for epoch in (0, 1):
        whole = [one["key"] for one in stream(lake.root, decode=False, epoch=epoch)]
        assert [one["key"] for one in stream(lake.root, decode=False, epoch=epoch, max_samples=20)] == whole[:20]
    assert len(stream(lake.root, max_samples=1000)) == 73


def test_repeat_runs_through_the_epochs_without_a_seam(lake: Any) -> None:
    alone = [one["key"] for epoch in (2, 3, 4) for one in stream(lake.root, decode=False, epoch=epoch)]
    assert [one["key"] for one in stream(lake.root, decode=False, epoch=2, repeat=3)] == alone
    hands = [
        [one["key"] for one in stream(lake.root, batch_size=4, decode=False, epoch=2, repeat=3, rank=r, world_size=2)]
        for r in (0, 1)
    ]
    rounds = [key for i in range(0, 108, 4) for positions in hands for key in positions[i : i + 4]]
    assert rounds[:216] == alone[:216]
    endless = stream(lake.root, decode=False, epoch=2, repeat=None)
    assert [one["key"] for one in islice(endless, 200)] == alone[:200]
    with pytest.raises(TypeError, match="without end"):
        len(endless)


def test_plain_webdataset_reads_the_same_samples(lake: Any) -> None:
    paths = [str(lake.root / shard.path) for shard in read_snapshot(str(lake.root)).splits["train"].shards]
    plain = {one["__key__"]: one for one in webdataset.WebDataset(paths, shardshuffle=False)}
    found = {one["key"]: one["image"] for one in stream(lake.root, decode=False)}
    assert found == {key: one.get("jpg") or one["png"] for key, one in plain.items()}


def test_counts_tell_what_was_read_here_and_by_workers(lake: Any) -> None:
    for workers in (0, 2):
        dataset = stream(lake.root, batch_size=8, tasks=["vqa", "detection"])
        found = [one for batch in DataLoader(dataset, 8, num_workers=workers, collate_fn=list) for one in batch]
        told = dataset.stats()
        assert told["samples"] == len(found)
        assert told["by_task"] == Counter(i["task"] for one in found for i in one["instructions"])
        assert told["bytes"] > 0
        assert told["skipped"] == 0


def test_a_loader_tells_how_long_the_loop_waited(lake: Any) -> None:
    loader = Loader(stream(lake.root, batch_size=8, decode=False))
    assert loader.stats()["seconds"] == 0
    for _ in loader:
        time.sleep(0.02)
    told = loader.stats()
    assert told["samples"] == 73
    assert told["seconds"] >= 10 * 0.02
    assert 0 < told["wait_share"] < 1 - 10 * 0.02 / told["seconds"] + 0.01
    assert told["samples_per_s"] == pytest.approx(73 / told["seconds"])


def test_a_damaged_shard_is_skipped_by_choice_and_counts_stay_equal(lake: Any, tmp_path: Path) -> None:
    """Each sample of the cut shard is replaced by the next good one of the order, whoever reads it."""
    root = shutil.copytree(lake.root, tmp_path / "lake")
    shard = root / "shards/train/3.tar"
    shard.write_bytes(shard.read_bytes()[:-512])
    lost = {sample.key for sample in lake.samples["train"][20:37]}
    order = [one["key"] for one in stream(lake.root, decode=False)]
    expected = [next(key for key in order[i:] + order if key not in lost) for i in range(73)]
    dataset = stream(root, decode=False, read_options=ReadOptions(on_damage="skip"))
    assert [one["key"] for one in dataset] == expected
    assert dataset.stats()["skipped"] >= 17
    hands = [
        keys(stream(root, batch_size=8, decode=False, rank=rank, world_size=2, read_options=ReadOptions(on_damage="skip")), 2)
        for rank in range(2)
    ]
    assert [key for i in range(0, 32, 8) for positions in hands for key in positions[i : i + 8]] == expected[:64]


def test_a_picture_that_cannot_be_decoded_is_damage(lake: Any, tmp_path: Path) -> None:
    sample = lake.samples["val"][2]
    samples = [replace(one, picture=one.picture[:60]) if one is sample else one for one in lake.samples["val"]]
    write_snapshot(
        str(tmp_path), replace(read_snapshot(str(lake.root)), splits={"val": write_split(tmp_path, "val", [samples])})
    )
    with pytest.raises(SnapshotError, match=f"sample {sample.key}: its .* cannot be decoded"):
        list(stream(tmp_path, "val"))
    dataset = stream(tmp_path, "val", read_options=ReadOptions(on_damage="skip"))
    found = [one["key"] for one in dataset]
    assert len(found) == 5
    assert set(found) == {one.key for one in samples} - {sample.key}
    assert dataset.stats()["skipped"] == 1


def test_a_killed_worker_is_an_error_not_an_end(lake: Any) -> None:
    """In a process of its own: torch raises from a signal handler, wherever the main thread is by then."""
    program = f"""
import multiprocessing, os, signal
from rsflow.loading.loader import Loader
from rsflow.loading.stream import stream
batches = iter(Loader(stream({str(lake.root)!r}, batch_size=2, decode=False, repeat=None), num_workers=2))
next(batches)
try:
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    for _ in batches:
        pass
    print("ended")
except RuntimeError as error:
    print("told:", error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert re.match(r"told: DataLoader worker .* (killed by signal|exited unexpectedly)", done.stdout), done.stderr


def test_an_oversampled_epoch_shows_each_sample_as_often_as_the_selection_wants(lake: Any) -> None:
    wanted = Counter({sample.key: sample.record.get("repeat", 1) for sample in lake.samples["train"]})
    assert max(wanted.values()) == 3
    whole = [one["key"] for one in stream(lake.root, seed=3, oversample=True)]
    assert Counter(whole) == wanted
    over_ranks = [
        one["key"]
        for rank in range(2)
        for one in stream(lake.root, seed=3, oversample=True, rank=rank, world_size=2, uneven="keep")
    ]
    assert Counter(over_ranks) == wanted
    begun = stream(lake.root, seed=3, oversample=True)
    first = [one["key"] for one in islice(begun, 40)]
    rest = stream(lake.root, seed=3, oversample=True)
    state = begun.state_dict()
    rest.load_state_dict(state)
    assert first + [one["key"] for one in rest] == whole
    with pytest.raises(ConfigError, match="another oversample"):
        stream(lake.root, seed=3).load_state_dict(state)
