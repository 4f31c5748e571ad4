"""Ships and other bright targets in SAR by their contrast to the clutter around them.

One idea: cell-averaging CFAR (constant false alarm rate; Finn and Johnson 1968, for ships in SAR see Crisp 2004,
https://apps.dtic.mil/sti/citations/ADA426096). A pixel is bright where its amplitude exceeds the mean of a ring around it by
`extent_sd` standard deviations; bright pixels are then taken out of the rings and the rings measured again (censoring), so
that a large ship does not hide itself or its neighbour. Bright pixels that touch are one target, kept where its brightest
tenth exceeds the ring by `peak_sd`: piers, islets and breakers are bright, ships are far brighter. The box is that of the
target's body, without the faint arms that a strong reflector draws in range and azimuth.

Land guard: where the mean of a window exceeds `land_ratio` times the tile's darkest level over a large connected region, there
is land, which neither holds targets nor counts as clutter. So ships alongside a quay are missed. A tile without water has no
dark level to compare with; there a second guard helps: clutter that varies more than speckle can (`max_clutter_cv`; the
amplitude of single-look speckle, a Rayleigh distribution, has 0.52) is no sea. Neither
is a surface whose window means differ among themselves (`max_water_spread`: the distance of their quartiles in standard
deviations, over their median): on HRSID's pictures water has 0.04 to 0.116, fields that differ by 15 % have 0.125. Where
nothing in the tile is as even as water, no target is claimed.

Known quality, by benchmarks/labellers.py on 22 HRSID pictures (https://github.com/chaozhong2010/HRSID; 40 ships, 10 of them
alongside): at IoU 0.3 precision 0.94, recall 0.75, F1 0.83 (every second picture alone: 0.84 and 0.82), at IoU 0.5 F1 0.81; a
threshold for the whole picture: 0.67 and 0.56. On the demo's radar scenes, which no setting was looked at on, precision is
0.85: that is the stated quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import ndimage

from rsflow.config.validation import STRICT, Positive, Share
from rsflow.labellers.bright_targets import (
    ConnectedRegion,
    Floats,
    Mask,
    close_gaps,
    connected_regions,
    largest_region,
    window_sum,
)
from rsflow.labellers.contract import MeasuredQuality, Picture, missing_band, named_band, provenance, wrong_sensor
from rsflow.records import Label, Raster, Shape
from rsflow.sensors import PixelUnit, SensorName
from rsflow.spatial.geometry import Box

WHOLE_WINDOW = 0.95  # of a window that must be clear
TARGET_LEVEL = 4.0  # single-look speckle is beyond 4 times its median once in 65,000 pixels
IQR_TO_SD = 1.349  # of a normal distribution

Above = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Cfar:
    """Lengths ending in `_px` are pixels; where the ground sample distance is known, `_m` and `_m2` say what a target is."""

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "cfar"
    version: ClassVar[int] = 2
    sensors: ClassVar[frozenset[SensorName]] = frozenset({"sar"})
    measured: ClassVar[tuple[MeasuredQuality, ...]] = (
        MeasuredQuality("sar", "HRSID, 22 pictures", 0.94, 0.75),
        MeasuredQuality("sar", "the demo's ships", 0.85, 0.67),
    )

    category: str = "ship"
    band: str = ""  # the first one
    quality: Share = 0.85
    ring_px: Positive = 121  # outer side of the training ring
    guard_px: Positive = 61  # its inner side: longer than half a target
    extent_sd: Above = 4.5
    peak_sd: Above = 13.0
    body_share: Share = 0.25  # of the way from clutter to peak: where a target's body ends
    min_area_px: Positive = 40
    max_length_px: Positive = 200
    min_area_m2: Above = 150.0  # a vessel of about 25 m x 6 m
    max_length_m: Above = 450.0
    max_clutter_cv: Above = 0.65  # standard deviation over mean of the ring: speckle alone has at most 0.52, towns have more
    max_water_spread: Above = 0.12
    land_ratio: Above = 2.0
    land_window_px: Positive = 25
    land_area_px: Positive = 6000

    def __post_init__(self) -> None:
        if self.guard_px >= self.ring_px:
            raise ValueError(f"guard_px is {self.guard_px}: it must be smaller than ring_px ({self.ring_px})")

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        return wrong_sensor(self, sensor) or missing_band(self, self.band, bands)

    def label(self, raster: Raster, picture: Picture, unit: PixelUnit, gsd_m: float | None) -> list[Label]:
        amplitude, valid = to_amplitude(named_band(raster, self.band), raster.valid, unit)
        if not valid.any():
            return []
        clear = valid & ~land_mask(amplitude, valid, self.land_ratio, self.land_window_px, self.land_area_px)
        if not level_spread(amplitude, clear, self.land_window_px) <= self.max_water_spread:
            return []
        mean, sd = self._clutter(amplitude, clear)
        bright = clear & (amplitude > mean + self.extent_sd * sd)
        min_area, max_length = self._limits(gsd_m)
        origin = provenance(self)
        labels = []
        for mark in connected_regions(close_gaps(bright, 2), min_area):
            peak, level, spread = (
                float(v) for v in (np.percentile(mark.values_in(amplitude), 90), *self._around(mark, mean, sd))
            )
            if not 0 < spread <= self.max_clutter_cv * level:
                continue
            contrast = (peak - level) / spread
            box = body_box(mark, amplitude, level + self.body_share * (peak - level), min_area)
            if contrast >= self.peak_sd and box and max(box[2] - box[0], box[3] - box[1]) <= max_length:
                # 0.5 at the limit, towards 1 as the contrast grows.
                labels.append(Label("box", self.category, origin, Shape(box), score=1 - 0.5 * self.peak_sd / contrast))
        return labels

    def _clutter(self, amplitude: Floats, clear: Mask) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each pixel's ring, bright pixels censored once; infinite where it is too empty."""
        mean, sd = ring_statistics(amplitude, clear, self.ring_px, self.guard_px)
        bright = clear & (amplitude > mean + self.extent_sd * sd)
        calm = clear & ~ndimage.binary_dilation(bright, iterations=2)
        return ring_statistics(amplitude, calm, self.ring_px, self.guard_px)

    def _around(self, mark: ConnectedRegion, mean: Floats, sd: Floats) -> tuple[float, float]:
        return float(np.median(mark.values_in(mean))), float(np.median(mark.values_in(sd)))

    def _limits(self, gsd_m: float | None) -> tuple[float, float]:
        """Least area and greatest length of a target in pixels. Below six pixels speckle alone makes marks."""
        if gsd_m is None:
            return float(self.min_area_px), float(self.max_length_px)
        return max(6.0, self.min_area_m2 / gsd_m**2), self.max_length_m / gsd_m


def to_amplitude(pixels: Floats, valid: Mask, unit: PixelUnit) -> tuple[Floats, Mask]:
    """Amplitude on a linear scale, 0 where not valid, and where it is valid and finite."""
    values = pixels.astype(np.float32)
    good = valid & np.isfinite(values)
    values = np.where(good, values, 0)
    if unit == "db":
        values = np.where(good, 10 ** (values / 20), 0)
    elif unit == "power":
        values = np.sqrt(np.maximum(values, 0))
    return values.astype(np.float32), good


def ring_statistics(amplitude: Floats, use: Mask, ring_px: int, guard_px: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation, over the used pixels of a square ring around each pixel.

    Where less than a tenth of the ring is used both are infinite: nothing is brighter than that.
    """
    weight = use.astype(np.float32)

    def ring(values: Floats) -> Floats:
        return window_sum(values, ring_px) - window_sum(values, guard_px)

    count = ring(weight)
    enough = count > 0.1 * (ring_px**2 - guard_px**2)
    safe = np.where(enough, count, 1)
    mean = ring(amplitude * weight) / safe
    variance = ring(amplitude**2 * weight) / safe - mean**2
    return np.where(enough, mean, np.inf), np.where(enough, np.sqrt(np.maximum(variance, 0)), np.inf)


def land_mask(amplitude: Floats, valid: Mask, ratio: float, window_px: int, area_px: int) -> Mask:
    """Where the surroundings are brighter than `ratio` times the tile's dark level, in regions of more than `area_px`."""
    weight = window_sum(valid.astype(np.float32), window_px)
    level = window_sum(amplitude * valid, window_px) / np.maximum(weight, 1)
    dark = np.percentile(level[valid], 5)
    numbered, _ = ndimage.label(valid & (level > ratio * dark))
    sizes = np.bincount(numbered.ravel())
    sizes[0] = 0
    return np.asarray((sizes > area_px)[numbered])


def level_spread(amplitude: Floats, clear: Mask, window_px: int) -> float:
    """How much the means of the windows that are mostly clear differ: their quartiles' distance in standard deviations of a
    normal distribution, over their median. Infinite where there is no such window.

    Pixels beyond TARGET_LEVEL times the median are left out with what is beside them: targets are not the surface, and where
    there are many of them most windows hold one.
    """
    bright = clear & (amplitude > TARGET_LEVEL * np.median(amplitude[clear])) if clear.any() else clear
    calm = clear & ~ndimage.binary_dilation(bright, iterations=2)
    count = window_sum(calm.astype(np.float32), window_px)
    whole = count > WHOLE_WINDOW * window_px**2
    means = window_sum(amplitude * calm, window_px)[whole] / count[whole]
    if not means.size or not np.median(means) > 0:
        return float("inf")
    low, middle, high = np.percentile(means, (25, 50, 75))
    return float((high - low) / IQR_TO_SD / middle)


def body_box(mark: ConnectedRegion, amplitude: Floats, threshold: float, min_area_px: float) -> Box | None:
    """The box of the mark's body: its largest part above the threshold once single-pixel arms are opened away."""
    smooth = ndimage.uniform_filter(amplitude[mark.rows, mark.cols], 3, mode="nearest")
    above = ndimage.binary_opening(mark.mask & (smooth > threshold), np.ones((2, 2)))
    body = largest_region(close_gaps(above, 3))
    if body is None or body.area_px < min_area_px:
        return None
    x0, y0, x1, y1 = body.box
    return (x0 + mark.cols.start, y0 + mark.rows.start, x1 + mark.cols.start, y1 + mark.rows.start)
