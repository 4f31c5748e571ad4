"""Lengths, areas and directions on the ground, measured on the WGS 84 ellipsoid.

One idea: positions are longitudes and latitudes in degrees, and PROJ's geodesic (Karney 2013,
https://doi.org/10.1007/s00190-012-0578-z) measures between them, so the answer is right in every map projection and at every
latitude. A pixel is measured along its own two axes: on a grid in degrees it is not square on the ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pyproj import Geod

from rsflow.spatial.geometry import FloatArray

_WGS84 = Geod(ellps="WGS84")


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Length of the geodesic between two positions, metres."""
    return float(_WGS84.inv(lon, lat, other_lon, other_lat)[2])


def bearing_deg(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Direction from the first position to the second: degrees in [0, 360), 0 is north, 90 is east."""
    return float(_WGS84.inv(lon, lat, other_lon, other_lat)[0]) % 360.0


def axis_bearings(footprint: Sequence[float]) -> tuple[float, float] | None:
    """Directions on the ground, in degrees from north, in which a picture's columns (to the right) and rows (down) run.

    `footprint`: its outline, a flat ring of longitudes and latitudes clockwise from the upper left corner (as the picture shows
    it), each side in as many pieces. Measured through its middle. None where it has no extent.
    """
    ring = np.asarray(footprint, np.float64).reshape(-1, 2)
    if len(ring) < 4:
        return None
    upper_left, upper_right, lower_right, lower_left = ring[: 4 * (len(ring) // 4) : len(ring) // 4]
    left, right = (upper_left + lower_left) / 2, (upper_right + lower_right) / 2
    top, bottom = (upper_left + upper_right) / 2, (lower_left + lower_right) / 2
    if (left == right).all() or (top == bottom).all():
        return None
    return _middle_bearing(left, right), _middle_bearing(top, bottom)


def _middle_bearing(start: FloatArray, stop: FloatArray) -> float:
    """The direction of a line in its middle, where it points neither as at its start nor as at its stop."""
    middle = (start + stop) / 2
    return bearing_deg(middle[0], middle[1], stop[0], stop[1])


def pixel_size_m(lons: FloatArray, lats: FloatArray) -> tuple[float, float] | None:
    """(width, height) in metres of a pixel, from the positions (4,) of the middles of its left, right, upper and lower side.

    None where a position is not finite or the pixel has no extent.
    """
    if not (np.isfinite(lons).all() and np.isfinite(lats).all()):
        return None
    width = distance_m(lons[0], lats[0], lons[1], lats[1])
    height = distance_m(lons[2], lats[2], lons[3], lats[3])
    return (width, height) if min(width, height) > 0 and math.isfinite(width * height) else None


def is_position(lons: FloatArray, lats: FloatArray) -> bool:
    """Whether all are positions on Earth: finite, latitudes within 90 degrees, longitudes within 540 (a ring may pass 180)."""
    return bool(
        np.isfinite(lons).all()
        and np.isfinite(lats).all()
        and np.abs(lats).max() <= 90.0 + 1e-6
        and np.abs(lons).max() <= 540.0
    )
