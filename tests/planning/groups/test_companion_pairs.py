"""Which tiles of other sensors are on a tile's ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import shapely
import shapely.affinity

from rsflow.planning.groups.companion_pairs import SHOWN, companions, neighbours, showing
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


def test_all_pairs_of_which_one_shows_the_others_ground_are_found() -> None:
    random = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for i in range(120):
        x, y, angle = random.uniform(0, 2), random.uniform(0, 0.4), random.choice([0, 0, 4, 45])
        side = random.choice([1, 3])  # a sensor with larger pixels
        one = shapely.affinity.rotate(shapely.box(x, y, x + side, y + side * random.uniform(0.8, 1.2)), angle)
        ring = [float(value) for point in one.exterior.coords[:-1] for value in point]
        rows.append({"sensor": ("optical", "sar")[i % 2], "footprint": None if i % 20 == 0 else ring})
    crossed = {"sensor": "sar", "footprint": [0.0, 0.0, 3.0, 3.0, 3.0, 0.0, 0.0, 3.0]}
    tiles, others = pa.Table.from_pylist([*rows[:70], crossed]), pa.Table.from_pylist([*rows[40:], crossed])
    found = showing(tiles, others)
    expected = {}
    for i, one in enumerate(rows[:70]):
        for j, other in enumerate(rows[40:]):
            if one["footprint"] and other["footprint"] and one["sensor"] != other["sensor"]:
                a, b = (shapely.Polygon(np.reshape(row["footprint"], (-1, 2))) for row in (one, other))
                common = a.intersection(b).area
                if common >= SHOWN * a.area:
                    expected[i, j] = (common / a.area, common / a.union(b).area)
    places, shares = zip(found.one.tolist(), found.other.tolist(), strict=True), np.stack([found.shown, found.iou], axis=1)
    pairs = dict(zip(places, shares, strict=True))
    assert len(expected) > 20
    assert pairs.keys() == expected.keys()
    assert all(np.allclose(pairs[pair], shares) for pair, shares in expected.items())
