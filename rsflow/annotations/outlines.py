"""From pixels to shapes: connected components of a mask, each with its box and its outline.

One idea: pixels that touch, also at a corner, are one component; its outline follows the pixels' edges, so it is exact, and
straight runs are one side each. Holes are not kept: a ring has none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.annotations.shapes import Ring
from rsflow.geometry import Box, ring_area

Mask = npt.NDArray[np.bool_]
_TOUCHING = np.ones((3, 3), dtype=np.int8)


def components(mask: Mask) -> Iterator[tuple[Box, Ring, int]]:
    """(box, ring, pixels) of every component of a mask (rows, cols), from top to bottom.

    Where a component only hangs together at corners the ring is that of its largest part; box and pixels are of all.
    """
    numbered, count = ndimage.label(mask, structure=_TOUCHING)
    for number, where in enumerate(ndimage.find_objects(numbered, count), 1):
        rows, cols = where
        part = numbered[where] == number
        ring = outline(part)
        moved = tuple(value + (rows.start if i % 2 else cols.start) for i, value in enumerate(ring))
        yield (float(cols.start), float(rows.start), float(cols.stop), float(rows.stop)), moved, int(part.sum())


def outline(mask: Mask) -> Ring:
    """The outer ring of the mask's largest part that hangs together by sides; empty where the mask is."""
    from rasterio.features import shapes
    from rasterio.transform import Affine

    # Traced one pixel off and moved back: of pixels where they are rasterio warns that they have no place on the ground.
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=Affine.translation(1, 1))
    rings = [tuple(float(value) - 1 for point in shape["coordinates"][0][:-1] for value in point) for shape, _ in found]
    return max(rings, key=ring_area, default=())
