"""Between a layer's coordinates and a scene's pixels, whatever reference systems the two have.

A window's box is projected to the layer's coordinates to read features, which are mapped vertex by vertex to pixels. Another
projection bends straight edges, so long ones are cut by vertices before; features that reach far beyond the window are clipped
first, so that a coastline costs no more than a house.

PROJ does the mapping (pyproj, x before y), datum shifts included; longitudes are taken to run round the globe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from rsflow.errors import ConfigError
from rsflow.ground.geometries import Geometries
from rsflow.spatial.geometry import Box, FloatArray

EDGE_POINTS = 21  # into which sides of a box are cut when it is projected
BEND_PX = 0.05  # by which a mapped edge may miss the straight line between its ends
METRES_PER_DEGREE = 111_320.0
EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class SceneGrid:
    """Where a scene's pixels lie: the affine map a, b, c, d, e, f from (column, row) to coordinates of `crs`."""

    crs: str
    transform: tuple[float, float, float, float, float, float]

    def coordinates(self, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        a, b, c, d, e, f = self.transform
        return a * cols + b * rows + c, d * cols + e * rows + f

    def pixels(self, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(columns, rows): the inverse of `coordinates`."""
        a, b, c, d, e, f = self.transform
        size = a * e - b * d
        return (e * (xs - c) - b * (ys - f)) / size, (a * (ys - f) - d * (xs - c)) / size

    def shifted(self, dx: float, dy: float) -> SceneGrid:
        """A grid on which everything lies (dx, dy) pixels further right and down."""
        a, b, c, d, e, f = self.transform
        return SceneGrid(self.crs, (a, b, c - a * dx - b * dy, d, e, f - d * dx - e * dy))

    def bounds(self, window: Box) -> Box:
        """The smallest box of coordinates around a box of pixels."""
        x0, y0, x1, y1 = window
        xs, ys = self.coordinates(np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1]))
        return (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))


@lru_cache(maxsize=64)
def parse_crs(text: str) -> CRS:
    """ConfigError where PROJ does not know it."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise ConfigError(f"coordinate reference system {text[:80]!r} is not known to PROJ: {error}") from error


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)


def project_box(crs: str, box: Box, box_crs: str) -> list[Box]:
    """Boxes of coordinates in `crs` that together hold everything of `box`; two where it crosses the antimeridian.

    The whole world where the projection has no place for a part of the box.
    """
    try:
        x0, y0, x1, y1 = transformer(box_crs, crs).transform_bounds(*_in_range(box, box_crs), densify_pts=EDGE_POINTS)
    except ProjError:
        x0 = math.inf
        y0 = x1 = y1 = x0
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        return [(-math.inf, -math.inf, math.inf, math.inf)]
    if not parse_crs(crs).is_geographic:
        return [(x0, y0, x1, y1)]
    if x0 <= x1:
        # A file may hold longitudes beyond 180, and a box may lie there too.
        return [(x0 + turn, y0, x1 + turn, y1) for turn in (0.0, -360.0, 360.0) if x0 + turn < 360.0 and x1 + turn > -360.0]
    return [(x0, y0, 360.0, y1), (-360.0, y0, x1, y1)]


def _in_range(box: Box, crs: str) -> Box:
    """A box in degrees moved to longitudes from -180 on; across the antimeridian, x0 > x1."""
    if not parse_crs(crs).is_geographic:
        return box
    x0, y0, x1, y1 = box
    if x1 - x0 >= 360.0:
        return (-180.0, y0, 180.0, y1)
    turn = 360.0 * math.floor((x0 + 180.0) / 360.0)
    x0, x1 = x0 - turn, x1 - turn
    return (x0, max(y0, -90.0), x1 - 360.0 if x1 > 180.0 else x1, min(y1, 90.0))


def to_pixels(
    geometries: Geometries, crs: str, grid: SceneGrid, window: Box, gsd_m: float
) -> tuple[Geometries, npt.NDArray[np.float64]]:
    """(geometries in pixels of the scene, the share of each whole that they are).

    What lies far beyond the window may be missing of a feature, so that its share is below 1. None where nothing is left.
    """
    near = project_box(crs, grid.bounds(_grow_window(window)), grid.crs)
    shares = np.ones(len(geometries))
    geometries = geometries.copy()
    far = ~_within(geometries, near)
    if far.any():
        cutter = shapely.union_all([shapely.box(*np.clip(box, -1e12, 1e12)) for box in near])
        cut = shapely.intersection(geometries[far], cutter)
        shares[far] = _measures(cut) / np.maximum(_measures(geometries[far]), 1e-300)
        geometries[far] = cut
    if parse_crs(crs) != parse_crs(grid.crs):
        longest = _edge_length(crs, near, gsd_m)
        wide = np.nan_to_num(np.ptp(shapely.bounds(geometries).reshape(-1, 2, 2), axis=1)).max(axis=1) > longest / math.sqrt(2)
        geometries[wide] = shapely.segmentize(geometries[wide], longest)
        geometries = _mapped(geometries, transformer(crs, grid.crs))
    geometries = _turned(geometries, grid, window)
    geometries = shapely.transform(geometries, lambda xs, ys: grid.pixels(xs, ys), interleaved=False)
    geometries[shapely.is_empty(geometries)] = None
    bent = ~shapely.is_missing(geometries) & ~shapely.is_valid(geometries)
    geometries[bent] = shapely.make_valid(geometries[bent], method="structure", keep_collapsed=False)
    return geometries, shares


def _grow_window(window: Box) -> Box:
    x0, y0, x1, y1 = window
    return (x0 - (x1 - x0), y0 - (y1 - y0), x1 + (x1 - x0), y1 + (y1 - y0))


def _within(geometries: Geometries, boxes: Sequence[Box]) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = shapely.bounds(geometries).T
    inside = [(x0 >= box[0]) & (y0 >= box[1]) & (x1 <= box[2]) & (y1 <= box[3]) for box in boxes]
    found: npt.NDArray[np.bool_] = np.logical_or.reduce(inside) | shapely.is_missing(geometries)
    return found


def _measures(geometries: Geometries) -> npt.NDArray[np.float64]:
    """Areas, of lines lengths, of points their number."""
    areas, lengths = shapely.area(geometries), shapely.length(geometries)
    counts = shapely.get_num_geometries(geometries).astype(np.float64)
    found: npt.NDArray[np.float64] = np.where(areas > 0, areas, np.where(lengths > 0, lengths, counts))
    return found


def _edge_length(crs: str, boxes: Sequence[Box], gsd_m: float) -> float:
    """The longest edge, in units of `crs`, that a projection bends by less than BEND_PX: its sagitta on a circle of curvature
    tan(latitude) / R, which is that of a parallel."""
    known = parse_crs(crs)
    latitudes = [abs(value) for box in boxes for value in (box[1], box[3])] if known.is_geographic else [60.0]
    curvature = math.tan(math.radians(min(max(*latitudes, 30.0), 85.0))) / EARTH_RADIUS_M
    metres = math.sqrt(8.0 * BEND_PX * gsd_m / curvature)
    return metres / (METRES_PER_DEGREE if known.is_geographic else known.axis_info[0].unit_conversion_factor or 1.0)


def _mapped(geometries: Geometries, mapping: Transformer) -> Geometries:
    coordinates = shapely.get_coordinates(geometries)
    xs, ys = mapping.transform(coordinates[:, 0], coordinates[:, 1])
    mapped = shapely.set_coordinates(geometries.copy(), np.stack([xs, ys], axis=1))
    infinite = ~shapely.is_missing(mapped) & ~np.isfinite(shapely.bounds(mapped)).all(axis=1)
    mapped[infinite] = None
    found: Geometries = mapped
    return found


def _turned(geometries: Geometries, grid: SceneGrid, window: Box) -> Geometries:
    """Geometries in the scene's coordinates, moved round the globe to where its window is."""
    period = _period(grid.crs)
    if not period:
        return geometries
    low, _, high, _ = grid.bounds(_grow_window(window))
    bounds = shapely.bounds(geometries)
    turns = []
    for turn in (-period, 0.0, period):
        there = (bounds[:, 0] + turn < high) & (bounds[:, 2] + turn > low)
        translate_parts: Any = np.full(len(geometries), None, dtype=object)
        translate_parts[there] = (
            shapely.transform(geometries[there], lambda found, turn=turn: found + np.array([turn, 0.0]))
            if turn
            else geometries[there]
        )
        turns.append(translate_parts)
    several = sum((~shapely.is_missing(translate_parts)).astype(int) for translate_parts in turns) > 1
    result: Geometries = np.where(
        shapely.is_missing(turns[1]), np.where(shapely.is_missing(turns[0]), turns[2], turns[0]), turns[1]
    )
    for row in np.flatnonzero(several):
        result[row] = shapely.union_all([translate_parts[row] for translate_parts in turns])
    return result


def _period(crs: str) -> float:
    """Once around the globe in a system whose x is longitude, 0 in any other."""
    known = parse_crs(crs)
    if known.is_geographic:
        return 360.0
    method = known.coordinate_operation.method_name if known.coordinate_operation else ""
    return 2 * math.pi * 6_378_137.0 if "Pseudo Mercator" in method else 0.0
