"""Which tiles of other sensors are on a tile's ground."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rsflow.engine.companions import companions, neighbours
from rsflow.schemas import SCENES


def square(name: str, sensor: str, west: float, south: float, side: float = 1.0) -> dict[str, Any]:
    ring = [west, south, west + side, south, west + side, south + side, west, south + side]
    return {"scene_id": name, "tile_id": name, "sensor": sensor, "footprint": ring}


def test_the_tile_that_shares_most_ground_is_chosen_and_too_little_is_none() -> None:
    tiles = [square("a", "optical", 0, 0), square("b", "optical", 5, 5), {**square("n", "optical", 0, 0), "footprint": None}]
    others = [
        square("near", "sar", 0.1, 0),
        square("nearer", "sar", 0.05, 0),
        square("same", "optical", 0, 0),
        square("half", "sar", 5.5, 5),
    ]
    assert {tile: other["tile_id"] for tile, other in companions(tiles, others).items()} == {"a": "nearer"}
    assert companions(tiles, []) == {}
    twins = [square("y", "sar", 0, 0), square("x", "sar", 0, 0)]
    assert companions(tiles, twins)["a"]["tile_id"] == "x"


def test_neighbours_are_scenes_of_other_sensors_that_meet() -> None:
    rows = [
        square("o", "optical", 0, 0),
        square("s", "sar", 0.5, 0.5),
        square("o2", "optical", 0, 0),
        square("i", "infrared", 9, 9),
    ]
    scenes = pa.Table.from_pylist([*rows, {"scene_id": "none", "sensor": "sar"}], schema=SCENES)
    assert neighbours(scenes) == {"o": ["s"], "s": ["o", "o2"], "o2": ["s"]}
