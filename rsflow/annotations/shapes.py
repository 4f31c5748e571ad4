"""Boxes and rings as annotation files give them, checked against the picture they claim to be on.

One idea: what lies partly outside the picture is cut at its edge (annotators overshoot), what lies wholly outside or has no
area is refused with a DataError, because it says that the file and the picture do not belong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

from rsflow.errors import DataError
from rsflow.geometry import Box, area, clip
from rsflow.records import Shape

Ring = tuple[float, ...]
Flags = tuple[str, ...]

OVERSHOOT_PX = 1.0  # corners of an oriented box that are so little outside are moved to the edge, and it stays oriented


def shape_on(
    box: Box, ring: Ring, height_px: int | None, width_px: int | None, oriented: bool = False, flags: Flags = ()
) -> Shape:
    """The shape of a whole object on a picture of this size (None: unknown, then only numbers and area are checked).

    Post-conditions: the box has area and lies on the picture; so does the ring, which may come out empty. Visibility is 1: the
    picture's edge is where the object ends, as far as anyone can tell. An oriented box that the edge cuts is no rectangle any
    more: its ring is what is left, and it is not `oriented`. Raises DataError `box_not_a_number`,
    `polygon_not_a_number`, `box_empty` or `box_outside`.
    """
    if not all(map(math.isfinite, box)):
        raise DataError("box_not_a_number", f"found {list(box)}, expected four finite numbers")
    if not all(map(math.isfinite, ring)):
        raise DataError("polygon_not_a_number", f"found {list(ring)[:8]}, expected finite numbers")
    if area(box) == 0:
        raise DataError("box_empty", f"found {_spelled(box)}: it has no area")
    if height_px is None or width_px is None:
        return Shape(box, ring, 1.0, oriented, flags)
    picture = (0.0, 0.0, float(width_px), float(height_px))
    inside = clip(box, picture)
    if area(inside) == 0:
        raise DataError(
            "box_outside", f"found {_spelled(box)}: wholly outside the picture of {height_px} rows, {width_px} columns"
        )
    if not ring or (min(ring) >= 0 and max(ring[::2]) <= width_px and max(ring[1::2]) <= height_px):
        return Shape(inside, ring, 1.0, oriented, flags)
    if oriented and max(abs(a - b) for a, b in zip(inside, box, strict=True)) <= OVERSHOOT_PX:
        moved = tuple(min(max(v, 0.0), picture[3] if i % 2 else picture[2]) for i, v in enumerate(ring))
        return Shape(inside, moved, 1.0, True, flags)
    return Shape(inside, largest_ring(ring_pieces(ring, picture)), 1.0, False, flags)


def ring_pieces(ring: Ring, to: Box) -> list[shapely.Polygon]:
    """The pieces of a ring's area inside a box; none where they do not meet. A ring that crosses itself is first made valid."""
    return [part for part in _polygons(shapely.intersection(valid_area(ring), shapely.box(*to))) if part.area > 0]


def valid_area(ring: Ring) -> shapely.Geometry:
    """The area a flat ring encloses, as a valid geometry (https://shapely.readthedocs.io/en/stable/reference/shapely.make_valid.html)."""
    polygon = shapely.Polygon(list(zip(ring[::2], ring[1::2], strict=True)))
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def largest_ring(pieces: Sequence[shapely.Polygon]) -> Ring:
    """The outer ring of the largest piece, flat and open, as in the records; empty where there is none."""
    if not pieces:
        return ()
    best = max(pieces, key=lambda piece: piece.area)
    return tuple(float(value) for point in list(best.exterior.coords)[:-1] for value in point)


def _polygons(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    parts = shapely.get_parts(geometry).tolist()
    if any(isinstance(part, shapely.MultiPolygon) for part in parts):
        return [piece for part in parts for piece in _polygons(part)]
    return [part for part in parts if isinstance(part, shapely.Polygon)]


def _spelled(box: Box) -> str:
    return "({:g}, {:g}, {:g}, {:g})".format(*box)
