"""The ring gives what a plain loop over the stream gives, whatever the number of workers, and views that hold as promised."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.decoding.decode import decode_picture, resize
from rsflow.loading.loader import Loader
from rsflow.loading.memory.ring_buffer import RingLoader
from rsflow.loading.stream import stream
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, write_snapshot
from tests.loading.conftest import write_split

SIZE = 16


def made(lake: Any, workers: int, batch_size: int = 8, size_px: int = SIZE, **options: Any) -> RingLoader:
    return RingLoader(stream(lake.root, batch_size=batch_size, decode=False), workers, size_px, **options)


def copied(batches: Iterator[Any]) -> list[dict[str, Any]]:
    return [{**batch, "image": batch["image"].clone()} for batch in batches]


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    return len(found) == len(expected) and all(
        a["key"] == b["key"] and torch.equal(a["image"], b["image"]) for a, b in zip(found, expected, strict=True)
    )


@pytest.fixture(scope="module")
def plain(lake: Any) -> list[dict[str, Any]]:
    """What a loop over the undecoded stream makes of it, one picture after the other."""
    batches = []
    for batch in Loader(stream(lake.root, batch_size=8, decode=False)):
        pixels = [resize(decode_picture(data), SIZE, SIZE) for data in batch["image"]]
        batches.append({**batch, "image": torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)})
    return batches


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_the_same_batches_for_any_number_of_workers(lake: Any, plain: list[dict[str, Any]], workers: int) -> None:
    ring = made(lake, workers)
    assert same(copied(iter(ring)), plain)
    assert ring.ring_bytes == max(1, workers) * (3 if workers else 1) * 8 * SIZE * SIZE * 3
    assert plain[-1]["image"].shape == (73 % 8, 3, SIZE, SIZE)


def test_boxes_move_with_the_picture(lake: Any) -> None:
    whole = {one["key"]: one for one in stream(lake.root, decode=False)}
    scale = np.array([SIZE / 40, SIZE / 24], np.float32)  # from 40 x 24 pixels
    seen = 0
    for batch in made(lake, 1):
        for key, instructions in zip(batch["key"], batch["instructions"], strict=True):
            for now, was in zip(instructions, whole[key]["instructions"], strict=True):
                for name, width in (("boxes", 4), ("quads", 8)):
                    assert np.array_equal(now[name], was[name] * np.tile(scale, width // 2))
                seen += len(now["boxes"])
    assert seen > 20


@pytest.mark.parametrize("hold", [1, 3])
def test_views_hold_as_long_as_promised(lake: Any, hold: int) -> None:
    held: list[tuple[torch.Tensor, torch.Tensor]] = []
    for batch in made(lake, 2, batch_size=2, hold=hold, prefetch=1):
        held = [*held, (batch["image"], batch["image"].clone())][-hold:]
        assert all(torch.equal(view, copy) for view, copy in held)


def test_a_view_outlives_a_loop_that_was_left(lake: Any) -> None:
    for batch in made(lake, 2, batch_size=2):
        view, copy = batch["image"], batch["image"].clone()
        break
    assert torch.equal(view, copy)


def test_epochs_and_states_are_the_loaders(lake: Any, plain: list[dict[str, Any]]) -> None:
    ring = made(lake, 2)
    batches = iter(ring)
    first = [{**batch, "image": batch["image"].clone()} for _, batch in zip(range(3), batches, strict=False)]
    state = ring.state_dict()
    del batches
    again = made(lake, 1)
    again.load_state_dict(state)
    assert same([*first, *copied(iter(again))], plain)
    assert again.epoch == 1
    second = copied(iter(again))
    assert [key for batch in second for key in batch["key"]] != [key for batch in plain for key in batch["key"]]
    assert sorted(key for batch in second for key in batch["key"]) == sorted(lake.keys())


def test_a_broken_picture_surfaces_by_name(lake: Any, tmp_path: Path) -> None:
    broken = [Sample(one.key, one.picture[:60], one.picture_format, one.record) for one in lake.samples["train"][:1]]
    root = tmp_path / "lake"
    shutil.copytree(lake.root, root)
    split = write_split(root, "train", [broken])
    write_snapshot(str(root), Manifest("f" * 32, 0, {"train": split}))
    for workers in (0, 1):
        ring = RingLoader(stream(root, batch_size=2, decode=False), workers, SIZE)
        with pytest.raises(SnapshotError, match=rf"sample {broken[0].key}: its (jpg|png) cannot be decoded"):
            list(ring)


def test_a_killed_worker_surfaces(lake: Any) -> None:
    def children() -> set[int]:
        return {child.pid or 0 for child in torch.multiprocessing.active_children()}

    before = children()
    batches = iter(made(lake, 2, batch_size=1, prefetch=1))
    next(batches)
    # One: torch tells of each that died, and would tell of the second one in the midst of another test.
    os.kill(min(children() - before), signal.SIGKILL)
    with pytest.raises(RuntimeError, match="worker"):
        list(batches)


@pytest.mark.slow
def test_spawned_workers(lake: Any, plain: list[dict[str, Any]]) -> None:
    assert same(copied(iter(made(lake, 1, start="spawn"))), plain)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_page_locked_batches(lake: Any, plain: list[dict[str, Any]]) -> None:
    for _ in range(2):
        ring, found = made(lake, 2, hold=2, pin_memory=True), []
        for batch in ring:
            assert batch["image"].is_pinned()
            found.append({**batch, "image": batch["image"].to("cuda", non_blocking=True)})
        torch.cuda.synchronize()
        assert same([{**batch, "image": batch["image"].cpu()} for batch in found], plain)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_pages_cannot_be_locked_without_a_device(lake: Any) -> None:
    with pytest.raises(ConfigError, match="pin_memory: there is no CUDA device here"):
        next(iter(made(lake, 0, pin_memory=True)))


def test_impossible_rings_are_refused(lake: Any) -> None:
    with pytest.raises(ConfigError, match=r"a RingLoader decodes: give it a stream\(\.\.\., decode=False\)"):
        RingLoader(stream(lake.root, batch_size=8), 1, SIZE)
    with pytest.raises(ConfigError, match="batch size"):
        RingLoader(stream(lake.root, decode=False), 1, SIZE)
    with pytest.raises(ConfigError, match="size_px: found 0"):
        made(lake, 1, size_px=0)
