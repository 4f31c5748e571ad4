"""Mixtures: exact shares at any length, by weights that may change, told of any position at once."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import ConfigError
from rsflow.loading.loader import Loader
from rsflow.loading.sampling.mixture import Block, Mix, Mixture, resolve_mix
from rsflow.loading.stream import stream
from rsflow.shards.manifest import Manifest, write_snapshot
from tests.loading.conftest import make_sample, write_split

LAW = settings(deadline=None, max_examples=60)
WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(any)
SEEDS = st.one_of(st.none(), st.integers(0, 2**64 - 1))


def parts(mixed: Mixture, stop: int, seed: int | None) -> list[tuple[int, int]]:
    """(part, number within it) of the first samples, by walking from block to block."""
    found: list[tuple[int, int]] = []
    while len(found) < stop:
        block = mixed.block(len(found), seed)
        assert block.start == len(found)
        found += zip(block.part.tolist(), block.index.tolist(), strict=True)
    return found[:stop]


@LAW
@given(WEIGHTS, st.integers(0, 400))
def test_shares_are_exact_to_a_few_samples_at_any_length(weights: list[int], n: int) -> None:
    counts = Mixture((0,), (tuple(weights),)).counts(n)
    assert sum(counts) == n
    bound = math.ceil(math.log2(len(weights))) / 2
    for count, weight in zip(counts, weights, strict=True):
        assert abs(count - Fraction(n * weight, sum(weights))) <= bound
        assert weight or not count


@LAW
@given(WEIGHTS, WEIGHTS, st.integers(1, 200), SEEDS)
def test_each_part_gives_its_samples_in_order_and_each_once(a: list[int], b: list[int], turn: int, seed: int | None) -> None:
    b = (b * len(a))[: len(a)]
    mixed = Mixture((0, turn), (tuple(a), tuple(b if any(b) else a)))
    found = parts(mixed, 300, seed)
    for part in range(len(a)):
        numbers = [number for one, number in found if one == part]
        assert numbers == list(range(len(numbers)))
    assert Counter(part for part, _ in found[:turn]) == Counter(dict(enumerate(mixed.counts(turn))))


@LAW
@given(WEIGHTS, st.integers(1, 150), st.integers(0, 300), SEEDS)
def test_any_block_is_told_without_those_before(weights: list[int], turn: int, n: int, seed: int | None) -> None:
    mixed = Mixture((0, turn), (tuple(weights), tuple(weight + 1 for weight in weights)))
    block: Block = mixed.block(n, seed)
    alone = list(zip(block.part.tolist(), block.index.tolist(), strict=True))
    assert alone == parts(mixed, block.stop, seed)[block.start :]


def test_parts_do_not_fall_in_step_with_ranks() -> None:
    """Every second sample of two equal parts: near half of each, not all of one."""
    of_a_rank = [part for part, _ in parts(Mixture((0,), ((1, 1),)), 2000, 7)][::2]
    assert 430 < sum(of_a_rank) < 570
    assert {part for part, _ in parts(Mixture((0,), ((1, 1),)), 2000, None)[::2]} == {0}


def test_decimal_weights_are_taken_as_written() -> None:
    assert resolve_mix(Mix("task", {"b": 0.1, "a": 0.3}), 10).counts(4_000_000_000) == [3_000_000_000, 1_000_000_000]
    assert resolve_mix(Mix("task", {"a": 1e-5, "b": 1}), 10).counts(100_001) == [1, 100_000]


def test_a_schedule_in_epochs_counts_their_samples() -> None:
    mixed = resolve_mix(Mix("task", [(0, {"a": 1}), (2, {"b": 1})], unit="epochs"), 50)
    assert mixed.counts(100) == [100, 0]
    assert mixed.counts(130) == [100, 30]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("band", {"a": 1}), "mix.by: found 'band', expected one of task, sensor, source, url"),
        (("task", {"a": 1}, "steps"), "mix.unit: found 'steps'"),
        (("task", {}), "expected none below 0 and one above"),
        (("task", {"a": 0}), "expected none below 0 and one above"),
        (("task", {"a": 2, "b": -1}), "expected none below 0 and one above"),
        (("task", []), r"starts \[\], expected 0 first"),
        (("task", [(5, {"a": 1})]), r"starts \[5\], expected 0 first"),
        (("task", [(0, {"a": 1}), (9, {"a": 1}), (9, {"a": 2})]), "and then rising"),
    ],
)
def test_impossible_mixes_are_refused(arguments: tuple[Any, ...], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        Mix(*arguments)


def test_by_sensor_shares_hold_and_no_sample_comes_again_before_all_have(lake: Any) -> None:
    of = {sample.key: sample.record["sensor"] for sample in lake.samples["train"]}
    there = Counter(of.values())
    given_ = [
        one["key"] for one in stream(lake.root, decode=False, mix=Mix("sensor", {"optical": 3, "sar": 1}), max_samples=400)
    ]
    assert Counter(of[key] for key in given_) == {"optical": 300, "sar": 100}
    for sensor in ("optical", "sar"):
        drawn = [key for key in given_ if of[key] == sensor]
        for i in range(0, len(drawn) - there[sensor] + 1, there[sensor]):
            assert len(set(drawn[i : i + there[sensor]])) == there[sensor]


def test_by_task_an_example_shows_that_task_alone(lake: Any) -> None:
    mix = Mix("task", [(0, {"vqa": 3, "detection": 1}), (40, {"captioning": 1})])
    found = list(stream(lake.root, decode=False, mix=mix, max_samples=60))
    shown = [{one["task"] for one in example["instructions"]} for example in found]
    assert all(len(tasks) == 1 for tasks in shown)
    assert Counter(task for tasks in shown[:40] for task in tasks) == {"vqa": 30, "detection": 10}
    assert shown[40:] == [{"captioning"}] * 20


def test_a_schedule_runs_on_over_the_epochs(lake: Any) -> None:
    mix = Mix("sensor", [(0, {"optical": 1}), (1, {"sar": 1}), (3, {"infrared": 1, "sar": 1})], unit="epochs")
    dataset = stream(lake.root, decode=False, mix=mix, max_samples=16)
    epochs = []
    for epoch in range(4):
        dataset.set_epoch(epoch)
        epochs.append(Counter(one["sensor"] for one in dataset))
    assert epochs == [{"optical": 16}, {"sar": 16}, {"sar": 16}, {"sar": 8, "infrared": 8}]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A snapshot whose records tell three sources."""
    samples = sorted((make_sample(i, "train", {}) for i in range(40)), key=lambda one: one.key)
    for i, sample in enumerate(samples):
        sample.record["source"] = ("naip", "landsat", "sentinel")[i % 3]
    split = write_split(tmp_path, "train", [samples[:13], samples[13:]])
    write_snapshot(str(tmp_path), Manifest("f" * 32, 0, {"train": split}))
    return tmp_path


def test_by_source(sources: Path) -> None:
    mix = Mix("source", {"naip": 2, "sentinel": 1})
    found = Counter(one["meta"]["source"] for one in stream(sources, decode=False, mix=mix, max_samples=48))
    assert found == {"naip": 32, "sentinel": 16}
    with pytest.raises(ConfigError, match=r"no source 'nap' .*; its sources: landsat, naip, sentinel"):
        stream(sources, mix=Mix("source", {"nap": 1}))


def test_by_source_reads_no_sample(sources: Path) -> None:
    for shard in (sources / "shards").rglob("*.tar"):
        shard.unlink()
    assert len(stream(sources, decode=False, mix=Mix("source", {"naip": 2, "sentinel": 1}), max_samples=48)) == 48


def test_several_snapshots_at_once(lake: Any, sources: Path) -> None:
    other = [one["key"] for one in stream(sources, decode=False)]
    both = stream([lake.root, sources], decode=False)
    assert sorted(one["key"] for one in both) == sorted(lake.keys() + other)
    assert [name for name, _ in both.state_dict()["snapshots"]] == ["1", "1"]
    mix = Mix("url", {str(lake.root): 1, str(sources): 4})
    urls = [lake.root, sources]
    found = [one["key"] for one in stream(urls, decode=False, mix=mix, max_samples=100)]
    assert sum(key in set(other) for key in found) in range(80, 101)  # some keys stand in both
    assert len(set(found) & set(other)) == 40
    with pytest.raises(ConfigError, match="url 'elsewhere' does not occur"):
        stream(urls, mix=Mix("url", {"elsewhere": 1}))
    hands = [
        [
            batch["key"]
            for batch in Loader(stream(urls, batch_size=5, decode=False, mix=mix, max_samples=100, rank=r, world_size=2))
        ]
        for r in (0, 1)
    ]
    assert [key for pair in zip(*hands, strict=True) for batch in pair for key in batch] == found


def test_choice_and_mix_together(lake: Any) -> None:
    found = list(
        stream(
            lake.root,
            decode=False,
            sensors=["sar", "optical"],
            tasks=["vqa"],
            mix=Mix("sensor", {"sar": 1, "optical": 1}),
            max_samples=32,
        )
    )
    assert sum(one["sensor"] == "sar" for one in found) == 16
    assert {i["task"] for one in found for i in one["instructions"]} == {"vqa"}
    with pytest.raises(ConfigError, match="no sensor 'infrared' of the split"):
        stream(lake.root, sensors=["sar"], mix=Mix("sensor", {"infrared": 1}))


def test_an_endless_mixture_is_one_list(lake: Any) -> None:
    mix = Mix("sensor", {"sar": 1, "optical": 2})
    endless = [one["key"] for one in islice(stream(lake.root, decode=False, mix=mix, repeat=None, max_samples=50), 150)]
    epochs = [one["key"] for epoch in range(3) for one in stream(lake.root, decode=False, mix=mix, epoch=epoch, max_samples=50)]
    assert endless == epochs
