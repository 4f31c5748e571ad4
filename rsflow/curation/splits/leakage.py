"""Verification of splits: the same picture, the same ground, or ground that is too near in two splits.

Works on the selected rows and pictures alone, and by other means than the rules where possible: outlines instead of boxes,
digests instead of clusters, all pairs of two splits instead of leaders, so that an error of a rule shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from rsflow.curation.connected_components import Indices, first_equal_row
from rsflow.curation.duplicates.cross_split import confirmed_cross_pairs
from rsflow.curation.duplicates.deduplicate import confirm_by_position, pictures_by_sensor
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.splits.ground import bounding_boxes, expand_boxes
from rsflow.curation.splits.split_groups import scene_groups
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.curation.value_codes import value_codes
from rsflow.spatial.geometry import EARTH_RADIUS_KM

_BLOCK = 1 << 16
_ROUNDING = 1 - 1e-6  # of distances, which the rule reckons in another way

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Leak:
    """`count` tiles share something with a tile of another split; `one` and `other` are an example."""

    what: str
    count: int
    one: str
    other: str


def find_leaks(tiles: pa.Table, buffer_m: float = 0.0) -> list[Leak]:
    """What tiles of two splits have in common; empty where all is well.

    `tiles` has tile_id, split, scene_id, cell, footprint, picture_sha256 and pixels_sha256. Looked for: equal pictures,
    outlines that meet (also at an edge) or are less than `buffer_m` apart, and scenes of unknown ground, or parents of such, in
    two splits.
    """
    found = []
    for what, column in (("picture", "picture_sha256"), ("pixels", "pixels_sha256")):
        found.append((what, _shared_values(tiles[column], tiles["split"])))
    groundless = pc.if_else(pc.is_null(tiles["cell"]), scene_groups(tiles["scene_id"], tiles["cell"], certain=True), None)
    found.append(("scene of unknown ground", _shared_values(groundless, tiles["split"])))
    found.append(("ground", _near_outlines(tiles, buffer_m)))
    return [_describe_leak(tiles, what, pairs) for what, pairs in found if len(pairs)]


def find_near_duplicate_leaks(tiles: pa.Table, bits: int, confirm: Confirm, runner: TaskRunner = LOCAL_RUNNER) -> list[Leak]:
    """Pictures of two splits that `confirm` (of rows of `tiles`) says show the same; see
    `rsflow.curation.duplicates.cross_split`.

    `tiles` has tile_id, split, sensor, signature and footprint; with signatures (all eight views), turned ones count too.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    codes, by_size = _encode_splits(tiles)
    for rows, pictures in pictures_by_sensor(tiles, np.arange(tiles.num_rows), bounding_boxes(tiles["footprint"])):
        for number, split in enumerate(by_size[1:], 1):
            mine = np.flatnonzero(codes[rows] == split)
            others = np.flatnonzero(np.isin(codes[rows], by_size[:number]))
            found.append(
                rows[confirmed_cross_pairs(pictures, mine, others, bits, confirm_by_position(confirm, rows), runner)[:, :2]]
            )
    pairs = np.concatenate(found)
    return [_describe_leak(tiles, "near duplicate", pairs)] if len(pairs) else []


def footprint_polygons(footprints: pa.ChunkedArray) -> tuple[Shapes, Indices]:
    """(polygons, their rows) of the rings that there are."""
    whole = footprints.combine_chunks()
    whole = whole.cast(pa.large_list(pa.float64()))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(whole), 0), dtype=np.int64) // 2
    rows = np.flatnonzero(sizes > 2)
    points = np.asarray(whole.take(pa.array(rows)).flatten(), dtype=np.float64).reshape(-1, 2)
    stops = np.cumsum(sizes[rows])
    # shapely wants each ring closed: its first point once more at its end.
    closed = np.insert(points, stops, points[stops - sizes[rows]], axis=0) if len(rows) else points
    rings = np.concatenate([[0], stops + np.arange(1, len(rows) + 1)])
    parts = (rings, np.arange(len(rows) + 1))
    shapes: Shapes = shapely.from_ragged_array(shapely.GeometryType.POLYGON, closed, parts)
    return shapes, rows


def _shared_values(values: pa.ChunkedArray, splits: pa.ChunkedArray) -> Indices:
    """(row, first row of the same value) where the two are of different splits."""
    first = first_equal_row(values)
    codes = value_codes(splits)
    rows = np.flatnonzero(codes != codes[first])
    return np.stack([rows, first[rows]], axis=1)


def _near_outlines(tiles: pa.Table, buffer_m: float) -> Indices:
    """Pairs of tiles of different splits whose outlines meet or are less than `buffer_m` apart."""
    codes, by_size = _encode_splits(tiles)
    shapes, rows = footprint_polygons(tiles["footprint"])
    found = [np.empty((0, 2), dtype=np.int64)]
    # The largest split is never put into a tree: memory grows with the others.
    for number, split in enumerate(by_size[1:], 1):
        mine = np.flatnonzero(codes[rows] == split)
        others = np.flatnonzero(np.isin(codes[rows], by_size[:number]))
        tree = shapely.STRtree(shapes[mine])
        for block, outlines in _blocks(shapes, others):
            if buffer_m > 0:
                asked_index, matched = tree.query(shapely.box(*expand_boxes(shapely.bounds(outlines), buffer_m).T))
                near = _distances_m(outlines[asked_index], shapes[mine[matched]]) < _ROUNDING * buffer_m
                asked_index, matched = asked_index[near], matched[near]
            else:
                asked_index, matched = tree.query(outlines, predicate="intersects")
            found.append(np.stack([rows[mine[matched]], rows[block[asked_index]]], axis=1))
    return np.concatenate(found)


def _describe_leak(tiles: pa.Table, what: str, pairs: Indices) -> Leak:
    one, other = tiles["tile_id"].take(pa.array(pairs[0])).to_pylist()
    return Leak(what, len(np.unique(pairs)), one, other)


def _encode_splits(tiles: pa.Table) -> tuple[Indices, Indices]:
    """Each tile's split as a number, and these numbers, the largest split first."""
    codes = value_codes(tiles["split"])
    return codes, np.argsort(-np.bincount(codes), kind="stable")


def _distances_m(some: Shapes, others: Shapes) -> npt.NDArray[np.float64]:
    """The distance of each outline from its other, on a plane whose scale is right midway between the two."""
    middle = np.radians((shapely.bounds(some)[:, [1, 3]] + shapely.bounds(others)[:, [1, 3]]).mean(axis=1) / 2)
    flat = [_scale_longitudes(shapes, np.cos(middle)) for shapes in (some, others)]
    apart: npt.NDArray[np.float64] = shapely.distance(*flat) * EARTH_RADIUS_KM * 1000 * np.pi / 180
    return apart


def _scale_longitudes(shapes: Shapes, east: npt.NDArray[np.float64]) -> Shapes:
    """The shapes, each with its longitudes times its own factor."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    scaled: Shapes = shapely.set_coordinates(shapes.copy(), points * np.stack([east[owner], np.ones(len(owner))], axis=1))
    return scaled


def _blocks(shapes: Shapes, rows: Indices) -> Iterator[tuple[Indices, Shapes]]:
    """Some rows at a time with their outlines, and those beyond a border of the map once more a whole turn away."""
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        yield block, shapes[block]
        bounds = shapely.bounds(shapes[block])
        for turn, beyond in ((360.0, bounds[:, 0] < -170), (-360.0, bounds[:, 2] > 170)):
            some = block[beyond]
            yield some, shapely.transform(shapes[some], lambda points, turn=turn: points + np.array([turn, 0.0]))
