"""What radar and thermal infrared measure on the ground that a photograph of the same cell shows, as labels of their group.

Spots that are warmer than their surroundings, or return a stronger echo, and what radar measures under the photograph's cloud.
Only calibrated values (kelvin, decibels, power) are used, of pictures without fill that were measured to lie on each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from rsflow.changes.areas import AreaLimits, Mask, large_areas
from rsflow.lake.raw_bands import read_physical, read_stored
from rsflow.records import LOW_ECHO, STRONG_ECHO, UNDER_CLOUD, WARM_SPOT, Label, Provenance, Shape
from rsflow.stages.group.cell_pictures import WHOLE
from rsflow.tiles.bright_targets import Floats
from rsflow.tiles.contrast_spots import LEAST_DECIBELS, LEAST_KELVIN, find_spots
from rsflow.tiles.screen import masked_cloud

MOST_SPOTS = 8
LOW_DECIBELS = -20.0  # calm water returns less, and so do other smooth surfaces
SMOOTH_PX = 5  # side of the windows whose median power is compared, for speckle
LEAST_POWER = 1e-6
_FROM = Provenance("labeller", "sensor_contrast", quality=1.0)


@dataclass(frozen=True)
class CellSensors:
    """`rows`: of the tiles, by tile_id."""

    root: str
    rows: dict[str, dict[str, Any]]

    def measure(self, group: dict[str, Any]) -> list[Label]:
        """Labels of a GROUPS row of the kind "sensors"; `text` is the role of the picture in whose pixels their boxes are."""
        members = group["members"]
        rows = [self.rows[member["tile_id"]] for member in members]
        optical = [row for row in rows if row["sensor"] == "optical"]
        is_placed = all(member["dx_px"] is not None and member["dy_px"] is not None for member in members)
        if group["kind"] != "sensors" or group["presence_only"] or not optical or not is_placed:
            return []
        labels = list[Label]()
        shift_px = max(math.hypot(member["dx_px"], member["dy_px"]) for member in members)
        for member, row in zip(members, rows, strict=True):
            if row["sensor"] != "optical" and row["raw"] and row["valid_share"] >= WHOLE:
                cloud = self._cloud(optical[0], row, shift_px)
                labels += self._measured(row, member["role"], cloud)
        return labels

    def _measured(self, row: dict[str, Any], role: str, cloud: Mask | None) -> Iterator[Label]:
        raster = read_physical(self.root, row)
        values, valid = raster.pixels[0].astype(np.float64), raster.valid & np.isfinite(raster.pixels[0])
        unit = row["raw"]["unit"]
        if unit == "kelvin":
            yield from _spots(values, valid, LEAST_KELVIN, WARM_SPOT, role, cloud=None)  # infrared does not see through cloud
        elif unit in {"db", "power"}:
            power = np.where(valid, 10 ** (np.where(valid, values, 0) / 10) if unit == "db" else values, LEAST_POWER)
            yield from _spots(_decibels(power), valid, LEAST_DECIBELS, STRONG_ECHO, role, cloud)
            if cloud is not None:
                yield from _low_echo(power, valid & cloud, role)

    def _cloud(self, optical: dict[str, Any], row: dict[str, Any], shift_px: float) -> Mask | None:
        """Where the photograph is clouded for certain, whatever the shift; None where no band tells, or on another grid."""
        if not optical["raw"] or (optical["height_px"], optical["width_px"]) != (row["height_px"], row["width_px"]):
            return None
        raster = read_stored(self.root, optical)
        cloud = masked_cloud({name: raster.pixels[i] for i, name in enumerate(raster.bands)})
        if cloud is None:
            return None
        return np.asarray(ndimage.binary_erosion(cloud & raster.valid, iterations=math.ceil(shift_px) + 1))


def _spots(values: Floats, valid: Mask, least: float, name: str, role: str, cloud: Mask | None) -> Iterator[Label]:
    for spot in find_spots(values, valid, least)[:MOST_SPOTS]:
        is_hidden = cloud is not None and bool(cloud[spot.region.rows, spot.region.cols].all())
        flags = (UNDER_CLOUD,) if is_hidden else ()
        yield Label("fact", name, _FROM, Shape(spot.box, flags=flags), role, value=spot.contrast)


def _low_echo(power: Floats, under: Mask, role: str) -> Iterator[Label]:
    """The share of the image that is clouded and returns little, in areas that are no specks."""
    smooth = ndimage.median_filter(power, SMOOTH_PX, mode="nearest")
    low = large_areas(under & (_decibels(smooth) < LOW_DECIBELS), AreaLimits(64, SMOOTH_PX / 2))
    if low.any():
        yield Label("fact", LOW_ECHO, _FROM, text=role, value=float(low.mean()))


def _decibels(power: Floats) -> Floats:
    return 10 * np.log10(np.maximum(power, LEAST_POWER))
