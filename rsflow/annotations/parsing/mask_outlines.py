"""From pixels to shapes: connected components of a mask, each with its box and its outline.

Pixels that touch, also at a corner, are one component; its outline follows the pixels' edges, so it is exact, holes
and all, and straight runs are one side each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.annotations.parsing.shapes import make_shape
from rsflow.records import UNKNOWN, Shape
from rsflow.spatial.geometry import Box, Parts
from rsflow.spatial.polygons import parts_bounds, translate_parts

Mask = npt.NDArray[np.bool_]
_TOUCHING = np.ones((3, 3), dtype=np.int8)


def find_components(mask: Mask) -> Iterator[tuple[Box, Parts, int]]:
    """(box, outline, pixels) of every component of a mask (rows, cols), from top to bottom.

    Where a component only hangs together at corners its outline has several parts.
    """
    numbered, count = ndimage.label(mask, structure=_TOUCHING)
    for number, where in enumerate(ndimage.find_objects(numbered, count), 1):
        rows, cols = where
        part = numbered[where] == number
        box = (float(cols.start), float(rows.start), float(cols.stop), float(rows.stop))
        yield box, translate_parts(trace_outline(part), cols.start, rows.start), int(part.sum())


def trace_outline(mask: Mask) -> Parts:
    """The outline of all of a mask (rows, cols), a part per group of pixels joined by their sides; its area is their number."""
    from rasterio.features import shapes
    from rasterio.transform import Affine

    # Traced one pixel off and moved back: of pixels where they are rasterio warns that they have no place on the ground.
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=Affine.translation(1, 1))
    return tuple(
        tuple(tuple(float(value) - 1 for point in ring[:-1] for value in point) for ring in shape["coordinates"])
        for shape, _ in found
    )


def unknown_shape(mask: Mask) -> Shape:
    """All of a mask (rows, cols), which must not be empty, as the shape of an area of which nothing is known."""
    outline, (height_px, width_px) = trace_outline(mask), mask.shape
    return make_shape(parts_bounds(outline), (), height_px, width_px, flags=(UNKNOWN,), parts=outline)
