"""Laws of splits: nothing close on two sides, shares met on average, tiles keep their split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.splits.split_groups import (
    EXCLUDED,
    UNASSIGNED,
    assign_splits,
    is_near_stronger_split,
    source_split_ranks,
    splits_by_strength,
)

SCHEMA = pa.schema([(name, pa.string()) for name in ("tile_id", "cluster", "cell", "scene_id")])
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
TILES = st.lists(
    st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6), st.integers(0, 6)),
    max_size=14,
)


def table(items: list[tuple[Any, Any, Any]]) -> pa.Table:
    """(cluster, cell, scene) numbers as a table; a cluster of None is the tile's own."""
    rows = [
        {
            "tile_id": f"t{k:05d}",
            "cluster": f"t{k:05d}" if cluster is None else f"c{cluster}",
            "cell": None if cell is None else f"10km/{cell}",
            "scene_id": f"s{scene}",
        }
        for k, (cluster, cell, scene) in enumerate(items)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@settings(max_examples=100, deadline=None)
@given(TILES, st.integers(0, 5), st.randoms(use_true_random=False))
def test_nothing_close_is_on_two_sides(items: list[tuple[int, int | None, int]], seed: int, random: Any) -> None:
    tiles = table(items)
    splits = assign_splits(tiles, {"train": 0.4, "val": 0.3, "test": 0.3}, seed).to_pylist()
    sides: dict[str, set[str]] = {}
    for tile, split in zip(tiles.to_pylist(), splits, strict=True):
        sides.setdefault(tile["cluster"], set()).add(split)
        sides.setdefault(tile["cell"] or tile["scene_id"], set()).add(split)
    assert all(len(side) == 1 for side in sides.values())
    assert not items or "train" in splits
    order = random.sample(range(len(items)), len(items))
    shuffled = tiles.take(pa.array(order, pa.int64()))
    assert assign_splits(shuffled, {"train": 0.4, "val": 0.3, "test": 0.3}, seed).to_pylist() == [splits[k] for k in order]


def test_shares_are_met_over_many_groups() -> None:
    splits = assign_splits(table([(None, k, 0) for k in range(20_000)]), SHARES, 3).to_pylist()
    for name, share in SHARES.items():
        assert splits.count(name) / len(splits) == pytest.approx(share, abs=0.012)


def test_tiles_keep_their_split_when_data_is_added() -> None:
    items = [(None, k % 300, 0) for k in range(900)]
    before = assign_splits(table(items), SHARES, 0).to_pylist()
    after = assign_splits(table([*items, *((None, k, 1) for k in range(200, 600))]), SHARES, 0).to_pylist()
    assert after[: len(before)] == before


def test_a_series_is_dealt_in_proportion() -> None:
    """Pictures of 40 classes, and the cells of 40 scenes: hashes alone would miss each bound many times."""
    classes = [(None, None, f"set.class{k}x/picture{i:03d}") for k in range(40) for i in range(100)]
    cells = [(None, f"{17 * k + i // 10:+d}/{31 * k + i % 10}", "any") for k in range(40) for i in range(100)]
    for items in (classes, cells):
        splits = np.array(assign_splits(table(items), SHARES, 5).to_pylist()).reshape(40, 100)
        tests = (splits == "test").sum(axis=1)
        assert 7 <= tests.min() <= tests.max() <= 13
        assert (splits == "train").sum(axis=1).min() >= 76


def test_numbers_of_any_length_and_names_without_any_are_dealt() -> None:
    names = ["a", "é", "20190304123456789012", "7", "x1y2z3", "9" * 40, ""]
    first = assign_splits(table([(None, None, name) for name in names]), SHARES, 0).to_pylist()
    backwards = assign_splits(table([(None, None, name) for name in reversed(names)]), SHARES, 0).to_pylist()
    assert first == backwards[::-1]


def test_seed_changes_splits() -> None:
    tiles = table([(None, k, 0) for k in range(200)])
    assert assign_splits(tiles, SHARES, 0) != assign_splits(tiles, SHARES, 1)


def test_scenes_without_ground_stay_whole_and_never_meet_a_cell_of_that_name() -> None:
    rows = [("a", None, "x"), ("b", None, "x"), ("c", "x", "z")]
    tiles = pa.Table.from_pylist([{"tile_id": t, "cluster": t, "cell": c, "scene_id": s} for t, c, s in rows], schema=SCHEMA)
    sides = {tuple(assign_splits(tiles, {"train": 1, "test": 1}, seed).to_pylist()) for seed in range(40)}
    assert all(a == b for a, b, _ in sides)
    assert any(a != c for a, _, c in sides)


def test_the_first_split_is_never_empty() -> None:
    for seed in range(50):
        for groups in (1, 2, 3):
            splits = assign_splits(table([(None, k, 0) for k in range(groups)]), {"val": 0, "train": 0.05, "test": 0.95}, seed)
            assert splits.to_pylist().count("train") >= 1
            assert "val" not in splits.to_pylist()


def test_no_tiles_no_splits() -> None:
    assert assign_splits(table([]), SHARES, 0).to_pylist() == []


@pytest.mark.parametrize("shares", [{}, {"train": 0.0}, {"train": 1.0, "test": -0.1}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one above 0"):
        assign_splits(table([(None, 1, 1)]), shares, 0)


def test_a_stronger_split_pushes_its_neighbours_out_and_none_that_left_pushes() -> None:
    """A row of touching boxes: train, test, val, val, train; the split of the smaller share wins."""
    boxes = np.array([(k * 0.01, 0.0, (k + 1) * 0.01, 0.01) for k in range(5)])
    splits = pa.array(["train", "test", "val", "val", "train"])
    shares = {"train": 0.8, "val": 0.15, "test": 0.05}
    assert is_near_stronger_split(boxes, splits, shares, 0.0).tolist() == [True, False, True, False, True]
    assert is_near_stronger_split(boxes, splits, shares, 1500.0).tolist() == [True, False, True, True, False]
    assert not is_near_stronger_split(np.full((5, 4), np.nan), splits, shares, 1e6).any()


def test_a_sources_own_split_is_kept_whatever_its_spelling() -> None:
    words = pa.chunked_array([["test", "testA", "Validation", "dev", "train", None, "trainval"]])
    order = [*splits_by_strength(SHARES), EXCLUDED]
    found = [order[k] if k != UNASSIGNED else None for k in source_split_ranks(words, {"test": "test", "val": "val"}, SHARES)]
    assert found == ["test", "test", "val", "val", None, None, None]
    assert source_split_ranks(words, {}, SHARES).tolist() == [UNASSIGNED] * 7
    lacking = source_split_ranks(words, {"test": "test"}, {"train": 1.0})
    assert [k == 1 for k in lacking.tolist()] == [True, True, *[False] * 5]


def test_pins_move_a_tile_of_known_ground_alone_and_a_scene_without_ground_whole() -> None:
    tiles = table([(None, 3, 0), (None, 3, 0), (None, None, 1), (None, None, 1)])
    order = [*splits_by_strength(SHARES), EXCLUDED]
    free = assign_splits(tiles, SHARES, 0).to_pylist()
    pinned = np.array([order.index("test"), UNASSIGNED, UNASSIGNED, order.index("val")])
    assert assign_splits(tiles, SHARES, 0, pinned).to_pylist() == ["test", free[1], "val", "val"]
