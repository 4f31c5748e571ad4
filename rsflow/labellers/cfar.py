"""Ships and other bright targets in SAR by their contrast to the clutter around them.

Cell-averaging CFAR (constant false alarm rate; Finn and Johnson 1968, for ships in SAR see Crisp 2004,
https://apps.dtic.mil/sti/citations/ADA426096). A pixel is bright where its amplitude exceeds the mean of a ring around it by
`extent_sd` standard deviations; bright pixels are then taken out of the rings and the rings measured again (censoring), so
that a large ship does not hide itself or its neighbour. Bright pixels that touch are one target, kept where its brightest
tenth exceeds the ring by `peak_sd`: piers, islets and breakers are bright, ships are far brighter. The box is that of the
target's body, without the faint arms that a strong reflector draws in range and azimuth.

No target without water around it. What stands for water depends on what the numbers are:

- Calibrated backscatter (unit `db` or `power`, clutter below `CALIBRATED_MAX_DB`): the ring's level is at most `max_water_db`
  in the band itself and `max_cross_water_db` in every cross-polarised band (vh, hv) of the scene. Wind-roughened sea may lie
  above the former in VV at steep incidence: such ships are missed. Farmland (-8 to -14 dB in VV) is never taken for sea.
- Uncalibrated numbers: nothing proves water, so two signs must agree. The surface is even (`max_water_spread`: the distance of
  the quartiles of window means in standard deviations, over their median; water in HRSID's pictures has 0.04 to 0.116) over at
  least `min_even_windows` windows, and the target is at least `min_contrast_ratio` times its clutter (9.5 and more in HRSID,
  mostly 2 to 8 for houses and steep slopes).

In both cases land is left out: where the mean of a window exceeds `land_ratio` times the tile's darkest level over a large
connected region, nothing is a target or counts as clutter, so ships alongside a quay are missed; and clutter that varies more
than speckle can (`max_clutter_cv`; the amplitude of single-look speckle, a Rayleigh distribution, has 0.52) is no sea.

Known quality, by benchmarks/labellers.py on 22 HRSID pictures (https://github.com/chaozhong2010/HRSID; 40 ships, 10 of them
alongside): at IoU 0.3 precision 0.94, recall 0.75, F1 0.83 (every second picture alone: 0.84 and 0.82), at IoU 0.5 F1 0.81; a
threshold for the whole picture: 0.67 and 0.56. On the demo's radar scenes precision is 1.00 of 19 targets, recall 0.44;
the stated quality, 0.85, stays below both. False alarms on land: benchmarks/cfar_on_land.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import ndimage

from rsflow.config.validation import STRICT, Positive, Share
from rsflow.labellers.contract import MeasuredQuality, Picture, missing_band, named_band, provenance, wrong_sensor
from rsflow.records import Label, Raster, Shape
from rsflow.sensors import PixelUnit, SensorName
from rsflow.spatial.geometry import Box
from rsflow.tiles.bright_targets import (
    ConnectedRegion,
    Floats,
    Mask,
    close_gaps,
    connected_regions,
    largest_region,
    window_sum,
)

CALIBRATED_MAX_DB = 5.0  # mean backscatter of no natural surface is above it: larger numbers are not calibrated
CROSS_POLARISED = frozenset({"vh", "hv"})
WHOLE_WINDOW = 0.95  # of a window that must be clear
TARGET_LEVEL = 4.0  # single-look speckle is beyond 4 times its median once in 65,000 pixels
IQR_TO_SD = 1.349  # of a normal distribution

Above = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Target:
    """A bright region in amplitude: its brightest tenth, and mean and standard deviation of the clutter around it."""

    peak: float
    level: float
    sd: float

    @property
    def contrast(self) -> float:
        return (self.peak - self.level) / self.sd

    def is_speckle(self, max_cv: float) -> bool:
        """Whether its clutter varies as speckle does, and not more."""
        return 0 < self.sd <= max_cv * self.level


@dataclass(frozen=True)
class Cfar:
    """Lengths ending in `_px` are pixels; where the ground sample distance is known, `_m` and `_m2` limit a target."""

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "cfar"
    version: ClassVar[int] = 3
    sensors: ClassVar[frozenset[SensorName]] = frozenset({"sar"})
    measured: ClassVar[tuple[MeasuredQuality, ...]] = (
        MeasuredQuality("sar", "HRSID, 22 pictures", 0.94, 0.75),
        MeasuredQuality("sar", "the demo's ships", 1.0, 0.44),
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
    min_even_windows: Positive = 40  # that fit into the clear area: fewer give no reliable spread of means
    max_water_db: float = -16.0  # of calibrated co-polarised backscatter
    max_cross_water_db: float = -22.0  # of calibrated cross-polarised backscatter
    min_contrast_ratio: Above = 9.0  # target over clutter, in amplitude, where numbers are not calibrated
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
        mean, sd = self._clutter_statistics(amplitude, clear)
        evidence = self._water_evidence(raster, unit, clear, mean)
        bright = clear & (amplitude > mean + self.extent_sd * sd)
        min_area, max_length = self._target_limits(gsd_m)
        labels = []
        for region in connected_regions(close_gaps(bright, 2), min_area):
            target = self._measure_target(region, amplitude, mean, sd)
            if not (target.is_speckle(self.max_clutter_cv) and evidence(region, target)):
                continue
            box = body_box(region, amplitude, target.level + self.body_share * (target.peak - target.level), min_area)
            if target.contrast >= self.peak_sd and box and max(box[2] - box[0], box[3] - box[1]) <= max_length:
                # 0.5 at the limit, towards 1 as the contrast grows.
                score = 1 - 0.5 * self.peak_sd / target.contrast
                labels.append(Label("box", self.category, provenance(self), Shape(box), score=score))
        return labels

    def _water_evidence(
        self, raster: Raster, unit: PixelUnit, clear: Mask, mean: Floats
    ) -> Callable[[ConnectedRegion, Target], bool]:
        """The test whether what surrounds a target counts as water."""
        finite = mean[clear & np.isfinite(mean)]
        if unit not in {"db", "power"} or not finite.size or to_decibel(float(np.median(finite))) > CALIBRATED_MAX_DB:
            even = bool(clear.sum() >= self.min_even_windows * self.land_window_px**2)
            return lambda region, target: even and target.peak >= self.min_contrast_ratio * target.level
        own = self.band or raster.bands[0]
        limits = {name: self._max_db(name) for name in raster.bands if name == own or _is_cross(name)}
        means = {name: mean if name == own else self._band_mean(raster, name, unit, clear) for name in limits}

        def is_water(region: ConnectedRegion, target: Target) -> bool:
            levels = {name: float(np.median(region.values_in(means[name]))) for name in limits}
            return all(to_decibel(levels[name]) <= limit for name, limit in limits.items())

        return is_water

    def _max_db(self, band: str) -> float:
        return self.max_cross_water_db if _is_cross(band) else self.max_water_db

    def _band_mean(self, raster: Raster, band: str, unit: PixelUnit, clear: Mask) -> Floats:
        amplitude, valid = to_amplitude(named_band(raster, band), raster.valid, unit)
        return self._clutter_statistics(amplitude, clear & valid)[0]

    def _measure_target(self, region: ConnectedRegion, amplitude: Floats, mean: Floats, sd: Floats) -> Target:
        peak = np.percentile(region.values_in(amplitude), 90)
        return Target(float(peak), float(np.median(region.values_in(mean))), float(np.median(region.values_in(sd))))

    def _clutter_statistics(self, amplitude: Floats, clear: Mask) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each pixel's ring, bright pixels censored once; infinite where it is too empty."""
        mean, sd = ring_statistics(amplitude, clear, self.ring_px, self.guard_px)
        bright = clear & (amplitude > mean + self.extent_sd * sd)
        calm = clear & ~ndimage.binary_dilation(bright, iterations=2)
        return ring_statistics(amplitude, calm, self.ring_px, self.guard_px)

    def _target_limits(self, gsd_m: float | None) -> tuple[float, float]:
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


def to_decibel(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def _is_cross(band: str) -> bool:
    return not CROSS_POLARISED.isdisjoint(re.split(r"[^a-z]+", band.lower()))


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
