"""Small targets in infrared that are warmer than what is around them.

A white top-hat (the picture minus its morphological opening; for small infrared targets see Zeng, Li and
Peng 2006, Infrared Physics & Technology 48(1)) leaves what is bright and narrower than the window. What of it exceeds
`threshold_sd` robust standard deviations of the tile's top-hat is a target, within limits of size.

Contrast alone does badly: lamps, roofs, chimneys and animals are warm too, and a cold car is not. Known quality, by
benchmarks/labellers.py on 110 HIT-UAV pictures (https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset; 856 people
and vehicles): at IoU 0.3 precision 0.12, recall 0.26, F1 0.17; a threshold for the whole picture: F1 0.03. The stated quality
is that precision, below the default `labels.min_quality`, so these labels feed no task unless a configuration raises it
because its own scenes are simpler (on the demo's invented ones the same settings reach precision 0.91).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import ndimage

from rsflow.config.validation import STRICT, Positive, Share
from rsflow.labellers.contract import MeasuredQuality, Picture, missing_band, named_band, provenance, wrong_sensor
from rsflow.records import Label, Raster, Shape
from rsflow.sensors import PixelUnit, SensorName
from rsflow.tiles.bright_targets import Floats, Mask, close_gaps, connected_regions

MAD_TO_SD = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class Hotspot:
    """`window_px`: the widest target; `min_area_px`, `max_area_px` and `max_aspect` (long over short side) limit it."""

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "hotspot"
    version: ClassVar[int] = 1
    sensors: ClassVar[frozenset[SensorName]] = frozenset({"infrared"})
    measured: ClassVar[tuple[MeasuredQuality, ...]] = (
        MeasuredQuality("infrared", "HIT-UAV, 110 pictures", 0.12, 0.26),
        MeasuredQuality("infrared", "the demo's objects", 0.91, 0.74),
    )

    category: str = "hot target"
    band: str = ""  # the first one
    quality: Share = 0.12
    window_px: Positive = 31
    threshold_sd: Annotated[float, Field(gt=0)] = 8.0
    min_area_px: Positive = 30
    max_area_px: Positive = 2000
    max_aspect: Annotated[float, Field(ge=1)] = 4.0

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        return wrong_sensor(self, sensor) or missing_band(self, self.band, bands)

    def label(self, raster: Raster, picture: Picture, unit: PixelUnit, gsd_m: float | None) -> list[Label]:
        values = named_band(raster, self.band).astype(np.float32)
        valid = raster.valid & np.isfinite(values)
        if not valid.any():
            return []
        contrast = top_hat(values, valid, self.window_px)
        spread = MAD_TO_SD * float(np.median(contrast[valid]))
        limit = self.threshold_sd * max(spread, float(np.finfo(np.float32).eps))
        origin = provenance(self)
        labels = []
        for mark in connected_regions(close_gaps(valid & (contrast > limit), 1), self.min_area_px):
            x0, y0, x1, y1 = mark.box
            aspect = max(x1 - x0, y1 - y0) / min(x1 - x0, y1 - y0)
            if mark.area_px <= self.max_area_px and aspect <= self.max_aspect:
                peak = float(mark.values_in(contrast).max())
                labels.append(Label("box", self.category, origin, Shape(mark.box), score=1 - 0.5 * limit / peak))
        return labels


def top_hat(values: Floats, valid: Mask, window_px: int) -> Floats:
    """Values minus their opening by a square window; 0 where not valid, and invalid pixels lift nothing around them."""
    floor = values[valid].min()
    filled = np.where(valid, values, floor)
    lowest = ndimage.minimum_filter(np.where(valid, values, np.inf), window_px, mode="nearest")
    opened = ndimage.maximum_filter(np.where(np.isfinite(lowest), lowest, floor), window_px, mode="nearest")
    # Where the window holds invalid pixels its opening may lie above a value: there is no contrast then.
    return np.where(valid, np.maximum(filled - opened, 0), 0).astype(np.float32)
