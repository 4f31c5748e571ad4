"""One acquisition delivered twice is found by ground and instant; other dates, days, sources and resolutions are not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rsflow.curation.duplicates.pairs.acquisitions import same_acquisition_pairs
from rsflow.curation.splits.ground import bounding_boxes

NOON = datetime(2020, 5, 1, 10, 2, 3, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "sensor", "scene_id")),
        ("acquired_at", pa.timestamp("us", tz="UTC")),
        ("gsd_m", pa.float64()),
        ("footprint", pa.list_(pa.float64())),
    ]
)


def tile(scene: str, west: float, **more: Any) -> dict[str, Any]:
    ring = [west, 0.0, west + 1, 0.0, west + 1, 1.0, west, 1.0]
    return {
        "source": "s2",
        "sensor": "optical",
        "scene_id": scene,
        "acquired_at": NOON,
        "gsd_m": 10.0,
        "footprint": ring,
    } | more


def pairs(*tiles: dict[str, Any]) -> list[list[int]]:
    table = pa.Table.from_pylist(list(tiles), schema=SCHEMA)
    return sorted(np.sort(same_acquisition_pairs(table, bounding_boxes(table["footprint"])), axis=1).tolist())


def test_overlapping_granules_are_found_whatever_their_grids() -> None:
    assert pairs(tile("a", 0.0), tile("a", 1.0), tile("b", 0.2), tile("b", 1.2), tile("c", 9.0)) == [[0, 2], [1, 3]]
    assert pairs(tile("a", 0.0), tile("b", 0.5)) == []
    assert pairs() == []


@pytest.mark.parametrize(
    "other",
    [
        {"acquired_at": datetime(2020, 5, 1, 10, 2, 4, tzinfo=UTC)},
        {"acquired_at": None},
        {"source": "landsat"},
        {"sensor": "sar"},
        {"gsd_m": 20.0},
        {"gsd_m": None},
        {"scene_id": "a"},
        {"footprint": None},
    ],
)
def test_what_differs_in_anything_is_not(other: dict[str, Any]) -> None:
    assert pairs(tile("a", 0.0), tile("b", 0.0)) == [[0, 1]]
    assert pairs(tile("a", 0.0), tile("b", 0.0, **other)) == []


def test_a_mere_date_says_nothing() -> None:
    day = datetime(2020, 5, 1, tzinfo=UTC)
    assert pairs(tile("a", 0.0, acquired_at=day), tile("b", 0.0, acquired_at=day)) == []
