"""Windows and boxes as numbers, and the little arithmetic that everything above shares.

One idea: coordinates are pixels of the picture, origin at its upper left corner, x to the right (columns), y down
(rows), half-open: the pixel in column c covers [c, c + 1). A box is (x0, y0, x1, y1) in such floats; an oriented one is a quad,
its four corners in order around it. Angles, text forms and map coordinates are other modules' business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]
Quad = tuple[float, float, float, float, float, float, float, float]
Region = Box | Quad  # where a thing is: horizontal, or oriented
Ring = tuple[float, ...]  # x0, y0, x1, y1, …, open: the first point is not repeated
Part = tuple[Ring, ...]  # an outer ring, then its holes
Parts = tuple[Part, ...]  # an area: see rsflow.spatial.polygons
FloatArray = npt.NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088  # mean radius R1, IUGG / WGS 84


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A rectangle of a scene in whole pixels: rows [row_off, row_off + height_px), columns likewise."""

    row_off: int
    col_off: int
    height_px: int
    width_px: int

    @property
    def row_stop(self) -> int:
        return self.row_off + self.height_px

    @property
    def col_stop(self) -> int:
        return self.col_off + self.width_px

    @property
    def box(self) -> Box:
        """The same rectangle as a box in scene pixels."""
        return (float(self.col_off), float(self.row_off), float(self.col_stop), float(self.row_stop))


def window_from_box(box: Sequence[float]) -> Window:
    """The inverse of `Window.box`, of a box at whole pixels."""
    x0, y0, x1, y1 = map(round, box)
    return Window(y0, x0, y1 - y0, x1 - x0)


def area(box: Box) -> float:
    """Area in square pixels; 0 for an empty or inverted box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def clip_box(box: Box, to: Box) -> Box:
    """The part of `box` inside `to`. Where they do not meet, the result has area 0."""
    x0, y0 = max(box[0], to[0]), max(box[1], to[1])
    return (x0, y0, max(x0, min(box[2], to[2])), max(y0, min(box[3], to[3])))


def boxes_overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def shift_box(box: Box, dx: float, dy: float) -> Box:
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def enclosing_box(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them, of which there is at least one."""
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return (min(x0s), min(y0s), max(x1s), max(y1s))


def to_quad(points: Sequence[float]) -> Quad:
    """Eight numbers as a quad. Raises ValueError for any other number of them."""
    x0, y0, x1, y1, x2, y2, x3, y3 = points
    return (x0, y0, x1, y1, x2, y2, x3, y3)


def corners(region: Region) -> Quad:
    """The four corners in order: of a box from its upper left one clockwise (as seen), of a quad as they are."""
    if len(region) == 8:
        return region
    x0, y0, x1, y1 = region
    return (x0, y0, x1, y0, x1, y1, x0, y1)


def bounding_box(region: Region) -> Box:
    """The smallest box that holds it; a box is its own."""
    if len(region) == 4:
        return region
    return (min(region[::2]), min(region[1::2]), max(region[::2]), max(region[1::2]))


def ring_area(ring: Sequence[float]) -> float:
    """Area inside a simple flat ring x0, y0, x1, y1, …, by the shoelace formula
    (https://en.wikipedia.org/wiki/Shoelace_formula)."""
    xs, ys = ring[::2], ring[1::2]
    return abs(sum(x * y1 - x1 * y for x, y, x1, y1 in zip(xs, ys, (*xs[1:], xs[0]), (*ys[1:], ys[0]), strict=True))) / 2


@dataclass(frozen=True, slots=True)
class RotatedRectangle:
    """A rotated rectangle: centre, sides in pixels, and the angle of the side `width_px` against the x axis.

    The angle is in radians, positive where it turns x towards y, which is clockwise as seen (y points down).
    """

    x: float
    y: float
    width_px: float
    height_px: float
    angle: float

    @property
    def quad(self) -> Quad:
        """Its corners in order; at angle 0 from the upper left one clockwise."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        halves = [(sx * self.width_px / 2, sy * self.height_px / 2) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        return to_quad([value for u, v in halves for value in (self.x + u * cos - v * sin, self.y + u * sin + v * cos)])


def min_area_rectangle(region: Region) -> RotatedRectangle:
    """The smallest rectangle that holds its corners, with a side along one of its own sides. Its angle is in [0, pi / 2)."""
    points = np.array(corners(region), dtype=np.float64).reshape(4, 2)
    best = RotatedRectangle(float(points[:, 0].mean()), float(points[:, 1].mean()), 0.0, 0.0, 0.0)
    least = math.inf
    for dx, dy in np.roll(points, -1, axis=0) - points:
        angle = math.atan2(dy, dx) % (math.pi / 2)
        if not (dx or dy) or math.isclose(angle, math.pi / 2, abs_tol=1e-12):
            angle = 0.0
        axes = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        low, high = (points @ axes).min(axis=0), (points @ axes).max(axis=0)
        x, y = axes @ ((low + high) / 2)
        width, height = (high - low).tolist()
        if (dx or dy) and width * height < least * (1 - 1e-9):
            least, best = width * height, RotatedRectangle(float(x), float(y), width, height, angle)
    return best


def iou(a: Box, b: Box) -> float:
    """Intersection over union, in [0, 1]; 0 where both are empty."""
    common = area(clip_box(a, b))
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """Pairwise intersection over union of boxes (n, 4) and (m, 4): an array (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    size_a = np.prod(np.clip(a[:, 2:] - a[:, :2], 0, None), axis=1)
    size_b = np.prod(np.clip(b[:, 2:] - b[:, :2], 0, None), axis=1)
    union = size_a[:, None] + size_b[None, :] - common
    matrix: FloatArray = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return matrix


def ground_cell(lon: float, lat: float, cell_km: float) -> str:
    """The name of the cell of `ground_cells` that holds a point."""
    ((row, column),) = ground_cells(np.array([lon]), np.array([lat]), cell_km).tolist()
    return f"{cell_km:g}km/{row:+d}/{column}"


def ground_cells(lons: FloatArray, lats: FloatArray, cell_km: float) -> npt.NDArray[np.int64]:
    """(n, 2): row and column of the cells of a global equal-height grid that hold these points: rows of `cell_km`, each cut
    into columns about as wide.

    Rows count from the equator northward, columns from longitude -180 eastward; the number of columns of a row falls with
    the cosine of its latitude (the layout of the Major TOM grid, https://arxiv.org/abs/2402.12095, with our own spelling).
    The same place gives the same cell for every sensor, date and projection.
    """
    row_deg = math.degrees(cell_km / EARTH_RADIUS_KM)
    rows = np.floor(lats / row_deg)
    middles = np.radians(np.minimum(89.9, np.abs((rows + 0.5) * row_deg)))
    counts = np.maximum(1, np.round(360.0 * np.cos(middles) / row_deg))
    columns = np.floor((lons + 180.0) % 360.0 / 360.0 * counts) % counts
    return np.stack([rows, columns], axis=1).astype(np.int64)
