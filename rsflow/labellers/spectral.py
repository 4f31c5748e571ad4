"""Land cover of optical tiles from published spectral indices.

Normalised differences of two bands, (a - b) / (a + b), separate water and vegetation from the rest with thresholds that
hold across scenes. A pixel is named only where its index is clear of the threshold's neighbourhood; the rest stays unnamed, so
the shares do not add up to 1 and none is forced. A cover is called absent (a share of 0) only where its index stays clear
below its threshold, by 0.1, on all but 0.1 % of the pixels, and cloud hides next to nothing.

- NDVI (nir, red), vegetation: Rouse et al. 1974, https://ntrs.nasa.gov/citations/19740022614
- NDWI (green, nir), open water: McFeeters 1996, https://doi.org/10.1080/01431169608948714
- MNDWI (green, swir), water beside buildings and mud: Xu 2006, https://doi.org/10.1080/01431160600589179
- NDBI (swir, nir), built-up land: Zha et al. 2003, https://doi.org/10.1080/01431160304987
- BSI, ((swir + red) - (nir + blue)) / (their sum), bare soil: Rikimaru, Roy and Miyatake 2002, Tropical Ecology 43(1)

NDBI and BSI are high on roofs and on dry soil alike (Zha et al. say so), so the two are one category, "bare or built-up land",
and it needs a short-wave infrared band. Cloud, snow and glare, known by being white in the picture, are left unnamed.

An index is a physical statement only of values proportional to reflectance: unit `reflectance`, or an `offset` of the
labeller. Of uncalibrated numbers (`dn`), whose offset nobody knows, nothing is claimed, not even
the index; `rsflow plan` warns.

Known quality: on the hand-labelled flood chip of Sen1Floods11 (Spain, Sentinel-2 L1C;
https://doi.org/10.1109/CVPRW50498.2020.00113) named water is water for 90 % of its pixels and holds 83 % of the water. The
other categories are stated, not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy import ndimage

from rsflow.config.validation import STRICT, Share
from rsflow.labellers.contract import MeasuredQuality, Picture, provenance, wrong_sensor
from rsflow.records import Label, Raster, Shape
from rsflow.sensors import PixelUnit, SensorName
from rsflow.spatial.geometry import iou
from rsflow.tiles.bright_targets import Floats, Mask, connected_regions, largest_region

Role = Literal["blue", "green", "red", "nir", "swir"]

# Default band names: STAC's, https://github.com/stac-extensions/eo#common-band-names
BAND_NAMES: dict[Role, tuple[str, ...]] = {
    "blue": ("blue",),
    "green": ("green",),
    "red": ("red",),
    "nir": ("nir", "nir08"),
    "swir": ("swir", "swir1", "swir16"),
}

WHITE = 225  # grey level that all of red, green and blue reach in cloud, snow and glare
SMOOTH_PX = 5  # side of the square of the majority vote before regions are drawn
LEAST_REGION = 0.01  # least share of the tile that a region needs for a box
ABSENT_SHARE = 0.001  # largest share of valid pixels near the threshold of a cover that is called absent
SAME_BOX = 0.8  # intersection over union of a region's box with and without what may belong to it
CLEARLY = 1.3  # how many times any other region the largest one must be
NEAR = 0.1  # how far below its threshold an index comes near
HIDDEN_SHARE = 0.01  # largest share of white valid pixels: what is under them is unknown


@dataclass(frozen=True)
class Spectral:
    """`bands`: which band plays which role (`{nir: B8A}`), where its name does not say so.

    The ratios are only right for numbers proportional to reflectance: scales and offsets of the scene (its tags, or
    `scenes.scale` and `scenes.offset`) are applied. `offset` stands for all of them: it is added to the stored number of every
    band instead. Sentinel-2 products of baseline 04.00 (January 2022) and later need -1000, Landsat Collection 2 level 2 needs
    -7273 (-0.2 / 0.0000275).
    """

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "spectral"
    version: ClassVar[int] = 5
    sensors: ClassVar[frozenset[SensorName]] = frozenset({"optical"})
    measured: ClassVar[tuple[MeasuredQuality, ...]] = ()

    bands: dict[Role, str] = field(default_factory=dict)
    offset: float = 0.0
    quality: Share = 0.8
    vegetation_ndvi: Annotated[float, Field(gt=-1, lt=1)] = 0.4
    water_ndwi: Annotated[float, Field(gt=-1, lt=1)] = 0.05  # used without a swir band
    water_mndwi: Annotated[float, Field(gt=-1, lt=1)] = 0.1
    bare_ndbi: Annotated[float, Field(gt=-1, lt=1)] = 0.05
    min_share: Share = 0.01  # a cover of less is not mentioned

    @property
    def needs_stored_values(self) -> bool:
        """With an offset of its own it works on stored numbers, so that no other offset is applied beside it."""
        return self.offset != 0

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        lost = [role for role in ("red", "nir") if self._band_name(role, bands) is None]
        lost += [f"{role} ({name})" for role, name in self.bands.items() if name not in bands]
        if lost and not wrong_sensor(self, sensor):
            return (
                f"labeller spectral needs the bands red and nir: no band is {' or '.join(lost)}; there are {', '.join(bands)}"
            )
        return wrong_sensor(self, sensor)

    def label(self, raster: Raster, picture: Picture, unit: PixelUnit, gsd_m: float | None) -> list[Label]:
        usable = raster.valid & ~white_mask(picture) & self._finite_mask(raster)
        origin = provenance(self)
        if unit != "reflectance" and not self.offset:
            return []
        labels = []
        for category, (margin, mask) in self._cover_masks(raster).items():
            named = usable & mask
            share = float(named.sum() / max(1, raster.valid.sum()))
            if share >= self.min_share and named.any():
                # How far the index is beyond its threshold, on average: 0.5 at it, 1 from 0.25 beyond.
                clear = float(np.clip(0.5 + 2 * margin[named], 0, 1).mean())
                possible = named | ~usable | (margin >= -NEAR)
                labels.append(
                    Label("cover", category, origin, certain_largest_region(named, possible), value=share, score=clear)
                )
            elif self._is_absent(margin, usable, raster.valid):
                labels.append(Label("cover", category, origin, value=0.0))
        return labels

    def _finite_mask(self, raster: Raster) -> Mask:
        """Where every band that an index needs has a number."""
        mine = [raster.pixels[raster.bands.index(band)] for role in BAND_NAMES if (band := self._band_name(role, raster.bands))]
        return np.asarray(np.isfinite(np.stack(mine)).all(axis=0))

    def _is_absent(self, margin: Floats, usable: Mask, valid: Mask) -> bool:
        near = usable & (margin >= -NEAR)
        hidden = valid & ~usable
        clear = near.sum() <= ABSENT_SHARE * valid.sum() and hidden.sum() <= HIDDEN_SHARE * valid.sum()
        return bool(clear and valid.any())

    def _cover_masks(self, raster: Raster) -> dict[str, tuple[Floats, Mask]]:
        """Per category: how far its index is beyond the threshold, and where it is named. No pixel has two categories."""
        ndvi = self._band_index(raster, "nir", "red")
        water = self._water_margin(raster, ndvi)
        wet = (water >= 0) & (ndvi < 0.1)
        covers: dict[str, tuple[Floats, Mask]] = {}
        if self._band_name("green", raster.bands) is not None:
            covers["water"] = (water, wet)
        covers["vegetation"] = (ndvi - self.vegetation_ndvi, (ndvi >= self.vegetation_ndvi) & ~wet)
        if self._band_name("swir", raster.bands) is not None:
            bare = self._band_index(raster, "swir", "nir") - self.bare_ndbi
            dry = (bare >= 0) & (ndvi < 0.25) & (self._bare_soil_index(raster) >= 0) & ~wet
            covers["bare or built-up land"] = (bare, dry)
        return covers

    def _water_margin(self, raster: Raster, ndvi: Floats) -> Floats:
        if self._band_name("green", raster.bands) is None:
            return np.full_like(ndvi, -1)
        if self._band_name("swir", raster.bands) is None:
            return self._band_index(raster, "green", "nir") - self.water_ndwi
        return self._band_index(raster, "green", "swir") - self.water_mndwi

    def _bare_soil_index(self, raster: Raster) -> Floats:
        if self._band_name("blue", raster.bands) is None:
            return np.zeros(raster.valid.shape, dtype=np.float32)
        swir, red, nir, blue = (self._band_pixels(raster, role) for role in ("swir", "red", "nir", "blue"))
        return normalised_difference(swir + red, nir + blue)

    def _band_index(self, raster: Raster, a: Role, b: Role) -> Floats:
        return normalised_difference(self._band_pixels(raster, a), self._band_pixels(raster, b))

    def _band_pixels(self, raster: Raster, role: Role) -> Floats:
        band = self._band_name(role, raster.bands)
        if band is None:
            raise KeyError(role)
        # Below zero there is no reflectance: what an offset or noise makes of dark pixels would turn the ratios around.
        return np.asarray(np.maximum(raster.pixels[raster.bands.index(band)].astype(np.float32) + self.offset, 0))

    def _band_name(self, role: Role, bands: tuple[str, ...]) -> str | None:
        names = (self.bands[role],) if role in self.bands else BAND_NAMES[role]
        return next((name for name in names if name in bands), None)


def normalised_difference(a: Floats, b: Floats) -> Floats:
    """The normalised difference (a - b) / (a + b) in [-1, 1]; 0, which names nothing, where both are 0 or not finite."""
    total = a + b
    good = np.isfinite(total) & (total > 0)
    return np.where(good, (a - b) / np.where(good, total, 1), 0)


def white_mask(picture: Picture) -> Mask:
    """Where a colour picture is white; nowhere in a grey one, whose white may be anything bright."""
    if picture.ndim == 2:
        return np.zeros(picture.shape, dtype=bool)
    return np.asarray(picture.min(axis=2) >= WHITE)


def certain_largest_region(named: Mask, possible: Mask) -> Shape | None:
    """The box of the largest region of a cover, where no other one can be larger.

    `possible`: where the cover may be, what is named included; clouds, gaps and pixels near the threshold hide what belongs
    together. None where what may belong to the region, or to another, could make this box another one.
    """
    found = largest_region_box(named)
    if found is None:
        return None
    x0, y0, x1, y1 = (int(v) for v in found.box)
    possible = ndimage.uniform_filter(possible.astype(np.float32), SMOOTH_PX, mode="nearest") > 0.5
    others = sorted((mark.area_px for mark in connected_regions(possible)), reverse=True)
    mine = largest_region(possible)
    own = int(named[y0:y1, x0:x1].sum())
    if mine is None or iou(mine.box, found.box) < SAME_BOX or (len(others) > 1 and others[1] * CLEARLY >= own):
        return None
    return found


def largest_region_box(mask: Mask) -> Shape | None:
    """The box of the largest connected region after a majority vote among neighbours; None below 1 % of the tile."""
    share = ndimage.uniform_filter(mask.astype(np.float32), SMOOTH_PX, mode="nearest")
    found = largest_region(share > 0.5)
    if found is None or found.area_px < LEAST_REGION * mask.size:
        return None
    return Shape(found.box)
