"""Small spots of a tile that stand out from what surrounds them, by a measured contrast: warm ones in kelvin, strong radar
echoes in decibels.

A spot is a connected region above the tile's median by the least contrast and by SPREADS robust standard deviations, whose mean
is above the median of the ring around it by the least contrast too: that difference is what is told of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rsflow.spatial.geometry import Box
from rsflow.tiles.bright_targets import ConnectedRegion, Floats, Mask, connected_regions

LEAST_KELVIN, LEAST_DECIBELS = 3.0, 10.0
SPREADS = 5.0
MIN_PX = 4
MOST_SHARE = 0.05  # of the tile: a larger region is no spot
RING_PX = 6  # width of the ring around a spot, beyond a gap of GAP_PX
GAP_PX = 2
_NORMAL = 1.4826  # standard deviations of a normal distribution in its median absolute deviation


@dataclass(frozen=True, slots=True)
class Spot:
    """`contrast`: by how much its mean exceeds the median of its surroundings, in the unit of the values."""

    box: Box
    contrast: float
    region: ConnectedRegion


def find_spots(values: Floats, valid: Mask, least: float) -> list[Spot]:
    """The spots of a tile (rows, cols) that do not touch its edge, those of the highest contrast first."""
    if not valid.any():
        return []
    middle = float(np.median(values[valid]))
    spread = _NORMAL * float(np.median(np.abs(values[valid] - middle)))
    bright = valid & (values >= middle + max(least, SPREADS * spread))
    found = _measured(values, valid, bright, least)
    return sorted(found, key=lambda spot: (-spot.contrast, spot.box))


def _measured(values: Floats, valid: Mask, bright: Mask, least: float) -> Iterator[Spot]:
    height_px, width_px = values.shape
    for region in connected_regions(bright, MIN_PX):
        top, left = region.rows.start - GAP_PX - RING_PX, region.cols.start - GAP_PX - RING_PX
        bottom, right = region.rows.stop + GAP_PX + RING_PX, region.cols.stop + GAP_PX + RING_PX
        if region.area_px > MOST_SHARE * values.size or min(top, left) < 0 or bottom > height_px or right > width_px:
            continue
        ring = valid[top:bottom, left:right] & ~bright[top:bottom, left:right]
        ring[RING_PX:-RING_PX, RING_PX:-RING_PX] = False
        if ring.mean() < 0.25:
            continue
        contrast = float(region.values_in(values).mean() - np.median(values[top:bottom, left:right][ring]))
        if contrast >= least:
            yield Spot(region.box, contrast, region)
