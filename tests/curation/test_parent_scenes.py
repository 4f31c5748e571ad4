"""Windows of one parent are known by their names, other numbered pictures are not taken for windows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rsflow.curation.splits.parent_scenes import parent_scenes
from rsflow.curation.splits.split_groups import assign_splits


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("dota.P0001__1024__0___512", "dota.P0001"),
        ("dota.P0001__0.5__824___-20", "dota.P0001"),
        ("hrsid.P0001_1200_2000_9600_10400", "hrsid.P0001"),
        ("a.scene-7_x512_y1024", "a.scene-7"),
        ("a.scene_r03_c12", "a.scene"),
        ("a.S2A_20200101_row_3_col_4", "a.S2A_20200101"),
        ("a.tile_y0_x256", "a.tile"),
        ("a.airport_17", None),
        ("a.000231", None),
        ("a.1200_2000_9600_10401", None),
        ("a.img_2019_05_07", None),
    ],
)
def test_names_that_can_mean_nothing_else(name: str, parent: str | None) -> None:
    assert parent_scenes([name], certain=True) == [parent]


@pytest.mark.parametrize("size", ["", "_256", "_256_256"])
@pytest.mark.parametrize("columns", [(0, 256, 512), (0, 192, 384, 500), (0, 300)])
def test_offsets_on_a_grid_have_one_parent(size: str, columns: tuple[int, ...]) -> None:
    names = [f"s.city_4_{x}_{y}{size}" for x in columns for y in (0, 256)]
    others = [f"s.city_5_{x}_0{size}" for x in columns]
    assert parent_scenes([*names, *others, "s.other"]) == ["s.city_4"] * len(names) + ["s.city_5"] * len(others) + [None]
    assert set(parent_scenes(names, certain=True)) == {None}


def test_indices_that_fill_a_rectangle_have_one_parent() -> None:
    names = [f"s.austin1_{row}_{col}" for row in range(4) for col in range(3)]
    assert parent_scenes(names[:-2]) == ["s.austin1"] * 10
    assert set(parent_scenes([f"s.class_{kind}_{number}" for kind, number in ((1, 17), (2, 3), (3, 90), (7, 44))])) == {None}


def test_numbers_that_count_something_else_have_none() -> None:
    random = np.random.default_rng(0)
    counted = [f"uav.0_100_90_0_{number:05}" for number in random.permutation(20_000)[:200]]
    pairs = [f"uav.0_100_30_0_{number}" for number in ("03302", "08093")]
    dated = [f"s.img_{2010 + k}_{int(random.integers(1, 366))}" for k in range(12)]
    assert set(parent_scenes([*counted, *pairs, *dated])) == {None}


def test_windows_of_one_parent_are_in_one_split_and_the_rest_is_not_tied() -> None:
    scenes = [f"d.P{parent:04}__1024__{x}___{y}" for parent in range(30) for x in (0, 824) for y in (0, 824)]
    scenes += [f"d.single{number}" for number in range(100)]
    tiles = pa.table(
        {
            "tile_id": [f"{scene}/0_0_512" for scene in scenes],
            "scene_id": scenes,
            "cell": pa.nulls(len(scenes), pa.string()),
            "cluster": np.arange(len(scenes)),
        }
    )
    split = assign_splits(tiles, {"train": 0.5, "test": 0.5}, 0).to_pylist()
    assert all(len(set(split[k : k + 4])) == 1 for k in range(0, 120, 4))
    assert len(set(split[:120])) == len(set(split[120:])) == 2
