"""Save at every step, restore from each: the tail is the same, sample for sample, whoever goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.dataset import Stream
from rsflow.loading.loader import Loader
from rsflow.loading.sampling import stream_content as content
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.stream import stream
from rsflow.shards.manifest import read_snapshot, write_snapshot
from rsflow.shards.reader import ShardReader

MIXES = {
    "plain": None,
    "sensors": Mix("sensor", {"optical": 2, "sar": 1.5, "infrared": 0.5}),
    "tasks": Mix("task", [(0, {"vqa": 3, "captioning": 1}), (30, {"vqa": 1, "detection": 4})]),
}


def of_ranks(lake: Any, world_size: int, **options: Any) -> list[Stream]:
    options = {"batch_size": 4, "decode": False, "seed": 5, **options}
    return [stream(lake.root, rank=rank, world_size=world_size, **options) for rank in range(world_size)]


def keys(loader: Loader, batches: int | None = None) -> list[list[str]]:
    """What each batch shows: keys with the tasks that are shown of them."""
    shown = ((batch["key"], batch["instructions"]) for batch in islice(loader, batches))
    return [[f"{key} {','.join(one['task'] for one in tasks)}" for key, tasks in zip(*batch, strict=True)] for batch in shown]


def globally(hands: list[list[list[str]]]) -> list[str]:
    """The batches of all ranks, read round by round."""
    return [key for one_round in zip(*hands, strict=True) for key in chain(*one_round)]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_every_step_of_every_number_of_ranks(lake: Any, ranks: int, mix: str) -> None:
    datasets = of_ranks(lake, ranks, mix=MIXES[mix])
    for dataset in datasets:
        loader, states = Loader(dataset), [Loader(dataset).state_dict()]
        whole = []
        for batch in iter(loader):
            whole.append(batch["key"])
            states.append(loader.state_dict())
        for step, state in enumerate(states):
            again = Loader(of_ranks(lake, ranks, mix=MIXES[mix])[dataset.settings.ranks[0]])
            again.load_state_dict(json.loads(json.dumps(state)))
            if step == len(whole):  # nothing is left: the state is the start of the next epoch
                assert (state["epoch"], state["position"]) == (1, 0)
                continue
            assert [batch["key"] for batch in again] == whole[step:]
            assert again.epoch == 1


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_workers_read_ahead_and_the_state_does_not(lake: Any, ranks: int) -> None:
    for rank in range(ranks):
        alone = keys(Loader(of_ranks(lake, ranks)[rank]))
        for step in (1, len(alone) // 2):
            with_workers = Loader(of_ranks(lake, ranks)[rank], num_workers=2)
            batches = iter(with_workers)
            assert [next(batches)["key"] for _ in range(step)] == [[key.split()[0] for key in one] for one in alone[:step]]
            state = with_workers.state_dict()
            without = Loader(of_ranks(lake, ranks)[rank])
            without.load_state_dict(state)
            assert keys(without) == alone[step:]
        again = Loader(of_ranks(lake, ranks)[rank], num_workers=2)
        again.load_state_dict(state)
        assert keys(again) == alone[len(alone) // 2 :]


@pytest.mark.parametrize("mix", MIXES)
def test_four_ranks_then_three_then_eight(lake: Any, mix: str) -> None:
    """The global order goes on: read round by round, it is that of one rank alone."""
    alone = [key for batch in keys(Loader(of_ranks(lake, 1, mix=MIXES[mix], repeat=3)[0])) for key in batch]
    read: list[str] = []
    state = None
    for ranks, steps in ((4, 3), (3, 5), (8, None)):
        loaders = [Loader(one) for one in of_ranks(lake, ranks, mix=MIXES[mix], repeat=3, uneven="drop")]
        for loader in loaders:
            if state:
                loader.load_state_dict(state)
        read += globally([keys(loader, steps) for loader in loaders])
        states = [loader.state_dict() for loader in loaders]
        assert all(one == states[0] for one in states)
        state = states[0]
    assert read == alone[: len(read)]
    assert len(alone) - len(read) < 8


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_batch_sizes_ranks_and_steps(lake: Any, data: st.DataObject) -> None:
    mix = MIXES[data.draw(st.sampled_from(sorted(MIXES)))]
    alone = [one["key"] for one in of_ranks(lake, 1, mix=mix)[0]]
    read: list[str] = []
    state = None
    for _ in range(3):
        ranks, size = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
        steps = data.draw(st.integers(0, max(0, (len(alone) - len(read)) // (ranks * size))))
        loaders = [Loader(one) for one in of_ranks(lake, ranks, batch_size=size, mix=mix)]
        hands = []
        for loader in loaders:
            if state:
                loader.load_state_dict(state)
            hands.append([batch["key"] for batch in islice(loader, steps)])
        state = loaders[0].state_dict()
        read += globally(hands)
    assert read == alone[: len(read)]


def test_every_sample_is_a_step_without_a_batch_size(lake: Any) -> None:
    alone = [one["key"] for one in of_ranks(lake, 1, batch_size=None)[0]]
    for ranks in (1, 2):
        datasets = of_ranks(lake, ranks, batch_size=None)
        hands = [iter(dataset) for dataset in datasets]
        rest = of_ranks(lake, 1, batch_size=None)[0]
        for step in range(1, 73 // ranks):
            assert [next(given)["key"] for given in hands] == alone[ranks * (step - 1) : ranks * step]
            states = [dataset.state_dict() for dataset in datasets]
            assert all(state == states[0] for state in states)
            rest.load_state_dict(states[0])
            assert [one["key"] for one in rest] == alone[ranks * step :]


def test_inside_a_batch_the_same_ranks_go_on_and_others_are_refused(lake: Any) -> None:
    dataset = of_ranks(lake, 2)[1]
    whole = [one["key"] for one in dataset]
    for step in range(len(whole)):
        dataset.set_epoch(0)
        given = iter(dataset)
        for _ in range(step):
            next(given)
        state = dataset.state_dict()
        again = of_ranks(lake, 2)[1]
        again.load_state_dict(state)
        assert len(again) == len(whole) - step
        assert [one["key"] for one in again] == whole[step:]
    dataset = of_ranks(lake, 2)[0]
    given = iter(dataset)
    next(given)
    with pytest.raises(ConfigError, match="the state was taken inside a batch"):
        Loader(of_ranks(lake, 2)[0]).load_state_dict(dataset.state_dict())
    other = of_ranks(lake, 3)[0]
    other.load_state_dict(dataset.state_dict())
    with pytest.raises(ConfigError, match=r"\(2, 1, 4\), now \(3, 1, 4\)"):
        iter(other)


def test_a_training_loop_that_was_cut_goes_on_through_its_epochs(lake: Any) -> None:
    def train(loader: Loader, epochs: int) -> Iterator[tuple[int, list[str], dict[str, Any]]]:
        for epoch in range(loader.epoch, epochs):
            loader.set_epoch(epoch)
            for batch in loader:
                yield epoch, batch["key"], loader.state_dict()

    whole = list(train(Loader(of_ranks(lake, 1)[0]), 3))
    assert len({tuple(key for e, batch, _ in whole if e == epoch for key in batch) for epoch in range(3)}) == 3
    for cut in (0, 5, 18, 19, 30, 56):
        loader = Loader(of_ranks(lake, 1)[0])
        loader.load_state_dict(whole[cut][2])
        assert list(train(loader, 3)) == whole[cut + 1 :]


def test_epochs_follow_each_other_without_being_set(lake: Any) -> None:
    loader = Loader(of_ranks(lake, 1)[0], num_workers=1, persistent_workers=True)
    assert [keys(loader) for _ in range(3)] == [keys(Loader(of_ranks(lake, 1, epoch=epoch)[0])) for epoch in range(3)]


def test_the_state_is_small_plain_and_says_what_it_is_of(lake: Any) -> None:
    (dataset,) = of_ranks(lake, 1, mix=MIXES["tasks"], epoch=10**6, repeat=None)
    list(islice(dataset, 7))
    state = dataset.state_dict()
    assert len(json.dumps(state)) < 500
    assert state["snapshots"] == [["1", read_snapshot(str(lake.root)).digest]]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"shuffle": 2}, "shuffle"),
        ({"split": "val", "tasks": ["vqa"]}, "split, tasks"),
        ({"sensors": ["sar"]}, "sensors"),
        ({"mix": MIXES["sensors"]}, "mix"),
        ({"max_samples": 7}, "max_samples"),
    ],
)
def test_a_state_of_another_order_is_refused_by_name(lake: Any, options: dict[str, Any], named: str) -> None:
    state = of_ranks(lake, 1)[0].state_dict()
    with pytest.raises(ConfigError, match=f"of a stream with another {named}: give the same"):
        of_ranks(lake, 1, **options)[0].load_state_dict(state)


def test_what_does_not_change_the_order_may_change(lake: Any) -> None:
    state = of_ranks(lake, 1)[0].state_dict()
    stream(lake.root, batch_size=7, dialect="qwen", seed=5, repeat=4, uneven="drop").load_state_dict(state)


@pytest.mark.parametrize("state", [{}, {"format": "other"}, {"format": "rsflow-stream-1", "epoch": -1, "position": 0}])
def test_what_is_no_state_is_refused(lake: Any, state: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^state: "):
        stream(lake.root).load_state_dict(state)


def test_a_stream_that_workers_read_ahead_does_not_guess(lake: Any) -> None:
    from torch.utils.data import DataLoader

    dataset = stream(lake.root, batch_size=4, decode=False)
    next(iter(DataLoader(dataset, 4, num_workers=1, collate_fn=list)))
    with pytest.raises(ConfigError, match="DataLoader workers read this stream ahead"):
        dataset.state_dict()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"batch_size": 4}, "batch_size: set it on the stream"),
        ({"shuffle": True}, "shuffle: set it on the stream"),
        ({"in_order": False}, "out of order cannot be resumed"),
    ],
)
def test_a_loader_refuses_what_parts_batches_from_rounds(lake: Any, options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        Loader(stream(lake.root, batch_size=4), **options)
    with pytest.raises(ConfigError, match="takes its batch size from the stream"):
        Loader(stream(lake.root))


def test_a_state_of_another_snapshot_is_refused_with_both_named(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    state = stream(root).state_dict()
    manifest = read_snapshot(str(root))
    write_snapshot(str(root), replace(manifest, splits={"train": manifest.splits["val"]}))
    with pytest.raises(SnapshotError, match=r"state is of snapshot 1 \(.*the stream reads snapshot 2 \(.*snapshots/1\.json"):
        stream(root).load_state_dict(state)
    stream(root / "snapshots/1.json").load_state_dict(state)


def test_a_build_that_commits_meanwhile_disturbs_nothing(lake: Any, tmp_path: Path) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    expected = [one["key"] for one in stream(root, decode=False)]
    dataset = stream(root, decode=False)
    given = iter(dataset)
    first = [next(given)["key"] for _ in range(10)]
    manifest = read_snapshot(str(root))
    write_snapshot(str(root), replace(manifest, splits={"train": manifest.splits["val"]}))
    assert first + [one["key"] for one in given] == expected
    dataset.set_epoch(0)
    assert [one["key"] for one in dataset] == expected
    dataset.set_epoch(1)
    assert len(list(dataset)) == 73


@pytest.mark.parametrize("workers", [0, 1])
def test_one_that_follows_moves_at_the_end_of_an_epoch(lake: Any, tmp_path: Path, workers: int) -> None:
    root = shutil.copytree(lake.root, tmp_path / "lake")
    options: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    loader = Loader(stream(root, batch_size=8, decode=False, follow=True), **options)
    batches = iter(loader)
    first = [next(batches)["key"]]
    state = loader.state_dict()
    manifest = read_snapshot(str(root))
    write_snapshot(str(root), replace(manifest, splits={"train": manifest.splits["val"]}))
    first += [batch["key"] for batch in batches]
    assert sorted(key for batch in first for key in batch) == sorted(lake.keys())
    assert sorted(key for batch in loader for key in batch["key"]) == sorted(lake.keys("val"))
    # A run that begins anew finds the newest, and goes back for the rest of the state's epoch.
    again = Loader(stream(root, batch_size=8, decode=False, follow=True), **options)
    again.load_state_dict(state)
    assert [batch["key"] for batch in again] == first[1:]
    assert sorted(key for batch in again for key in batch["key"]) == sorted(lake.keys("val"))


def test_resuming_opens_the_shards_of_one_window_only(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a choice that needs all indices, what is opened does not grow with the place in the epoch."""
    opened: list[str] = []
    first = ShardReader.__init__

    def counted(self: ShardReader, root: str, shard: Any) -> None:
        opened.append(shard.path)
        first(self, root, shard)

    whole = [one["key"] for one in stream(lake.root, shuffle=1, decode=False)]
    monkeypatch.setattr(ShardReader, "__init__", counted)
    monkeypatch.setattr(content, "select_positions", None)
    dataset = stream(lake.root, shuffle=1, decode=False)
    dataset.load_state_dict({**dataset.state_dict(), "position": 70})
    assert [one["key"] for one in islice(dataset, 1)] == whole[70:71]
    assert len(opened) == 1


def test_a_state_past_a_padded_last_round_is_at_the_end(lake: Any) -> None:
    """15 positions over four ranks in blocks of four: padding fills the last round."""
    for rank in range(4):
        dataset = stream(lake.root, batch_size=4, max_samples=15, rank=rank, world_size=4, decode=False)
        given = iter(dataset)
        for _ in range(len(dataset)):
            next(given)
        again = stream(lake.root, batch_size=4, max_samples=15, rank=rank, world_size=4, decode=False)
        again.load_state_dict(dataset.state_dict())
        assert list(again) == []
        assert again.cursor.epoch == 1
        loader = Loader(stream(lake.root, batch_size=4, max_samples=15, rank=rank, world_size=4, decode=False))
        loader.load_state_dict(dataset.state_dict())
        assert loader.epoch == 1
