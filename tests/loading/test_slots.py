"""Pictures that workers hand over in shared memory are those that one process reads, in whatever way workers are used."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.errors import SnapshotError
from rsflow.loading import loader as loader_module
from rsflow.loading.example import collate_samples
from rsflow.loading.loader import Loader
from rsflow.loading.memory.batch_slots import BatchSlots, EncodedSlotCollator
from rsflow.loading.memory.ring_buffer import RingLoader
from rsflow.loading.memory.shared_memory import SharedBuffer
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.stream import stream
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, write_snapshot
from tests.loading.conftest import write_split

Pairs = list[tuple[str, bytes]]


def pairs(loader: Loader) -> Pairs:
    return [pair for batch in loader for pair in zip(batch["key"], batch["image"], strict=True)]


def made(root: Path, workers: int, skip: bool = False, **options: Any) -> Loader:
    read_options = ReadOptions(on_damage="skip" if skip else "fail")
    return Loader(stream(root, batch_size=4, decode=False, read_options=read_options), num_workers=workers, **options)


@pytest.mark.parametrize("workers", [1, 2])
def test_encoded_pictures_come_as_they_are(lake: Any, workers: int) -> None:
    loader = made(lake.root, workers)
    assert isinstance(loader.collate_fn, EncodedSlotCollator)
    assert pairs(loader) == pairs(made(lake.root, 0))


def test_the_batch_is_the_same_dict(lake: Any) -> None:
    one, many = (next(iter(made(lake.root, workers))) for workers in (0, 1))
    assert set(one) == set(many)
    assert all(one[name] == many[name] for name in ("key", "image", "sensor", "meta", "height_px"))
    assert all(type(picture) is bytes for picture in many["image"])


def test_a_picture_larger_than_a_slot_comes_through_the_pipe(tmp_path: Path, lake: Any) -> None:
    samples = [
        Sample(one.key, one.picture * (400 if i == 40 else 1), one.picture_format, one.record)
        for i, one in enumerate(sorted(lake.samples["train"], key=lambda one: str(one.key)))
    ]
    write_snapshot(str(tmp_path), Manifest("f" * 32, 0, {"train": write_split(tmp_path, "train", [samples])}))
    loader = made(tmp_path, 1)
    assert len(samples[40].picture) > loader.collate_fn.slot_bytes  # type: ignore[attr-defined]
    assert pairs(loader) == pairs(made(tmp_path, 0))


def test_a_damaged_shard_leaves_no_trace_in_the_slots(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    shard = root / "shards/train/4.tar"
    data = shard.read_bytes()
    shard.write_bytes(data.replace(b".json\0", b".jsox\0"))  # found out when the picture was read to its slot already
    found = [pairs(made(root, workers, skip=True)) for workers in (0, 1, 2)]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 73
    whole = dict(pairs(made(lake.root, 0)))
    assert all(whole[key] == picture for key, picture in found[1])


def test_no_slots_are_made_where_they_would_be_too_large(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_module, "_MAX_SLOT_BYTES", 1000)
    loader = made(lake.root, 1)
    assert loader.collate_fn is collate_samples
    assert pairs(loader) == pairs(made(lake.root, 0))


def epochs(loader: Loader, content: Callable[[Any], Any]) -> list[Any]:
    """Two whole epochs, between them one that is left after its first batch and begun anew."""
    found = [content(batch) for batch in loader]
    for _ in loader:
        break
    loader.set_epoch(5)
    return found + [content(batch) for batch in loader]


def test_persistent_workers_go_on_after_an_epoch_was_left(lake: Any) -> None:
    def content(batch: Any) -> Any:
        return batch["key"], batch["image"]

    expected = epochs(made(lake.root, 0), content)
    assert epochs(made(lake.root, 2, persistent_workers=True), content) == expected


def test_a_ring_keeps_its_workers(lake: Any) -> None:
    def ring(workers: int, persistent: bool) -> RingLoader:
        return RingLoader(stream(lake.root, batch_size=4, decode=False), workers, 16, persistent=persistent)

    def content(batch: Any) -> Any:
        return batch["key"], batch["image"].numpy().tobytes()

    assert epochs(ring(2, True), content) == epochs(ring(0, False), content)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_ring_replaces_broken_pictures_where_damage_is_skipped(lake: Any, tmp_path: Path, workers: int) -> None:
    broken = [
        Sample(one.key, one.picture[:60] if i % 5 == 0 else one.picture, one.picture_format, one.record)
        for i, one in enumerate(sorted(lake.samples["train"], key=lambda one: str(one.key)))
    ]
    write_snapshot(str(tmp_path), Manifest("f" * 32, 0, {"train": write_split(tmp_path, "train", [broken])}))
    skip = ReadOptions(on_damage="skip")
    dataset = stream(tmp_path, read_options=skip)
    plain = [one["key"] for one in dataset]
    ring = RingLoader(stream(tmp_path, batch_size=8, decode=False, read_options=skip), workers, 16)
    whole = {
        one["key"]: one["image"]
        for batch in RingLoader(stream(lake.root, batch_size=1, decode=False), 0, 16)
        for one in rows(batch)
    }
    found = [one for batch in ring for one in rows(batch)]
    assert [one["key"] for one in found] == plain
    assert all(np.array_equal(one["image"], whole[one["key"]]) for one in found)
    assert ring.stats()["skipped"] == dataset.stats()["skipped"] >= 15
    with pytest.raises(SnapshotError, match="cannot be decoded"):
        list(RingLoader(stream(tmp_path, batch_size=8, decode=False), workers, 16))


def rows(batch: Any) -> list[dict[str, Any]]:
    return [{"key": key, "image": image.numpy().copy()} for key, image in zip(batch["key"], batch["image"], strict=True)]


def _write(memory: SharedBuffer) -> None:
    memory.bytes[3] = 7


def test_memory_is_shared_with_processes() -> None:
    memory = SharedBuffer(10)
    process = get_context("fork").Process(target=_write, args=(memory,))
    process.start()
    process.join()
    assert memory.bytes.tolist() == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]


def test_memory_outlives_its_object_in_arrays() -> None:
    array = SharedBuffer(1 << 16).bytes
    array[:] = 3
    assert array.sum() == 3 << 16
    with pytest.raises((RuntimeError, pickle.PicklingError, TypeError, AssertionError)):
        pickle.dumps(array.base)  # what crosses is the object, never its mapping


def test_slots_are_apart_and_waited_for() -> None:
    slots = BatchSlots(2, 3, 100)
    for worker in range(2):
        for number in range(3):
            slots.slot(worker, number)[:] = 10 * worker + number
    assert [int(slots.slot(w, n)[0]) for w in range(2) for n in range(3)] == [0, 1, 2, 10, 11, 12]
    slots.open(1)
    assert all(slots.free(1, 0, written) for written in range(3))
    slots.release(1, 0)
    assert slots.free(1, 0, 3)
    slots.open(2)
    assert not slots.free(1, 0, 4)  # the loop went on to another iteration
    assert slots.free(2, 0, 0)
    slots.close(2)
    assert not slots.free(2, 1, 9)


@pytest.mark.slow
def test_spawned_workers_hand_over_alike(lake: Any, tmp_path: Path) -> None:
    shutil.copytree(lake.root, tmp_path / "lake")
    assert pairs(made(tmp_path / "lake", 1, multiprocessing_context="spawn")) == pairs(made(lake.root, 0))
