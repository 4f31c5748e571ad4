"""Laws of the plan: every sample once, independent of rows' order, within the target, and local in its changes."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import LakeError
from rsflow.shards.plan import ShardPlan, plan_shards

OVERHEAD = 2048
LAW = settings(deadline=None, max_examples=50)  # a busy machine is no failure


def table(scenes: int, chunks: int = 4, tiles: int = 3, seed: int = 0, first: int = 0) -> pa.Table:
    """`scenes` × up to `chunks` × up to `tiles` samples of 1 to 10 kB in two splits."""
    rows = []
    for scene in range(first, first + scenes):
        draw = random.Random(f"{seed}/{scene}")
        split = "val" if draw.random() < 0.2 else "train"
        for chunk in range(draw.randint(1, chunks)):
            for tile in range(draw.randint(1, tiles)):
                name = f"scene{scene}/{chunk}_{tile}"
                key = hashlib.blake2b(f"{seed}{name}".encode(), digest_size=10).hexdigest()
                size, content = draw.randint(1_000, 10_000), f"c{draw.random()}"
                rows.append((name, key, f"scene{scene}", chunk, split, size, content))
    names = ("tile_id", "key", "scene_id", "chunk", "split", "sample_bytes", "content")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def members(samples: pa.Table, plan: list[ShardPlan]) -> dict[str, list[str]]:
    keys = samples["key"].to_pylist()
    return {shard.name: [keys[i] for i in shard.members] for shard in plan}


def slow_plan(samples: pa.Table, target: int) -> dict[tuple[str, str], set[str]]:
    """The definition, straight: recursion over sets of chunks. {(split, prefix): keys}."""
    chunks: dict[str, dict[int, list[dict[str, object]]]] = defaultdict(lambda: defaultdict(list))
    for row in samples.to_pylist():
        name = f"{row['split']}/{row['scene_id']}/{row['chunk']}"
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
        chunks[row["split"]][number].append(row)
    leaves: dict[tuple[str, str], set[str]] = {}

    def descend(split: str, node: dict[int, list[dict[str, object]]], prefix: str) -> None:
        rows = [row for chunk in node.values() for row in chunk]
        if not rows:
            return
        if len(node) == 1 or sum(int(str(row["sample_bytes"])) + OVERHEAD for row in rows) + 1024 <= target:
            leaves[split, prefix] = {str(row["key"]) for row in rows}
            return
        for bit in "01":
            descend(split, {h: c for h, c in node.items() if f"{h:064b}".startswith(prefix + bit)}, prefix + bit)

    for split, node in chunks.items():
        descend(split, node, "")
    return leaves


@LAW
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(3_000, 200_000))
def test_equals_the_slow_definition(seed: int, scenes: int, target: int) -> None:
    samples = table(scenes, seed=seed)
    plan = plan_shards(samples, target)
    keys = members(samples, plan)
    assert {(shard.split, shard.prefix): set(keys[shard.name]) for shard in plan} == slow_plan(samples, target)


@LAW
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_every_sample_once_in_key_order(seed: int, scenes: int) -> None:
    samples = table(scenes, seed=seed)
    plan = plan_shards(samples, 30_000)
    every = np.concatenate([shard.members for shard in plan])
    assert sorted(every.tolist()) == list(range(samples.num_rows))
    assert all(keys == sorted(keys) for keys in members(samples, plan).values())
    splits = samples["split"].to_pylist()
    assert all({splits[i] for i in shard.members} == {shard.split} for shard in plan)
    assert [(shard.split, shard.prefix) for shard in plan] == sorted((shard.split, shard.prefix) for shard in plan)


@LAW
@given(st.integers(0, 10**6), st.randoms())
def test_the_order_of_rows_is_irrelevant(seed: int, draw: random.Random) -> None:
    samples = table(12, seed=seed)
    mixed = samples.take(draw.sample(range(samples.num_rows), samples.num_rows))
    assert members(samples, plan_shards(samples, 30_000)) == members(mixed, plan_shards(mixed, 30_000))


def test_slices_and_chunked_columns_give_the_same_plan() -> None:
    samples = table(30)
    pieces = pa.concat_tables([samples.slice(0, 7), samples.slice(7)])
    assert pieces["key"].num_chunks == 2
    assert members(pieces, plan_shards(pieces, 30_000)) == members(samples, plan_shards(samples, 30_000))
    part = samples.slice(5)
    whole = pa.Table.from_pylist(part.to_pylist(), schema=part.schema)
    assert members(part, plan_shards(part, 30_000)) == members(whole, plan_shards(whole, 30_000))


@LAW
@given(st.integers(0, 10**6), st.integers(3_000, 100_000))
def test_no_shard_beyond_the_target_but_single_chunks(seed: int, target: int) -> None:
    samples = table(20, seed=seed)
    rows = samples.to_pylist()
    for shard in plan_shards(samples, target):
        mine = [rows[i] for i in shard.members]
        assert shard.bytes == sum(row["sample_bytes"] + OVERHEAD for row in mine) + 1024
        assert shard.bytes <= target or len({(row["scene_id"], row["chunk"]) for row in mine}) == 1


@LAW
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_one_more_chunk_touches_one_leaf(seed: int, scenes: int) -> None:
    before = table(scenes, seed=seed)
    after = pa.concat_tables([before, table(1, chunks=1, seed=seed, first=scenes)])
    old, new = (members(samples, plan_shards(samples, 30_000)) for samples in (before, after))
    gone, came = set(old) - set(new), set(new) - set(old)
    assert len(gone) <= 1
    added = {key for name in came for key in new[name]} - {key for name in gone for key in old[name]}
    assert added == set(after["key"].to_pylist()) - set(before["key"].to_pylist())


def test_a_changed_sample_renames_its_shard_alone() -> None:
    samples = table(30)
    content = samples["content"].to_pylist()
    content[17] = "other"
    changed = samples.set_column(samples.column_names.index("content"), "content", pa.array(content))
    old, new = plan_shards(samples, 30_000), plan_shards(changed, 30_000)
    renamed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert len(renamed) == 1
    assert 17 in renamed[0][0].members
    assert 17 in renamed[0][1].members


def test_names_are_folders_of_splits_and_unique() -> None:
    plan = plan_shards(table(40), 30_000)
    assert len({shard.name for shard in plan}) == len(plan) > 4
    assert all(shard.name.startswith(f"{shard.split}/{shard.prefix or 'all'}-") for shard in plan)
    assert all(shard.name.endswith(".tar") for shard in plan)


def test_the_plan_is_pinned() -> None:
    """Names that other builds of the same version must find again."""
    samples = pa.table(
        {
            "tile_id": ["s/0", "s/1"],
            "key": ["0a", "0b"],
            "scene_id": ["s", "s"],
            "chunk": [0, 1],
            "split": ["train", "train"],
            "sample_bytes": [10, 10],
            "content": ["x", "y"],
        }
    )
    digest = hashlib.blake2b(b"0a x 0b y ", digest_size=16, person=b"rsflow shard 3").hexdigest()
    assert [shard.name for shard in plan_shards(samples, 10_000)] == [f"train/all-{digest}.tar"]


def test_nothing_planned_for_nothing() -> None:
    assert plan_shards(table(1).slice(0, 0), 1_000) == []


def test_a_repeated_key_is_refused() -> None:
    samples = table(3)
    with pytest.raises(LakeError, match="belongs to more than one"):
        plan_shards(pa.concat_tables([samples, samples.slice(0, 1)]), 30_000)


@pytest.mark.parametrize("split", ["", "../x", "a/b", None])
def test_a_split_that_is_no_folder_name_is_refused(split: str | None) -> None:
    samples = table(1)
    renamed = samples.set_column(4, "split", pa.array([split] * samples.num_rows, pa.string()))
    with pytest.raises(LakeError, match="it names a folder"):
        plan_shards(renamed, 30_000)
