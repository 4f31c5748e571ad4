"""Which tiles of other sensors show the ground of a tile: a model that writes may compare the two, a sample may hold both.

One idea: two passes. Footprints of scenes say, before anything is read, which scenes a text may draw on, and so what its unit
depends on; footprints of tiles say which pair really shows the same ground.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import Flags
from rsflow.curation.splits.leakage import Shapes, footprint_polygons

SAME_GROUND = 0.8  # intersection over union of two footprints
SHOWN = 0.8  # share of a footprint that is inside another

Floats = npt.NDArray[np.float64]

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of tiles, rows of tiles of other sensors on their ground, what share of its ground the other shows, and the
    intersection over union of the two outlines."""

    one: Indices
    other: Indices
    shown: Floats
    iou: Floats

    def take(self, which: Indices | Flags) -> Pairs:
        return Pairs(self.one[which], self.other[which], self.shown[which], self.iou[which])


def neighbours(scenes: pa.Table) -> dict[str, list[str]]:
    """By scene (SCENES rows): the scenes of other sensors whose footprints meet its own, in order of their ids."""
    known = scenes.filter(pc.is_valid(scenes["footprint"])).select(["scene_id", "sensor", "footprint"]).to_pylist()
    one, other = _meeting([_polygon(row) for row in known], [_polygon(row) for row in known])
    found: dict[str, list[str]] = defaultdict(list)
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        if known[i]["sensor"] != known[j]["sensor"]:
            found[known[i]["scene_id"]].append(known[j]["scene_id"])
    return {scene: sorted(others) for scene, others in found.items()}


def companions(tiles: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By tile: of the tiles of other sensors the one that shares most of its ground, at least SAME_GROUND; ties by id."""
    theirs = sorted(others, key=lambda tile: str(tile["tile_id"]))
    found = best_fitting(showing(_columns(tiles), _columns(theirs)))
    return {tiles[i]["tile_id"]: theirs[j] for i, j in zip(found.one.tolist(), found.other.tolist(), strict=True)}


def showing(tiles: pa.Table, others: pa.Table) -> Pairs:
    """All pairs of different sensors of which the other shows at least SHOWN of the one's ground, as any does that is on the
    SAME_GROUND. Columns of both: sensor, footprint (may be null)."""
    codes = [
        np.asarray(pc.index_in(rows["sensor"], value_set=tiles["sensor"].unique()).fill_null(-1)) for rows in (tiles, others)
    ]
    (own_shapes, mine), (other_shapes, theirs) = _sound(tiles["footprint"]), _sound(others["footprint"])
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))]
    tree = shapely.STRtree(other_shapes)
    for start in range(0, len(own_shapes), _BLOCK):
        block = own_shapes[start : start + _BLOCK]
        i, j = tree.query(block)
        is_candidate = (codes[0][mine[start + i]] != codes[1][theirs[j]]) & (_most_shown(block[i], other_shapes[j]) >= SHOWN)
        i, j = i[is_candidate], j[is_candidate]
        pairs = Pairs(mine[start + i], theirs[j], *_shares(block[i], other_shapes[j]))
        found.append(pairs.take(pairs.shown >= SHOWN))
    return Pairs(*(np.concatenate([getattr(part, f.name) for part in found]) for f in fields(Pairs)))


def best_fitting(pairs: Pairs) -> Pairs:
    """For each tile that has one: the other on the SAME_GROUND that shares most of it; of equals the first."""
    same = pairs.take(pairs.iou >= SAME_GROUND)
    ranked = same.take(np.lexsort((same.other, -same.iou, same.one)))
    return ranked.take(np.unique(ranked.one, return_index=True)[1])


def _columns(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {
            "sensor": pa.array([row["sensor"] for row in rows], pa.string()),
            "footprint": pa.array([row["footprint"] for row in rows], pa.list_(pa.float64())),
        }
    )


def _sound(footprints: pa.ChunkedArray) -> tuple[Shapes, Indices]:
    """The outlines and their rows, but for those that cross themselves, as a poor model of a scene's geometry makes them."""
    shapes, rows = footprint_polygons(footprints)
    good = shapely.is_valid(shapes)
    return shapes[good], rows[good]


def _most_shown(some: Shapes, others: Shapes) -> Floats:
    """What share of each its other shows at most, by their boxes alone: a hundredth of the time of `_shares`."""
    one, other = shapely.bounds(some), shapely.bounds(others)
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    most: Floats = sides.prod(axis=1) / shapely.area(some)
    return most


def _shares(some: Shapes, others: Shapes) -> tuple[Floats, Floats]:
    """What share of each its other shows, and the intersection over union of the two."""
    common, own = shapely.area(shapely.intersection(some, others)), shapely.area(some)
    return common / own, common / (own + shapely.area(others) - common)


def _meeting(one: Sequence[shapely.Polygon], other: Sequence[shapely.Polygon]) -> tuple[Indices, Indices]:
    """Positions of all pairs that share ground."""
    if not one or not other:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = shapely.STRtree(other).query(one, predicate="intersects")
    return pairs[0], pairs[1]


def _polygon(row: dict[str, Any]) -> shapely.Polygon:
    ring = row["footprint"]
    return shapely.Polygon(list(zip(ring[::2], ring[1::2], strict=True)))
