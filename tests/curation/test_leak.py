"""Planted leaks are found, each under its name; a clean set has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.curation.splits.ground import bounding_boxes
from rsflow.curation.splits.leakage import find_leaks
from rsflow.curation.splits.split_groups import is_near_stronger_split

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("tile_id", "split", "scene_id", "cell", "picture_sha256", "pixels_sha256")),
        ("footprint", pa.list_(pa.float64())),
    ]
)


def square(west: float, south: float, size: float = 1.0) -> list[float]:
    return [west, south, west + size, south, west + size, south + size, west, south + size]


def tile(name: str, split: str, **more: Any) -> dict[str, Any]:
    own = {"tile_id": name, "split": split, "scene_id": name, "cell": "c", "picture_sha256": name, "pixels_sha256": name}
    return {**own, "footprint": None, **more}


def found(*tiles: dict[str, Any]) -> dict[str, tuple[int, set[str]]]:
    table = pa.Table.from_pylist(list(tiles), schema=SCHEMA)
    return {leak.what: (leak.count, {leak.one, leak.other}) for leak in find_leaks(table)}


def test_a_clean_set_has_none() -> None:
    assert found() == {}
    near = [tile("a", "train", footprint=square(0, 0)), tile("b", "train", footprint=square(0.5, 0))]
    assert found(*near, tile("c", "test", footprint=square(2, 0)), tile("d", "val")) == {}
    assert found(tile("a", "train", picture_sha256="x"), tile("b", "train", picture_sha256="x")) == {}


def test_each_kind_is_found() -> None:
    assert found(tile("a", "train", pixels_sha256="x"), tile("b", "val", pixels_sha256="x")) == {"pixels": (2, {"a", "b"})}
    assert found(tile("a", "train", picture_sha256="x"), tile("b", "test", picture_sha256="x")) == {"picture": (2, {"a", "b"})}
    scene = {"scene_id": "s", "cell": None}
    assert found(tile("a", "train", **scene), tile("b", "test", **scene)) == {"scene of unknown ground": (2, {"a", "b"})}


def test_outlines_that_overlap_or_share_an_edge_leak_and_boxes_alone_do_not() -> None:
    first = tile("a", "train", footprint=square(0, 0))
    for other in (square(0.9, 0.9), square(1.0, 0.0)):
        assert found(first, tile("b", "test", footprint=other)) == {"ground": (2, {"a", "b"})}
    diamond = [2.0, 0.2, 3.0, 1.2, 2.0, 2.2, 1.0, 1.2]
    corner = square(0.2, 0.0, 0.9)
    assert found(tile("a", "train", footprint=corner), tile("b", "test", footprint=diamond)) == {}


def test_the_antimeridian_is_no_border() -> None:
    east, west = square(179.5, 0), square(-179.6, 0.5)
    assert "ground" in found(tile("a", "train", footprint=east), tile("b", "test", footprint=west))
    assert "ground" in found(tile("a", "test", footprint=east), tile("b", "train", footprint=west), tile("c", "train"))


def test_ground_nearer_than_the_buffer_leaks_by_the_distance_on_the_ground() -> None:
    """A hundredth of a degree is 1,112 m north, and half of it east, at 60 degrees."""
    first = tile("a", "train", footprint=square(10, 60, 0.1))
    north, east = square(10, 60.11, 0.1), square(10.11, 60, 0.1)
    for other, metres in ((north, 1112), (east, 556)):
        rows = pa.Table.from_pylist([first, tile("b", "test", footprint=other)], schema=SCHEMA)
        assert [leak.what for leak in find_leaks(rows, 1.01 * metres)] == ["ground"]
        assert find_leaks(rows, 0.99 * metres) == []
    assert "ground" in found(first, tile("b", "test", footprint=square(10.05, 60.05, 0.1)))
    over = [tile("a", "train", footprint=square(179.5, 0, 0.4)), tile("b", "test", footprint=square(-179.9, 0, 0.4))]
    assert [leak.what for leak in find_leaks(pa.Table.from_pylist(over, schema=SCHEMA), 30_000)] == ["ground"]


def test_what_the_rule_of_splits_leaves_does_not_leak() -> None:
    random = np.random.default_rng(0)
    for buffer_m in (0.0, 3000.0):
        places = random.uniform((-180, -85), (180, 85), (40, 2))
        near = np.repeat(places, 25, axis=0) + random.uniform(-0.1, 0.1, (1000, 2))
        rows = [tile(f"t{k}", "", footprint=square(place[0], place[1], 0.02)) for k, place in enumerate(near.tolist())]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        splits = pa.array(random.choice(["train", "val", "test"], 1000))
        shares = {"train": 0.8, "val": 0.15, "test": 0.05}
        leaves = is_near_stronger_split(bounding_boxes(table["footprint"]), splits, shares, buffer_m)
        dealt = table.set_column(table.schema.get_field_index("split"), "split", splits)
        assert find_leaks(dealt, buffer_m)
        assert find_leaks(dealt.filter(~leaves), buffer_m) == []
        assert 0 < leaves.sum() < 1000
