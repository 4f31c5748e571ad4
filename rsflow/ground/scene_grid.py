"""Where a scene's pixels lie on the ground, and boxes of its ground in the coordinates of a layer.

PROJ does the mapping (pyproj, x before y), datum shifts included; longitudes are taken to run round the globe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from rsflow.errors import ConfigError
from rsflow.spatial.geometry import Box, FloatArray

EDGE_POINTS = 21  # into which sides of a box are cut when it is projected


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
