"""Which tiles of other sensors show the ground of a tile, so that a model that writes may compare the two.

One idea: two passes. Footprints of scenes say, before anything is read, which scenes a text may draw on, and so what its unit
depends on; footprints of tiles say which pair really shows the same ground.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

SAME_GROUND = 0.8  # intersection over union of two footprints


def neighbours(scenes: pa.Table) -> dict[str, list[str]]:
    """By scene (SCENES rows): the scenes of other sensors whose footprints meet its own, in order of their ids."""
    known = scenes.filter(pa.compute.is_valid(scenes["footprint"])).select(["scene_id", "sensor", "footprint"]).to_pylist()
    one, other = _meeting([_polygon(row) for row in known], [_polygon(row) for row in known])
    found: dict[str, list[str]] = defaultdict(list)
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        if known[i]["sensor"] != known[j]["sensor"]:
            found[known[i]["scene_id"]].append(known[j]["scene_id"])
    return {scene: sorted(others) for scene, others in found.items()}


def companions(tiles: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By tile: of the tiles of other sensors the one that shares most of its ground, at least SAME_GROUND; ties by id."""
    mine = [tile for tile in tiles if tile["footprint"]]
    theirs = sorted((tile for tile in others if tile["footprint"]), key=lambda tile: str(tile["tile_id"]))
    here, there = [_polygon(tile) for tile in mine], [_polygon(tile) for tile in theirs]
    one, other = _meeting(here, there)
    pairs = [(i, j) for i, j in zip(one.tolist(), other.tolist(), strict=True) if mine[i]["sensor"] != theirs[j]["sensor"]]
    best: dict[str, tuple[float, int]] = {}
    for i, j in sorted(pairs):
        common = float(here[i].intersection(there[j]).area)
        share = common / (here[i].area + there[j].area - common)
        if share >= SAME_GROUND and share > best.get(mine[i]["tile_id"], (0.0, 0))[0]:
            best[mine[i]["tile_id"]] = (share, j)
    return {tile: theirs[j] for tile, (_, j) in best.items()}


def _meeting(
    one: Sequence[shapely.Polygon], other: Sequence[shapely.Polygon]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of all pairs that share ground."""
    if not one or not other:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = shapely.STRtree(other).query(one, predicate="intersects")
    return pairs[0], pairs[1]


def _polygon(row: dict[str, Any]) -> shapely.Polygon:
    ring = row["footprint"]
    return shapely.Polygon(list(zip(ring[::2], ring[1::2], strict=True)))
