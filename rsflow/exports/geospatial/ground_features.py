"""Tiles and their objects as features on the ground: longitudes and latitudes (WGS 84), for a GIS.

The map from a tile's pixels to the coordinates of its reference system is affine, and the tile's outline holds its four
corners, so the map is solved from them; a tile without a reference system (control points) is in degrees. Edges are cut
into pieces before they are projected. Rings run and are cut at the antimeridian as RFC 7946 asks (sections 3.1.6, 3.1.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from rsflow.exports.contract import Record
from rsflow.shards.format import Sample
from rsflow.spatial.geodesy import distance_m
from rsflow.spatial.geometry import FloatArray, corners
from rsflow.spatial.polygons import to_geometry

FILLED = 0.98  # a tile whose outline spans a smaller share of its pixels was filled up
EDGE_PX = 16.0  # longest edge that is projected as a straight line

_OF_TILE = ("tile_id", "scene_id", "source", "sensor", "licence", "acquired_at")
_OF_OBJECT = ("category", "visibility", "origin")
Feature = tuple[str, shapely.Geometry, Record]  # id, geometry, properties


def tile_feature(sample: Sample, split: str) -> Feature | None:
    """The tile's outline; None for a tile without a place on the ground."""
    record = sample.record
    if not record.get("footprint"):
        return None
    ring = np.array(record["footprint"], dtype=np.float64).reshape(-1, 2)
    properties = {
        **_described(record, split),
        "gsd_m": record["gsd_m"],
        "crs": record["crs"],
        "vocabulary": record["vocabulary"],
    }
    return record["tile_id"], on_globe(shapely.Polygon(ring)), properties


def object_features(sample: Sample, split: str) -> Iterator[Feature]:
    """The tile's objects: their outline, or their box where only that is known; none for a tile without a place."""
    record = sample.record
    if not record.get("footprint"):
        return
    affine = pixel_map(record)
    for thing in record["objects"]:
        parts = tuple(tuple(map(tuple, part)) for part in thing.get("parts", ())) or (((corners(tuple(thing["box"])),)),)
        shape = shapely.segmentize(to_geometry(parts), EDGE_PX)
        ground = shapely.transform(shape, lambda found: to_degrees(record["crs"], found @ affine[:, :2].T + affine[:, 2]))
        properties = {**{name: thing[name] for name in _OF_OBJECT}, "score": thing.get("score"), **_described(record, split)}
        yield thing["label"], on_globe(ground), properties


def _described(record: Record, split: str) -> Record:
    attribution = "; ".join(record.get("attribution") or ()) or None
    return {**{name: record[name] for name in _OF_TILE}, "attribution": attribution, "split": split}


def pixel_map(record: Record) -> FloatArray:
    """The affine map (2, 3) from the tile's (column, row) to coordinates of its reference system, degrees where it has none."""
    ring = np.array(record["footprint"], dtype=np.float64).reshape(-1, 2)
    step = len(ring) // 4
    outline = from_degrees(record["crs"], ring[: 4 * step : step])
    width_px, height_px = _size(record, ring[: 4 * step : step])
    pixels = np.array([[0, 0, 1], [width_px, 0, 1], [width_px, height_px, 1], [0, height_px, 1]], dtype=np.float64)
    return np.asarray(np.linalg.lstsq(pixels, outline, rcond=None)[0].T, np.float64)


def _size(record: Record, outline: FloatArray) -> tuple[float, float]:
    """Columns and rows that the outline is of: a tile that was filled up to size reaches beyond its scene."""
    sides = distance_m(*outline[0], *outline[1]), distance_m(*outline[0], *outline[3])
    sizes = (record["width_px"], record["height_px"])
    if not record.get("pixel_m"):
        return sizes
    width_px, height_px = (round(side / pixel) for side, pixel in zip(sides, record["pixel_m"], strict=True))
    # Distances on the map differ from those on the ground by less than a hundredth; those of a filled tile by more.
    return width_px if width_px < FILLED * sizes[0] else sizes[0], height_px if height_px < FILLED * sizes[1] else sizes[1]


def to_degrees(crs: str | None, points: FloatArray) -> FloatArray:
    """(n, 2) coordinates as longitudes and latitudes."""
    if crs is None:
        return points
    lons, lats = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*points.T)
    return np.stack([lons, lats], axis=1)


def from_degrees(crs: str | None, points: FloatArray) -> FloatArray:
    if crs is None:
        return points
    xs, ys = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*points.T)
    return np.stack([xs, ys], axis=1)


def on_globe(geometry: Any) -> Any:
    """An area in degrees, whose longitudes may run on or jump at 180, cut there and moved to [-180, 180]."""
    joined = shapely.transform(geometry, _run_on)
    if not joined.is_valid:
        joined = shapely.make_valid(joined, method="structure", keep_collapsed=False)
    pieces = [
        shapely.transform(part, lambda found, turn=turn: found - np.array([turn, 0.0]))
        for turn in (-360.0, 0.0, 360.0)
        if not (part := shapely.intersection(joined, shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0))).is_empty
        and part.area > 0
    ]
    return shapely.orient_polygons(pieces[0] if len(pieces) == 1 else shapely.union_all(pieces))


def _run_on(points: FloatArray) -> FloatArray:
    first = points[0, 0]
    return np.stack([first + (points[:, 0] - first + 180.0) % 360.0 - 180.0, points[:, 1]], axis=1)
