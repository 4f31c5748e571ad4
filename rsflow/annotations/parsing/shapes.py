"""Boxes and rings as annotation files give them, checked against the picture they claim to be on.

What lies partly outside the picture is cut at its edge (annotators overshoot), what lies wholly outside or has no
area is refused with a DataError, because it says that the file and the picture do not belong together. The outline is cut first
and the box is that of what is left: a box around a turned object, cut itself, would hold ground that the object never touched.
"""

from __future__ import annotations

import math

from rsflow.errors import DataError
from rsflow.records import Shape
from rsflow.spatial.geometry import Box, Parts, Ring, area, clip_box
from rsflow.spatial.polygons import clip_parts, parts_bounds

Flags = tuple[str, ...]

EDGE_TOLERANCE_PX = 1.0  # corners of an oriented box that are so little outside are moved to the edge, and it stays oriented


def make_shape(
    box: Box,
    ring: Ring,
    height_px: int | None,
    width_px: int | None,
    oriented: bool = False,
    flags: Flags = (),
    parts: Parts = (),
) -> Shape:
    """The shape of a whole object on a picture of this size (None: unknown, then only numbers and area are checked).

    `parts`: the outline where `ring` alone does not say all of it. Post-conditions: the box has area and lies on the picture;
    so does the outline. Of an outline that the picture's edge cuts the box is that of what is left. Visibility is 1: the
    picture's edge is taken for the end of the object. An oriented box that the edge cuts is no rectangle any
    more: its outline is what is left, and it is not `oriented`. Raises DataError `box_not_a_number`,
    `polygon_not_a_number`, `box_empty` or `box_outside`.
    """
    if not all(map(math.isfinite, box)):
        raise DataError("box_not_a_number", f"found {list(box)}, expected four finite numbers")
    if area(box) == 0:
        raise DataError("box_empty", f"found {_format_box(box)}: it has no area")
    outline = parts or (((ring,),) if ring else ())
    bad = next((v for part in outline for one in part for v in one if not math.isfinite(v)), None)
    if bad is not None:
        raise DataError("polygon_not_a_number", f"found {bad} in the outline, expected finite numbers")
    if height_px is None or width_px is None:
        return Shape.of_parts(box, outline, 1.0, oriented, flags)
    picture = (0.0, 0.0, float(width_px), float(height_px))
    inside = clip_box(box, picture)
    if area(inside) == 0:
        raise _outside(box, height_px, width_px)
    if not outline or clip_box(parts_bounds(outline), picture) == parts_bounds(outline):
        return Shape.of_parts(inside, outline, 1.0, oriented, flags)
    if oriented and max(abs(a - b) for a, b in zip(inside, box, strict=True)) <= EDGE_TOLERANCE_PX:
        corners = tuple(min(max(v, 0.0), picture[3] if i % 2 else picture[2]) for i, v in enumerate(outline[0][0]))
        return Shape(inside, corners, 1.0, True, flags)
    left = clip_parts(outline, picture)
    if left:
        return Shape.of_parts(parts_bounds(left), left, 1.0, False, flags)
    if box == parts_bounds(outline):
        raise _outside(box, height_px, width_px)
    return Shape(inside, (), 1.0, False, flags)  # the file's own box is there, though its outline is elsewhere


def _outside(box: Box, height_px: int, width_px: int) -> DataError:
    return DataError(
        "box_outside", f"found {_format_box(box)}: wholly outside the picture of {height_px} rows, {width_px} columns"
    )


def _format_box(box: Box) -> str:
    return "({:g}, {:g}, {:g}, {:g})".format(*box)
