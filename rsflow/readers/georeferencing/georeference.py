"""Where a scene lies on the ground: from an affine map, ground control points or rational polynomials to outlines and metres.

One idea: `locate` maps pixel corners to longitude and latitude; outlines and ground sample distance follow from it alone, the
same for every kind of georeference. A place that cannot be computed is None, never a guess.

A georeference that cannot be true is refused as a whole, whatever its kind: numbers that are not finite, pixels without width
or height, a scene that lies nowhere on Earth (metres taken for degrees, millimetres taken for metres). The scene is then read
as one without a place, and `Georeference.fault` gives the reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import GCPTransformer, RPCTransformer
from rasterio.warp import transform as warp_points

from rsflow.readers.contract import GeoreferenceKind, Locate
from rsflow.readers.gdal import FAILURES
from rsflow.spatial.geodesy import is_position, pixel_size_m
from rsflow.spatial.geometry import FloatArray, Window

Ring = tuple[float, ...]

WGS84 = CRS.from_epsg(4326)
EARTH_TURN_M = 4.01e7  # a little more than the equator's length
FAULT_SEGMENTS = 4  # points of each side that are checked for an impossible place
SAME_SIZE = 0.01  # up to this relative difference the map's own pixel size is the one on the ground


@dataclass(frozen=True, slots=True)
class Georeference:
    """`locate` takes columns and rows (0 is the outer edge of the first pixel) and gives degrees, WGS 84.

    `nominal_m` is the width and height of a pixel in the map's own units, as metres. `fault` says why a georeference that the
    file has was refused; the kind is "none" then.
    """

    kind: GeoreferenceKind
    locate: Locate | None = None
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    nominal_m: tuple[float, float] | None = None
    fault: str | None = None

    def footprint(self, window: Window, segments: int) -> Ring | None:
        """The window's outline with each side in `segments` pieces, or None."""
        if self.locate is None:
            return None
        try:
            lons, lats = self.locate(*_outline(window, segments))
        except FAILURES:
            return None
        return unwrap_ring(lons, lats) if is_position(lons, lats) else None

    def pixel_m(self, window: Window) -> tuple[float, float] | None:
        """Metres on the ground (width, height) of a pixel in the window's middle, or None.

        The map's own pixel size where it agrees with the ground within 1 % (10 and not 9.996 for UTM), else what is measured
        on the ellipsoid: degrees, and Mercator maps far from the equator.
        """
        measured = self._measured(window)
        if measured is None or self.nominal_m is None:
            return measured
        pairs = zip(measured, self.nominal_m, strict=True)
        return self.nominal_m if all(abs(one / other - 1) < SAME_SIZE for one, other in pairs) else measured

    def _measured(self, window: Window) -> tuple[float, float] | None:
        if self.locate is None:
            return None
        col, row = (window.col_off + window.col_stop) / 2, (window.row_off + window.row_stop) / 2
        try:
            lons, lats = self.locate(np.array([col - 0.5, col + 0.5, col, col]), np.array([row, row, row - 0.5, row + 0.5]))
        except FAILURES:
            return None
        return pixel_size_m(lons, lats)


def read_georeference(dataset: Any, stated: dict[str, Any] | None = None) -> Georeference:
    """The georeference of an open rasterio dataset; the affine map comes first, then GCPs, then RPCs.

    `stated`: `crs`, `transform` (a to f) and `shape` (rows, cols) that metadata states of a file which knows nothing itself.
    """
    place = _stated(dataset)
    if place.kind == "none" and stated:
        place = _by_metadata(dataset, stated)
        if place.fault:
            return place
    fault = _fault(place, dataset.height, dataset.width)
    return Georeference("none", fault=fault) if fault else place


def _stated(dataset: Any) -> Georeference:
    if dataset.crs and not dataset.transform.is_identity:
        return map_georeference(dataset.crs, dataset.transform[:6])
    points, crs = dataset.gcps
    if points and crs:
        if crs.is_geographic and not is_position(np.array([p.x for p in points]), np.array([p.y for p in points])):
            return Georeference("gcps", lambda cols, rows: (np.full(len(cols), np.nan), np.full(len(rows), np.nan)))
        return Georeference("gcps", _by_gcps(points, crs))
    if dataset.rpcs:
        # Without terrain, the model's mean height is the best single guess.
        transformer = RPCTransformer(dataset.rpcs, RPC_HEIGHT=dataset.rpcs.height_off)
        return Georeference("rpcs", lambda cols, rows: _degrees(transformer, cols, rows))
    return Georeference("none")


def _by_metadata(dataset: Any, stated: dict[str, Any]) -> Georeference:
    if [dataset.height, dataset.width] != list(stated["shape"]):
        found = f"{dataset.height} rows and {dataset.width} columns, but its metadata places {stated['shape']}"
        return Georeference("none", fault=f"it has {found}: another picture")
    try:
        crs = CRS.from_user_input(stated["crs"])
    except FAILURES as error:
        return Georeference("none", fault=f"its metadata names the coordinate reference system {stated['crs']!r}: {error}")
    return map_georeference(crs, stated["transform"])


def _fault(place: Georeference, height_px: int, width_px: int) -> str | None:
    """Why the place cannot be true, None where nothing speaks against it."""
    if place.transform is not None:
        a, b, _, d, e, _ = place.transform
        if not all(math.isfinite(value) for value in place.transform):
            return f"its transform is {place.transform}, expected finite numbers"
        if a * e == b * d:
            return f"its transform is {place.transform}: pixels have no width or no height"
    if place.locate is None or _is_local(place):
        return None
    # Of a view of the whole Earth the corners are in space, so only positions that lie on the map must be possible.
    middle = np.array([width_px / 2]), np.array([height_px / 2])
    outline = _outline(Window(0, 0, height_px, width_px), FAULT_SEGMENTS)
    lon, lat = np.concatenate([_found(place.locate, *middle), _found(place.locate, *outline)], axis=1)
    known = np.isfinite(lon) & np.isfinite(lat)
    if known.any() and is_position(lon[known], lat[known]) and np.ptp(lon[known]) <= 360.0 + 1e-6:
        if known[0] and place.pixel_m(Window(0, 0, height_px, width_px)) is None:
            return f"a pixel in its middle, longitude {lon[0]:g}, latitude {lat[0]:g}, has no width or no height on the ground"
        return _turns_fault(place, width_px / 2, height_px / 2, lon[0], lat[0]) if known[0] else None
    return f"its middle would lie at longitude {lon[0]:g}, latitude {lat[0]:g} ({place.crs or 'EPSG:4326'}): nowhere on Earth"


def _turns_fault(place: Georeference, col: float, row: float, lon: float, lat: float) -> str | None:
    """Cylindrical maps go round and round: a place more than a turn beyond its map's edge is an error."""
    if place.transform is None or place.nominal_m is None:
        return None
    a, b, c, *_ = place.transform
    try:
        back, _ = warp_points(WGS84, CRS.from_user_input(place.crs), [lon], [lat])
    except FAILURES:
        return None
    x, to_m = a * col + b * row + c, CRS.from_user_input(place.crs).linear_units_factor[1]
    if abs(x - back[0]) * to_m <= EARTH_TURN_M:
        return None
    return f"its middle lies at {x:g} east in {place.crs}, expected about {back[0]:g}: more than a turn around the Earth away"


def _found(locate: Locate, cols: FloatArray, rows: FloatArray) -> FloatArray:
    """Longitudes and latitudes (2, n); NaN where they cannot be computed."""
    try:
        return np.stack(locate(cols, rows))
    except FAILURES:
        return np.full((2, len(cols)), np.nan)


def _is_local(place: Georeference) -> bool:
    """Whether its coordinate system is a plan of its own, without a relation to the Earth."""
    if place.crs is None:
        return False
    crs = CRS.from_user_input(place.crs)
    return not (crs.is_geographic or crs.is_projected)


def unwrap_ring(lons: FloatArray, lats: FloatArray) -> Ring:
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


def map_georeference(crs: CRS, transform: Sequence[float]) -> Georeference:
    """Of an affine map (a, b, c, d, e, f) to the coordinates of a reference system."""
    a, b, c, d, e, f = transform

    def locate(cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return to_degrees(crs, a * cols + b * rows + c, d * cols + e * rows + f)

    factor = crs.linear_units_factor[1] if crs.is_projected else None
    nominal = (math.hypot(a, d) * factor, math.hypot(b, e) * factor) if factor else None
    return Georeference("crs", locate, crs.to_string(), (a, b, c, d, e, f), nominal)


def _by_gcps(points: list[Any], crs: CRS) -> Locate:
    if crs.is_geographic:
        # Points on both sides of the antimeridian: without this the surface through them would fold back over the globe.
        first = points[0].x
        for point in points:
            point.x = first + (point.x - first + 180.0) % 360.0 - 180.0
    transformer = GCPTransformer(points, tps=True)

    def locate(cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return to_degrees(crs, *_degrees(transformer, cols, rows))

    return locate


def _degrees(transformer: Any, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    xs, ys = transformer.xy(rows.tolist(), cols.tolist(), offset="ul")
    return np.asarray(xs, np.float64), np.asarray(ys, np.float64)


def to_degrees(crs: CRS, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Longitudes and latitudes (WGS 84) of coordinates."""
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
