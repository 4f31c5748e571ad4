"""From measured bands to a picture: one stretch for a whole scene, applied to each of its tiles.

One idea: what grey a value gets is decided once per scene, from its valid pixels only, and written down as numbers (`Stretch`).
A tile is then a matter of looking up: the same value is the same grey in every tile, so pictures of one scene compare and
overlapping tiles agree. Radar amplitude and power are shown in decibel, where speckle and ships both fit.

"auto" leaves 8-bit scenes that use their range, and plain pictures, as they are. "none" maps the whole range of the type (0 to
1 for fractions) to 0-255. Everything else is stretched between two percentiles of the scene's pixels. The three bands of an
optical scene share one gain, each above its own low percentile: that takes the blue of haze away (dark object subtraction,
Chavez 1988, https://doi.org/10.1016/0034-4257(88)90019-3) and leaves vegetation green. Bands whose spans differ threefold, as
in false colours with near infrared, are stretched each on its own. Limits are physical values, so that counts with any scale
and offset, and reflectances, of one scene give the same picture. 8-bit colour is a picture already: its bands are stretched
alike and keep their balance; unless they are known to be measurements, as of the older Landsats, whose blue lies far above
their red. Where cloud or snow leaves the rest of an optical scene in the dark, it is left out of the percentiles.

"reflectance" shows every optical scene that is calibrated to reflectance with the same limits, so that pictures of different
dates and satellites compare: 0 is black and 0.3558 white, as in Sentinel-2's true-colour images (S2-PDGS-TAS-DI-PSD, "TCI").
Other sensors are shown as under "auto"; an optical scene without reflectance is refused.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rsflow.calibration import UNCALIBRATED, Calibration, to_physical
from rsflow.config.settings import Render
from rsflow.errors import DataError
from rsflow.records import Raster
from rsflow.sensors import SENSORS, PixelUnit, SensorName
from rsflow.tiles.percentiles import percentiles
from rsflow.tiles.screen import is_bright_and_white

Scale = Literal["linear", "db10", "db20"]
Picture = npt.NDArray[np.uint8]
Together = Literal["limits", "gain"] | None  # what the three bands of a picture share
Gains = tuple[tuple[float, ...], tuple[float, ...]]

USES_RANGE = 64  # grey levels between the 2nd and 98th percentile of an 8-bit scene that needs no stretch
COUNTED_PX = 1 << 18
ALIKE = 3.0  # bands whose spans differ by more than this factor measure different things, and share no gain
TRUE_COLOUR_REFLECTANCE = 0.3558  # what is white
DARK = 40  # grey level below which half of a scene is too dark to read
CLOUD_ROUNDS = 4  # cloud has thin edges: each round leaves out what the last one brought to light
ENOUGH_LAND = 0.1  # share of a scene that must be neither cloud nor snow to set its stretch


@dataclass(frozen=True, slots=True)
class Stretch:
    """Per rendered band (one, or red, green, blue): the scaled values that become 0 and 255.

    `gain` and `bias` (empty: 1 and 0) make a stored number the physical value, gain * number + bias. `scale`: "linear" takes
    values as they are, "db10" 10 log10 of them (power), "db20" 20 log10 (amplitude).
    """

    bands: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    scale: Scale = "linear"
    gain: tuple[float, ...] = ()
    bias: tuple[float, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Stretch:
        values = json.loads(text)
        scale: Scale = values.pop("scale")
        return cls(scale=scale, **{name: tuple(numbers) for name, numbers in values.items()})

    def limits(self) -> Iterator[tuple[str, float, float, float, float]]:
        """Band, low, high, gain and bias of each rendered band."""
        count = len(self.bands)
        return zip(self.bands, self.low, self.high, self.gain or (1.0,) * count, self.bias or (0.0,) * count, strict=True)


def picture_bands(bands: Sequence[str], rgb: Sequence[str] | None = None) -> tuple[str, ...]:
    """The bands that make the picture: `rgb` if asked for; red, green, blue if there; three nameless bands; else the first.

    Raises ValueError where `rgb` names a band that is not there.
    """
    if rgb:
        absent = [band for band in rgb if band not in bands]
        if absent:
            raise ValueError(f"rgb names {', '.join(absent)}, but the bands are {', '.join(bands)}")
        return tuple(rgb)
    if {"red", "green", "blue"} <= set(bands):
        return ("red", "green", "blue")
    if tuple(bands) in {("band1", "band2", "band3"), ("band1", "band2", "band3", "band4")}:
        return tuple(bands[:3])
    return (bands[0],)


def scene_stretch(
    overview: Raster,
    sensor: SensorName,
    unit: PixelUnit | None,
    settings: Render,
    rgb: Sequence[str] | None = None,
    is_picture: bool = False,
    is_measured: bool = False,
    calibration: Sequence[Calibration] = (),
    nodata: Sequence[float | None] = (),
) -> Stretch:
    """How a scene becomes pictures, from a view of the whole of it as it was read; harmless where no pixel is valid.

    `is_measured`: its bands are measurements each of its own, also where they are of 8 bits. `calibration` and `nodata` are per
    band of the scene; the limits are physical values.
    """
    overview = _thinned(overview)
    bands = picture_bands(overview.bands, rgb)
    positions = [overview.bands.index(band) for band in bands]
    how = [calibration[i] for i in positions] if calibration else [UNCALIBRATED] * len(bands)
    fill_values = [nodata[i] for i in positions] if nodata else []
    chosen = Raster(overview.pixels[positions], overview.valid, bands)
    values = to_physical(chosen, how, fill_values)
    if settings.stretch == "reflectance" and sensor == "optical":
        if any(each.unit != "reflectance" for each in how):
            raise DataError(
                "no_reflectance",
                f"render.stretch is reflectance, but the unit of {', '.join(bands)} is {unit or 'not known'}; give "
                "`scenes.product`, or `scale`, `offset` and `unit`, or use another stretch",
            )
        own = tuple(each.scale for each in how), tuple(each.offset for each in how)
        return Stretch(bands, (0.0,) * len(bands), (TRUE_COLOUR_REFLECTANCE,) * len(bands), "linear", *own)
    gains: Gains = (tuple(each.scale for each in how), tuple(each.offset for each in how)) if values is not chosen else ((), ())
    is_colour = len(bands) == 3 and chosen.pixels.dtype == np.uint8
    auto = settings.stretch in {"auto", "reflectance"} and not (is_colour and is_measured)
    if settings.stretch == "none" or (auto and _as_it_is(chosen.pixels, overview.valid, is_picture)):
        ends = [sorted(each.scale * end + each.offset for end in _range_of(chosen.pixels.dtype)) for each in how]
        return Stretch(bands, tuple(low for low, _ in ends), tuple(high for _, high in ends), "linear", *gains)
    scale = _scale_of(sensor, unit)
    among = overview.valid
    has_colour, clouds = SENSORS[sensor].has_colour, SENSORS[sensor].clouds
    alike: Together = "limits" if is_colour and not is_measured else "gain" if has_colour and not is_colour else None
    stretch = replace(_percentiles(bands, values.pixels, among, scale, settings, alike), gain=gains[0], bias=gains[1])
    for _ in range(CLOUD_ROUNDS if clouds == "bright_white" and len(bands) == 3 else 0):
        picture = render(overview, stretch)
        among = among & ~is_bright_and_white(picture)
        if among.sum() <= ENOUGH_LAND * overview.valid.sum() or percentiles(picture[among].reshape(-1), (50,))[0] >= DARK:
            break
        limits = _percentiles(bands, values.pixels, among, scale, settings, alike)
        stretch = replace(stretch, low=limits.low, high=limits.high)
    return stretch


def render(raster: Raster, stretch: Stretch) -> Picture:
    """(rows, cols, 3), or (rows, cols) for one band. Pixels that are not valid are black."""
    planes = [
        _grey(raster.pixels[raster.bands.index(band)], stretch.scale, low, high, gain, bias)
        for band, low, high, gain, bias in stretch.limits()
    ]
    picture = planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
    if not raster.valid.all():
        picture[~raster.valid] = 0
    return picture


def pad_to(raster: Raster, size_px: int) -> Raster:
    """The raster with zeros below and to the right, up to `size_px` in both directions; what is added is not valid."""
    rows, cols = (max(0, size_px - extent) for extent in raster.valid.shape)
    pixels = np.pad(raster.pixels, ((0, 0), (0, rows), (0, cols)))
    return Raster(pixels, np.pad(raster.valid, ((0, rows), (0, cols))), raster.bands)


def _grey(values: npt.NDArray[Any], scale: Scale, low: float, high: float, gain: float, bias: float) -> Picture:
    if values.dtype.itemsize <= 2 and values.dtype.kind in "iu":
        table = _table(values.dtype.str, scale, low, high, gain, bias)
        grey: Picture = np.take(table, values.view(f"u{values.dtype.itemsize}"))
        return grey
    return _to_grey(values, scale, low, high, gain, bias)


@functools.lru_cache(maxsize=64)
def _table(dtype: str, scale: Scale, low: float, high: float, gain: float, bias: float) -> Picture:
    """The grey of every value that the type has, by its bits read as an unsigned number."""
    size = np.dtype(dtype).itemsize
    values = np.arange(1 << (8 * size), dtype=f"u{size}").view(dtype)
    return _to_grey(values, scale, low, high, gain, bias)


def _to_grey(values: npt.NDArray[Any], scale: Scale, low: float, high: float, gain: float, bias: float) -> Picture:
    scaled = _scaled(values, scale, gain, bias)
    grey = (scaled - np.float32(low)) * np.float32(255.0 / (high - low)) + np.float32(0.5)
    # NaN fails both comparisons of clip and would be cast to anything.
    known: npt.NDArray[np.float32] = np.nan_to_num(grey, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    return known.clip(0, 255).astype(np.uint8)


def _scaled(values: npt.NDArray[Any], scale: Scale, gain: float = 1.0, bias: float = 0.0) -> npt.NDArray[np.float32]:
    """Physical values as float32; in decibel where asked, with -inf for zero and below."""
    with np.errstate(over="ignore"):  # fill values beyond float32 become infinite, and are not valid anyway
        plain = values.astype(np.float32)
        if (gain, bias) != (1.0, 0.0):
            plain = plain * np.float32(gain) + np.float32(bias)
    if scale == "linear":
        return plain
    logs = np.full(plain.shape, -np.inf, np.float32)
    np.log10(plain, out=logs, where=plain > 0)
    return logs * np.float32(10 if scale == "db10" else 20)


def _scale_of(sensor: SensorName, unit: PixelUnit | None) -> Scale:
    unit = unit or SENSORS[sensor].default_unit
    if unit == "power":
        return "db10"
    return "db20" if unit == "amplitude" or (SENSORS[sensor].dn_is_amplitude and unit == "dn") else "linear"


def _thinned(overview: Raster) -> Raster:
    """Every n-th row and column, so that statistics rest on about COUNTED_PX pixels: more would not change them."""
    step = max(1, math.isqrt(overview.valid.size // COUNTED_PX))
    thin = Raster(overview.pixels[:, ::step, ::step], overview.valid[::step, ::step], overview.bands)
    return thin if thin.valid.any() else overview


def _percentiles(
    bands: tuple[str, ...],
    chosen: npt.NDArray[Any],
    among: npt.NDArray[np.bool_],
    scale: Scale,
    settings: Render,
    together: Together,
) -> Stretch:
    limits = [_limits(_known(band[among], scale), settings) for band in chosen]
    lows, highs = tuple(low for low, _ in limits), tuple(high for _, high in limits)
    widths = [high - low for low, high in limits]
    if together == "limits":
        lows, highs = (min(lows),) * 3, (max(highs),) * 3
    elif together == "gain" and len(bands) == 3 and max(widths) <= ALIKE * min(widths):
        highs = tuple(low + max(widths) for low in lows)
    return Stretch(bands, lows, highs, scale)


def _known(values: npt.NDArray[Any], scale: Scale) -> npt.NDArray[Any]:
    """The finite values, scaled; whole numbers as they are where their scale is linear."""
    if scale == "linear" and values.dtype in (np.uint8, np.uint16):
        return values
    scaled = _scaled(values, scale)
    return scaled[np.isfinite(scaled)]


def _limits(known: npt.NDArray[Any], settings: Render) -> tuple[float, float]:
    """The two percentiles, moved apart where they meet (a flat band becomes mid-grey, not noise)."""
    if known.size == 0:
        return 0.0, 1.0
    low, high = percentiles(known, (settings.low_percent, settings.high_percent))
    least = max(1e-6, 1e-4 * max(abs(low), abs(high)))
    if high - low < least:
        middle = (low + high) / 2
        return middle - least, middle + least
    return low, high


def _as_it_is(chosen: npt.NDArray[Any], valid: npt.NDArray[np.bool_], is_picture: bool) -> bool:
    if chosen.dtype != np.uint8:
        return False
    if is_picture or not valid.any():
        return True
    low, high = percentiles((chosen if valid.all() else chosen[:, valid]).reshape(-1), (2, 98))
    return high - low >= USES_RANGE


def _range_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)
