"""Each epoch is an order of its own and holds each sample once, whoever counts the batches and wherever it was cut."""

from __future__ import annotations

import gc
import json
import os
from collections import Counter
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

from rsflow.errors import ConfigError
from rsflow.loading.loader import Loader
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.stream import stream

SIZE = 8


def make(lake: Any, workers: int = 0, persistent: bool = False, rank: int = 0, world_size: int = 1, **options: Any) -> Loader:
    drop_last = options.pop("drop_last", False)
    dataset = stream(lake.root, batch_size=SIZE, decode=False, seed=2, rank=rank, world_size=world_size, **options)
    return Loader(dataset, num_workers=workers, persistent_workers=persistent, drop_last=drop_last)


def until_the_length(loader: Loader) -> list[str]:
    """An epoch as a trainer takes it that never asks for a batch beyond `len(loader)`."""
    batches = iter(loader)
    return [key for _ in range(len(loader)) if (batch := next(batches, None)) for key in batch["key"]]


def orders(lake: Any, epochs: int = 3) -> list[list[str]]:
    return [[key for batch in make(lake, epoch=epoch) for key in batch["key"]] for epoch in range(epochs)]


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
def test_a_trainer_that_never_exhausts_gets_another_order_each_epoch(lake: Any, workers: int, persistent: bool) -> None:
    loader = make(lake, workers, persistent)
    assert [until_the_length(loader) for _ in range(3)] == orders(lake)


@pytest.mark.parametrize("crash", [1, 5, 9, 10])
@pytest.mark.parametrize("workers", [0, 2])
def test_three_epochs_with_a_crash_in_each(lake: Any, crash: int, workers: int) -> None:
    """A new process, with another number of workers, goes on from each crash; 73 samples are ten batches."""
    seen: list[list[str]] = []
    state: dict[str, Any] | None = None
    for turn in range(4):
        loader = make(lake, workers if turn % 2 else 0)
        if state:
            loader.load_state_dict(json.loads(json.dumps(state)))
        assert len(loader) == 10
        got: list[str] = []
        for batch in islice(loader, None if turn == 3 else crash if turn == 0 else 10):
            got += batch["key"]
        state = loader.state_dict()
        seen.append(got)
    whole = [key for order in orders(lake, 4) for key in order]
    flat = [key for one in seen for key in one]
    assert flat == whole[: len(flat)]


@pytest.mark.parametrize("workers", [0, 2])
def test_after_a_resumed_epoch_the_next_are_whole(lake: Any, workers: int) -> None:
    cut = make(lake)
    first = [key for batch in islice(cut, 6) for key in batch["key"]]
    again = make(lake, workers)
    again.load_state_dict(cut.state_dict())
    epochs = [first + until_the_length(again), until_the_length(again), until_the_length(again)]
    assert epochs == orders(lake)
    assert Counter(key for one in epochs for key in one) == dict.fromkeys(lake.keys(), 3)


def test_begun_anew_within_an_epoch_the_next_comes_whole(lake: Any) -> None:
    loader = make(lake)
    next(iter(loader))
    assert until_the_length(loader) == orders(lake)[1]
    iter(loader)  # nothing was taken: the epoch is not spent
    assert until_the_length(loader) == orders(lake)[2]


def test_the_epoch_that_is_asked_for_comes_once_more(lake: Any) -> None:
    loader = make(lake)
    next(iter(loader))
    loader.set_epoch(0)
    assert until_the_length(loader) == orders(lake)[0]
    loader.set_epoch(0)
    assert until_the_length(loader) == orders(lake)[0]
    loader.set_epoch(1)
    assert until_the_length(loader) == orders(lake)[1]


@pytest.mark.parametrize("uneven", ["pad", "drop", "keep"])
@pytest.mark.parametrize("drop_last", [False, True])
def test_ranks_agree_on_the_state_after_their_last_batch(lake: Any, uneven: str, drop_last: bool) -> None:
    loaders = [make(lake, rank=rank, world_size=3, uneven=uneven, drop_last=drop_last) for rank in range(3)]
    shown = [until_the_length(loader) for loader in loaders]
    if len({len(loader) for loader in loaders}) == 1:
        assert [loader.state_dict()["position"] for loader in loaders] == [0] * 3
        assert [loader.epoch for loader in loaders] == [1] * 3
    again = [make(lake, rank=rank, world_size=3, uneven=uneven, drop_last=drop_last) for rank in range(3)]
    for one, loader in zip(again, loaders, strict=True):
        one.set_epoch(1)
        assert until_the_length(one) == until_the_length(loader) != []
    assert drop_last or set(lake.keys()) - {key for one in shown for key in one} == set() or uneven == "drop"


def test_a_raw_stream_takes_a_state_for_one_iteration(lake: Any) -> None:
    dataset = stream(lake.root, decode=False)
    taken = [one["key"] for one in islice(dataset, 50)]
    again = stream(lake.root, decode=False)
    again.load_state_dict(dataset.state_dict())
    assert taken + [one["key"] for one in again] == [one["key"] for one in stream(lake.root, decode=False)]
    assert [one["key"] for one in again] == [one["key"] for one in stream(lake.root, decode=False, epoch=1)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"position": 10**7}, "position 10000000"),
        ({"position": 10**30}, "position"),
        ({"position": 1.5}, "position: found 1.5"),
        ({"epoch": True}, "epoch: found True"),
        ({"epoch": "1"}, "epoch: found '1'"),
        ({"epoch": -1}, "epoch: found -1"),
        ({"epoch": float("nan")}, "epoch: found nan"),
        ({"repeat": 0}, "repeat: found 0"),
        ({"taken": 99, "topology": [1, 1, 8]}, "99 taken"),
    ],
)
def test_an_impossible_state_is_refused_by_name(lake: Any, change: dict[str, Any], found: str) -> None:
    dataset = stream(lake.root)
    with pytest.raises(ConfigError, match=found):
        dataset.load_state_dict({**dataset.state_dict(), **change})


def test_numbers_of_other_libraries_are_taken(lake: Any) -> None:
    dataset = stream(lake.root, epoch=np.int64(1), batch_size=np.int32(4))
    dataset.load_state_dict({**dataset.state_dict(), "position": 8.0, "epoch": np.int64(2)})
    assert (dataset.state_dict()["epoch"], dataset.state_dict()["position"]) == (2, 8)
    json.dumps(dataset.state_dict())


def test_a_state_of_three_epochs_goes_on_in_one_of_one(lake: Any) -> None:
    long = make(lake, repeat=3)
    keys = [key for batch in islice(long, 12) for key in batch["key"]]  # 96 of 219
    short = make(lake)
    short.load_state_dict(long.state_dict())
    assert short.epoch == 1
    keys += [key for _ in range(2) for batch in short for key in batch["key"]]
    assert keys == [key for order in orders(lake) for key in order]
    old = {name: value for name, value in long.state_dict().items() if name != "repeat"}
    with pytest.raises(ConfigError, match="another repeat"):
        make(lake).load_state_dict(old)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), True, "2", None, np.bool_(True), np.float32("nan"), 1j])
def test_a_weight_that_is_no_number_is_refused_by_name(weight: Any) -> None:
    with pytest.raises(ConfigError, match=r"mix\.weights: sar"):
        Mix("sensor", {"optical": 1, "sar": weight})


@pytest.mark.parametrize("pair", [(1.0, 2.0), (2, 4), (Fraction(1, 3), Fraction(2, 3)), (np.float32(0.1), np.float64(0.2))])
def test_equal_proportions_are_one_mix(lake: Any, pair: tuple[Any, Any]) -> None:
    plain = stream(lake.root, mix=Mix("sensor", {"optical": 1, "sar": 2}))
    other = stream(lake.root, mix=Mix("sensor", dict(zip(("optical", "sar"), pair, strict=True))))
    other.load_state_dict(plain.state_dict())
    assert [one["key"] for one in other] == [one["key"] for one in plain]


def collect_garbage(examples: list[Any]) -> int:
    gc.collect()
    return len(examples)


def test_a_forked_worker_finalises_nothing_that_its_parent_left(lake: Any, tmp_path: Path) -> None:
    """Objects with threads of their own crash or hang where they are finalised in a process without these threads."""

    class Left:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            (tmp_path / str(os.getpid())).touch()

    gc.disable()
    try:
        Left()
        dataset = stream(lake.root, batch_size=SIZE, decode=False)
        loader = DataLoader(dataset, SIZE, num_workers=1, collate_fn=collect_garbage, multiprocessing_context="fork")
        assert sum(loader) == 73
    finally:
        gc.enable()
    assert {int(found.name) for found in tmp_path.iterdir()} <= {os.getpid()}
