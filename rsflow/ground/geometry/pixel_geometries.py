"""Features of a layer in pixels of a scene, whatever reference systems the two have.

They are mapped vertex by vertex. Another projection bends straight edges, so long ones get more vertices before; features that
reach far beyond the window are clipped first, so that a coastline costs no more than a house.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from rsflow.ground.geometry.geometries import Geometries
from rsflow.ground.geometry.rings import Mask, Rings
from rsflow.ground.geometry.shapes import Shapes, join_shapes
from rsflow.ground.scene_grid import SceneGrid, parse_crs, project_box, transformer
from rsflow.spatial.geometry import Box, FloatArray

BEND_PX = 0.05  # by which a mapped edge may miss the straight line between its ends
METRES_PER_DEGREE = 111_320.0
EARTH_RADIUS_M = 6_371_008.8


def place_shapes(
    shapes: Shapes, crs: str, grid: SceneGrid, window: Box, gsd_m: float
) -> tuple[Shapes, npt.NDArray[np.float64]]:
    """As `to_pixels`, to which only those are left that cannot be mapped point by point."""
    rows = np.flatnonzero(shapes.is_ring & _has_short_edges(shapes.bounds, crs, grid, window, gsd_m))
    rings = shapes.rings.take(rows)
    if parse_crs(crs) != parse_crs(grid.crs):
        rings = rings.map(transformer(crs, grid.crs).transform)
    direct = np.flatnonzero(np.isfinite(rings.bounds).all(axis=1) & _is_in_place(rings.bounds, grid, window))
    rows, rings = rows[direct], rings.take(direct).map(grid.pixels)
    valid = np.flatnonzero(_is_valid(rings))
    rows, rings = rows[valid], rings.take(valid)
    rest = np.setdiff1d(np.arange(len(shapes)), rows)
    shares = np.ones(len(shapes))
    parts = [(rows, Shapes.of_rings(rings))]
    if len(rest):
        geometries, shares[rest] = to_pixels(shapes.take(rest).geometries, crs, grid, window, gsd_m)
        parts.append((rest, Shapes.of(geometries)))
    return join_shapes(parts), shares


def _has_short_edges(bounds: FloatArray, crs: str, grid: SceneGrid, window: Box, gsd_m: float) -> Mask:
    """Which geometries with these bounds lie around the window and need no more vertices."""
    near = project_box(crs, grid.bounds(_grow_window(window)), grid.crs)
    inside = [((bounds[:, :2] >= box[:2]) & (bounds[:, 2:] <= box[2:])).all(axis=1) for box in near]
    found: Mask = np.logical_or.reduce(inside)
    if parse_crs(crs) != parse_crs(grid.crs):
        found &= (bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0.0) <= _edge_length(crs, near, gsd_m) / math.sqrt(2)
    return found


def _is_in_place(bounds: FloatArray, grid: SceneGrid, window: Box) -> Mask:
    """Whether geometries with these bounds (coordinates of the scene) need not be moved round the globe."""
    found = np.ones(len(bounds), np.bool_)
    if period := _period(grid.crs):
        low, _, high, _ = grid.bounds(_grow_window(window))
        meets = [(bounds[:, 0] + turn < high) & (bounds[:, 2] + turn > low) for turn in (0.0, -period, period)]
        found = meets[0] & ~meets[1] & ~meets[2]
    return found


def _is_valid(rings: Rings) -> Mask:
    found = rings.is_convex.copy()
    others = np.flatnonzero(~found)
    found[others] = shapely.is_valid(rings.take(others).to_geometries())
    return found


def to_pixels(
    geometries: Geometries, crs: str, grid: SceneGrid, window: Box, gsd_m: float
) -> tuple[Geometries, npt.NDArray[np.float64]]:
    """(geometries in pixels of the scene, the share of each whole that they are).

    What lies far beyond the window may be missing of a feature, so that its share is below 1. None where nothing is left.
    """
    near = project_box(crs, grid.bounds(_grow_window(window)), grid.crs)
    shares = np.ones(len(geometries))
    geometries = geometries.copy()
    outside = ~_within(geometries, near)
    if outside.any():
        cutter = shapely.union_all([shapely.box(*np.clip(box, -1e12, 1e12)) for box in near])
        cut = shapely.intersection(geometries[outside], cutter)
        shares[outside] = _measures(cut) / np.maximum(_measures(geometries[outside]), 1e-300)
        geometries[outside] = cut
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
        meets = (bounds[:, 0] + turn < high) & (bounds[:, 2] + turn > low)
        translate_parts: Any = np.full(len(geometries), None, dtype=object)
        translate_parts[meets] = (
            shapely.transform(geometries[meets], lambda found, turn=turn: found + np.array([turn, 0.0]))
            if turn
            else geometries[meets]
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
