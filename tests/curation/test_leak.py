"""Planted leaks are found, each under its name; a clean set has none."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rsflow.curation.leak import leaks

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
    return {leak.what: (leak.count, {leak.one, leak.other}) for leak in leaks(table)}


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
