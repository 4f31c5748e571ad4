"""Between the coordinates of a map projection and the pixels of a scene, for every kind of georeference.

One idea: an affine map is inverted by its formula and PROJ does the rest; ground control points and rational polynomials are
known forward only, from pixels to degrees, so a pixel is found by Newton's method on that same forward mapping: outlines,
annotations and pixels then agree.

Longitudes run round the globe: a position is taken at the turn that is nearest to the scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from pyproj import CRS, Transformer

from rsflow.readers.contract import Locate, SceneInfo, SceneReader
from rsflow.spatial.geometry import FloatArray

STEPS = 8  # of Newton's method; each squares the error
START_NODES = 17  # along each side of the scene, of which the nearest is where the search begins
FOUND_PX = 1e-3
EARTH_TURN_M = 2 * math.pi * 6_378_137.0  # of the web's Mercator map


@dataclass(frozen=True, slots=True)
class AffineMapping:
    """Of a scene with a map: `forward` from the target's to the scene's reference system, `period` of its x round the globe."""

    forward: Transformer
    transform: tuple[float, ...]
    middle_x: float
    period: float
    max_error_px: ClassVar[float] = 0.01  # that interpolation between its values may add

    def to_pixels(self, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
        east, north = self.forward.transform(xs, ys)
        if self.period:
            east = east - self.period * np.round((east - self.middle_x) / self.period)
        a, b, c, d, e, f = inverse_affine(self.transform)
        with np.errstate(invalid="ignore"):
            return a * east + b * north + c, d * east + e * north + f

    def from_pixels(self, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        a, b, c, d, e, f = self.transform
        east, north = a * cols + b * rows + c, d * cols + e * rows + f
        xs, ys = self.forward.transform(east, north, direction="INVERSE")
        return xs, ys


@dataclass(frozen=True)
class LocatedMapping:
    """Of a scene that is known by `locate` alone. `degrees`: from the target's reference system to longitude and latitude."""

    degrees: Transformer
    locate: Locate
    height_px: int
    width_px: int
    max_error_px: ClassVar[float] = 0.1  # control points and polynomials themselves are rarely right to a pixel

    def to_pixels(self, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
        lons, lats = self.degrees.transform(xs, ys)
        cols, rows = self._nearest_nodes(lons, lats)
        found = np.zeros(len(cols), np.bool_)
        for _ in range(STEPS):
            left = np.flatnonzero(~found & np.isfinite(cols + rows))
            if not len(left):
                break
            dx, dy = self._step(cols[left], rows[left], lons[left], lats[left])
            found[left] = np.hypot(dx, dy) <= FOUND_PX
            # A step beyond half the scene comes from where the forward mapping is no longer smooth.
            cols[left] += np.clip(dx, -self.width_px / 2, self.width_px / 2)
            rows[left] += np.clip(dy, -self.height_px / 2, self.height_px / 2)
        return np.where(found, cols, np.nan), np.where(found, rows, np.nan)

    def from_pixels(self, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        xs, ys = self.degrees.transform(*self.locate(cols, rows), direction="INVERSE")
        return xs, ys

    def _step(self, cols: FloatArray, rows: FloatArray, lons: FloatArray, lats: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far the pixel at a position lies from the one that shows the longitude and latitude."""
        count = len(cols)
        found_lons, found_lats = self.locate(
            np.concatenate([cols, cols + 0.5, cols - 0.5, cols, cols]),
            np.concatenate([rows, rows, rows, rows + 0.5, rows - 0.5]),
        )
        lon, lat = found_lons.reshape(5, count), found_lats.reshape(5, count)
        lon_col, lon_row = _turned(lon[1] - lon[2]), _turned(lon[3] - lon[4])
        lat_col, lat_row = lat[1] - lat[2], lat[3] - lat[4]
        east, north = _turned(lons - lon[0]), lats - lat[0]
        area = lon_col * lat_row - lon_row * lat_col
        with np.errstate(invalid="ignore", divide="ignore"):
            return (east * lat_row - north * lon_row) / area, (north * lon_col - east * lat_col) / area

    def _nearest_nodes(self, lons: FloatArray, lats: FloatArray) -> tuple[FloatArray, FloatArray]:
        node_cols, node_rows, node_lons, node_lats = self._nodes
        east = _turned(lons[:, None] - node_lons) * np.cos(np.radians(node_lats))
        distance = east**2 + (lats[:, None] - node_lats) ** 2
        nearest = np.argmin(np.where(np.isfinite(distance), distance, np.inf), axis=1)
        return node_cols[nearest], node_rows[nearest]

    @property
    def _nodes(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return _start_nodes(self.locate, self.height_px, self.width_px)


GroundMapping = AffineMapping | LocatedMapping


def ground_mapping(reader: SceneReader, crs: str) -> GroundMapping:
    """Between x and y in `crs` and pixels of a scene that has a place on the ground. ValueError where it has none."""
    info = reader.info
    if info.transform is not None and info.crs is not None:
        own = CRS.from_user_input(info.crs)
        middle = info.transform[0] * info.width_px / 2 + info.transform[1] * info.height_px / 2 + info.transform[2]
        return AffineMapping(_transformer(crs, info.crs), info.transform, middle, _period(own))
    if reader.locate is None:
        raise ValueError("the scene has no place on the ground")
    return LocatedMapping(_transformer(crs, "EPSG:4326"), reader.locate, info.height_px, info.width_px)


def inverse_affine(transform: tuple[float, ...]) -> tuple[float, float, float, float, float, float]:
    """From x and y to column and row."""
    a, b, c, d, e, f = transform
    area = a * e - b * d
    return (e / area, -b / area, (b * f - c * e) / area, -d / area, a / area, (c * d - a * f) / area)


def is_same_crs(info: SceneInfo, crs: str) -> bool:
    """Whether the scene has an affine map to exactly this reference system."""
    return info.transform is not None and info.crs is not None and (info.crs == crs or _parsed(info.crs) == _parsed(crs))


@lru_cache(maxsize=8)
def _start_nodes(locate: Locate, height_px: int, width_px: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Columns, rows, longitudes and latitudes of places all over a scene."""
    cols, rows = np.meshgrid(np.linspace(0, width_px, START_NODES), np.linspace(0, height_px, START_NODES))
    lons, lats = locate(cols.ravel(), rows.ravel())
    return cols.ravel(), rows.ravel(), lons, lats


def _turned(degrees: FloatArray) -> FloatArray:
    """A difference of longitudes in [-180, 180]."""
    return degrees - 360.0 * np.round(degrees / 360.0)


def _period(crs: CRS) -> float:
    """Once round the globe in a reference system whose x is longitude, 0 in any other."""
    if crs.is_geographic:
        return 2 * math.pi / crs.axis_info[0].unit_conversion_factor
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    return EARTH_TURN_M if "Pseudo Mercator" in method else 0.0


@lru_cache(maxsize=64)
def _parsed(text: str) -> CRS:
    return CRS.from_user_input(text)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(_parsed(source), _parsed(target), always_xy=True)
