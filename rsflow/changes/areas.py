"""Areas of a mask that are large and wide enough to be a change, and whether these are all there are.

An area counts where a square of `width_px` fits in it somewhere and it has `min_px` pixels: a narrower strip may be the
misregistration of the pictures, or of the maps, and a few pixels may be noise. Areas that are left out make the rest
incomplete, but for specks that are small together. Ground that is not known matters where a change may be in it, which
must be as wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.annotations.parsing.mask_outlines import find_components, unknown_shape
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.records import Label, Provenance, Shape

Mask = npt.NDArray[np.bool_]

SPECK_SHARE = 0.05  # of the areas that count: specks of less leave their list complete
SILENT_SHARE = 0.001  # of the picture: specks of less are nothing
MOST_AREAS = 1000  # of one kind; more are noise
_TOUCHING = np.ones((3, 3), np.int8)


@dataclass(frozen=True, slots=True)
class AreaLimits:
    """`displacement_px`: by how much two edges of the same thing may lie apart."""

    min_px: int
    displacement_px: float

    @property
    def width_px(self) -> int:
        """The side of the square that must fit: more than the displacement at both edges."""
        return 2 * math.ceil(max(self.displacement_px, 0.5)) + 1


def large_areas(mask: Mask, limits: AreaLimits) -> Mask:
    """The connected areas (sides or corners) of a mask (rows, cols) that count, whole."""
    numbered, count = ndimage.label(mask, structure=_TOUCHING)
    if not count:
        return np.zeros_like(mask)
    core = ndimage.binary_opening(mask, np.ones((limits.width_px, limits.width_px), np.bool_))
    kept = np.bincount(numbered.ravel(), minlength=count + 1) >= limits.min_px
    kept &= np.bincount(numbered[core], minlength=count + 1) > 0
    kept[0] = False
    return np.asarray(kept[numbered])


def is_negligible(specks_px: int, large_px: int, size_px: int) -> bool:
    """Whether areas that do not count are so small that the list of those that count is complete."""
    return specks_px <= max(SPECK_SHARE * large_px, SILENT_SHARE * size_px)


def area_shapes(mask: Mask, flags: tuple[str, ...] = ()) -> list[Shape]:
    """The shape of each connected area of a mask, from top to bottom."""
    height_px, width_px = mask.shape
    return [make_shape(box, (), height_px, width_px, flags=flags, parts=outline) for box, outline, _ in find_components(mask)]


def unknown_area(mask: Mask, topic: str, provenance: Provenance) -> Label:
    """The label of a topic for the area where it is not known whether it changed. The mask must not be empty."""
    return Label("change", topic, provenance, unknown_shape(mask))
