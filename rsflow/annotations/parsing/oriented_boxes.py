"""Oriented boxes: one convention inside, and the way from and to it.

The convention, for the whole of rsflow: an oriented box is its four corners in order around it, as a flat ring in pixels
(`Shape.polygon` with `Shape.oriented`). Corners need no angle, so nothing can be misread; formats that write an angle convert
it where they are read, formats that need one get it from `rectangle`.

Where an angle must be named it is in radians, measured from the x axis (to the right) towards the y axis (down), so clockwise
on the screen. The width lies along the direction of the angle, the height across it.

What annotation formats write, and so what is converted:

| format | angle |
|---|---|
| roLabelImg, HIT-UAV | radians, clockwise on the screen, width along it: the same |
| five-number COCO boxes (Detectron2) | degrees, counterclockwise on the screen |
| MMRotate, OpenCV | radians or degrees, clockwise; they differ in range, which `corners` does not mind |
| DOTA, FAIR1M, YOLO oriented | none: corners |
"""

from __future__ import annotations

import math

import shapely

from rsflow.errors import DataError
from rsflow.spatial.geometry import Box, Ring

ANGLES = {
    "radians_clockwise": 1.0,
    "radians_counterclockwise": -1.0,
    "degrees_clockwise": math.pi / 180,
    "degrees_counterclockwise": -math.pi / 180,
}


FULL_TURN = math.tau + 1e-3  # writers round
DEGREES_HINT = "if these are degrees say so by annotations.options.angle (degrees_clockwise)"


def box_corners(cx: float, cy: float, width: float, height: float, angle: float) -> Ring:
    """The ring of a box of this centre, size and angle, from its own upper left corner on, clockwise on the screen.

    DataError `box_not_a_number` or `box_empty` where they are no box.
    """
    if not all(map(math.isfinite, (cx, cy, width, height, angle))):
        raise DataError("box_not_a_number", f"found {[cx, cy, width, height, angle]}, expected five finite numbers")
    if width <= 0 or height <= 0:
        raise DataError("box_empty", f"found width {width:g}, height {height:g}: it has no area")
    ax, ay = math.cos(angle) * width / 2, math.sin(angle) * width / 2
    bx, by = -math.sin(angle) * height / 2, math.cos(angle) * height / 2
    return (
        *(cx - ax - bx, cy - ay - by),
        *(cx + ax - bx, cy + ay - by),
        *(cx + ax + bx, cy + ay + by),
        *(cx - ax + bx, cy - ay + by),
    )


def convert_to_radians(angle: float, radians_of_one: float) -> float:
    """An angle in radians. `radians_of_one`: of its unit (ANGLES). DataError `bad_angle` for one beyond a turn in radians:
    it was written in degrees."""
    if abs(radians_of_one) == 1.0 and abs(angle) > FULL_TURN:
        raise DataError(
            "bad_angle", f"found {angle:g} for an angle in radians, expected at most a turn (6.283): {DEGREES_HINT}"
        )
    return angle * radians_of_one


def min_area_rectangle(ring: Ring) -> tuple[float, float, float, float, float]:
    """The smallest rotated rectangle round a ring as cx, cy, width, height, angle: width >= height, angle in [0, pi).

    The inverse of `corners` up to the naming of the sides (a box turned by half a turn, or by a quarter turn with its sides
    swapped, is the same box). https://shapely.readthedocs.io/en/stable/manual.html#object.minimum_rotated_rectangle
    """
    points = list(zip(ring[::2], ring[1::2], strict=True))
    found = shapely.minimum_rotated_rectangle(shapely.MultiPoint(points))
    (x0, y0), (x1, y1), (x2, y2) = list(found.exterior.coords)[:3]
    first, second = math.dist((x0, y0), (x1, y1)), math.dist((x1, y1), (x2, y2))
    across = (x1 - x0, y1 - y0) if first >= second else (x2 - x1, y2 - y1)
    angle = math.atan2(across[1], across[0]) % math.pi
    return (
        (x0 + x2) / 2,
        (y0 + y2) / 2,
        max(first, second),
        min(first, second),
        0.0 if math.isclose(angle, math.pi) else angle,
    )


def ring_bounds(ring: Ring) -> Box:
    """The box that just holds a ring."""
    xs, ys = ring[::2], ring[1::2]
    return (min(xs), min(ys), max(xs), max(ys))


def check_corner_order(ring: Ring) -> Ring:
    """Four corners as annotated, if they go round their box. DataError `crossed_corners` where their sides cross."""
    x0, y0, x1, y1, x2, y2, x3, y3 = ring
    turns = (
        (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1),
        (x2 - x1) * (y3 - y2) - (y2 - y1) * (x3 - x2),
        (x3 - x2) * (y0 - y3) - (y3 - y2) * (x0 - x3),
        (x0 - x3) * (y1 - y0) - (y0 - y3) * (x1 - x0),
    )
    if sum(turn > 0 for turn in turns) == 2 == sum(turn < 0 for turn in turns):
        raise DataError("crossed_corners", f"found corners {[round(v, 2) for v in ring]}: they do not go round the box")
    return ring
