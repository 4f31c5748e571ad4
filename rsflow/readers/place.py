"""Where a scene lies on the ground: from an affine map, ground control points or rational polynomials to outlines and metres.

One idea: `locate` maps pixel corners to longitude and latitude; outlines and ground sample distance follow from it alone, the
same for every kind of georeference. A place that cannot be computed is None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import GCPTransformer, RPCTransformer
from rasterio.warp import transform as warp_points

from rsflow.geometry import FloatArray, Window
from rsflow.readers.gdal import FAILURES
from rsflow.readers.scene import GeoreferenceKind

Ring = tuple[float, ...]
Locate = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

WGS84 = CRS.from_epsg(4326)
WGS84_A_M = 6378137.0
WGS84_E2 = 0.00669437999014  # first eccentricity squared, NIMA TR8350.2


@dataclass(frozen=True, slots=True)
class Place:
    """`locate` takes columns and rows (0 is the outer edge of the first pixel) and gives degrees, WGS 84.

    `nominal_m` is the pixel size in the map's own units, as metres.
    """

    kind: GeoreferenceKind
    locate: Locate | None = None
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    nominal_m: float | None = None

    def ring(self, window: Window, segments: int) -> Ring | None:
        """The window's outline with each side in `segments` pieces, or None."""
        if self.locate is None:
            return None
        cols, rows = _outline(window, segments)
        try:
            lons, lats = self.locate(cols, rows)
        except FAILURES:
            return None
        return unwrap(lons, lats) if np.isfinite(lons).all() and np.isfinite(lats).all() else None

    def gsd_m(self, height_px: int, width_px: int) -> float | None:
        """Metres on the ground per pixel at the scene's centre, the geometric mean of both directions.

        The map's own pixel size where it agrees with the ground within 1 % (10 and not 9.996 for UTM), else what is measured
        on the ellipsoid: degrees, and Mercator maps far from the equator.
        """
        measured = self._measured_gsd_m(height_px, width_px)
        if measured and self.nominal_m and abs(measured / self.nominal_m - 1) < 0.01:
            return self.nominal_m
        return measured

    def _measured_gsd_m(self, height_px: int, width_px: int) -> float | None:
        if self.locate is None:
            return None
        col, row = width_px / 2, height_px / 2
        cols, rows = np.array([col - 0.5, col + 0.5, col, col]), np.array([row, row, row - 0.5, row + 0.5])
        try:
            lons, lats = self.locate(cols, rows)
        except FAILURES:
            return None
        gsd = math.sqrt(_metres(lons[:2], lats[:2]) * _metres(lons[2:], lats[2:]))
        return gsd if math.isfinite(gsd) and gsd > 0 else None


def place_of(dataset: Any) -> Place:
    """What an open rasterio dataset knows of its place; the affine map comes first, then GCPs, then RPCs."""
    if dataset.crs and not dataset.transform.is_identity:
        return _mapped(dataset)
    points, crs = dataset.gcps
    if points and crs:
        return Place("gcps", _by_gcps(points, crs))
    if dataset.rpcs:
        # Without terrain, the model's mean height is the best single guess.
        transformer = RPCTransformer(dataset.rpcs, RPC_HEIGHT=dataset.rpcs.height_off)
        return Place("rpcs", lambda cols, rows: _degrees(transformer, cols, rows))
    return Place("none")


def unwrap(lons: FloatArray, lats: FloatArray) -> Ring:
    """A ring whose longitudes run on beyond 180 instead of jumping; one around a pole is closed along it."""
    lons = np.unwrap(lons, period=360.0)
    turn = lons[0] - lons[-1]
    if abs(turn) > 180:  # the ring goes around a pole: coming home takes another turn
        pole = math.copysign(90.0, float(lats.mean()))
        end = lons[0] - math.copysign(360.0, turn)
        lons = np.concatenate([lons, [end, end, lons[0]]])
        lats = np.concatenate([lats, [lats[0], pole, pole]])
    lons = lons - 360.0 * math.floor((float(lons.min()) + 180.0) / 360.0)
    return tuple(np.stack([lons, lats], axis=1).reshape(-1).tolist())


def _mapped(dataset: Any) -> Place:
    crs, affine = dataset.crs, dataset.transform
    a, b, c, d, e, f = affine[:6]

    def locate(cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _to_degrees(crs, a * cols + b * rows + c, d * cols + e * rows + f)

    nominal = math.sqrt(abs(affine.determinant)) * crs.linear_units_factor[1] if crs.is_projected else None
    return Place("crs", locate, crs.to_string(), (a, b, c, d, e, f), nominal)


def _by_gcps(points: list[Any], crs: CRS) -> Locate:
    if crs.is_geographic:
        # Points on both sides of the antimeridian: without this the surface through them would fold back over the globe.
        first = points[0].x
        for point in points:
            point.x = first + (point.x - first + 180.0) % 360.0 - 180.0
    transformer = GCPTransformer(points, tps=True)

    def locate(cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _to_degrees(crs, *_degrees(transformer, cols, rows))

    return locate


def _degrees(transformer: Any, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    xs, ys = transformer.xy(rows.tolist(), cols.tolist(), offset="ul")
    return np.asarray(xs, np.float64), np.asarray(ys, np.float64)


def _to_degrees(crs: CRS, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
    if crs == WGS84:
        return xs, ys
    lons, lats = warp_points(crs, WGS84, xs.tolist(), ys.tolist())
    return np.asarray(lons, np.float64), np.asarray(lats, np.float64)


def _outline(window: Window, segments: int) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of the window's edge, clockwise from the upper left corner, without a repeated first point."""
    step = np.arange(segments) / segments
    left, top, right, bottom = window.box
    width, height, still = right - left, bottom - top, np.zeros(segments)
    cols = np.concatenate([left + width * step, right + still, right - width * step, left + still])
    rows = np.concatenate([top + still, top + height * step, bottom + still, bottom - height * step])
    return cols, rows


def _metres(lons: FloatArray, lats: FloatArray) -> float:
    """Length of a short step on the WGS 84 ellipsoid, by its two radii of curvature."""
    lat = math.radians(float(lats.mean()))
    bend = 1 - WGS84_E2 * math.sin(lat) ** 2
    east = math.radians((float(lons[1] - lons[0]) + 180.0) % 360.0 - 180.0) * math.cos(lat) * WGS84_A_M / math.sqrt(bend)
    north = math.radians(float(lats[1] - lats[0])) * WGS84_A_M * (1 - WGS84_E2) / bend**1.5
    return math.hypot(east, north)
