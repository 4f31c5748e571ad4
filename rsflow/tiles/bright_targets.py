"""Bright marks of a tile as objects: from a mask to boxes.

Shared by the labellers that detect by contrast. A mark is a connected region (8 neighbours); its box is the tight
half-open box of its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.spatial.geometry import Box

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]

EIGHT = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, slots=True)
class ConnectedRegion:
    """A connected region: the part of the tile that just holds it, and which pixels of that part are its own."""

    rows: slice
    cols: slice
    mask: Mask

    @property
    def area_px(self) -> int:
        return int(self.mask.sum())

    @property
    def box(self) -> Box:
        return (float(self.cols.start), float(self.rows.start), float(self.cols.stop), float(self.rows.stop))

    def values_in(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The values (rows, cols) of a tile at the mark's pixels, flat."""
        return np.asarray(values[self.rows, self.cols][self.mask])


def connected_regions(mask: Mask, min_area_px: float = 1.0) -> Iterator[ConnectedRegion]:
    """The connected regions of a mask that have at least so many pixels, in reading order of their first pixel."""
    numbered, _ = ndimage.label(mask, EIGHT)
    for number, place in enumerate(ndimage.find_objects(numbered), 1):
        mark = ConnectedRegion(place[0], place[1], numbered[place] == number)
        if mark.area_px >= min_area_px:
            yield mark


def largest_region(mask: Mask) -> ConnectedRegion | None:
    """The largest connected region (the first of equal ones), or None of an empty mask."""
    return max(connected_regions(mask), key=lambda mark: mark.area_px, default=None)


def close_gaps(mask: Mask, radius_px: int) -> Mask:
    """Morphological closing by a diamond, without losing what touches the edge of the tile."""
    if radius_px == 0:
        return mask
    wide = ndimage.binary_closing(np.pad(mask, radius_px), iterations=radius_px)
    return np.asarray(wide[radius_px:-radius_px, radius_px:-radius_px])


def window_sum(values: Floats, size_px: int) -> Floats:
    """The sum over a square window around each pixel; zero outside the tile."""
    total: Floats = ndimage.uniform_filter(values, size_px, output=np.float64, mode="constant") * size_px**2
    return total
