"""Is a tile worth keeping? Valid share, cloud, contrast and sharpness as numbers, then limits.

One idea: numbers are measured first and stored with the tile, whatever the limits; the limits only decide. They are measured on
the rendered picture, whose stretch is one for the scene, so a tile's numbers do not depend on where it was cut; the tests with
other bands are ratios of measured values, which no stretch or scale changes.

Cloud, for optical scenes: a mask band decides where there is one: `cloud_mask` (0 clear), Sentinel-2's scene classes `scl`,
Landsat's `qa_pixel`. Else a pixel is cloud if it is bright and white in the picture, and passes those of Fmask's tests for
which there are bands: no vegetation (NDVI), no snow (NDSI), near infrared over short-wave infrared above 0.75 (bare rock and
sand are below), and brightness temperature below 27 degrees where `thermal` is in kelvin (Zhu and Woodcock 2012,
https://doi.org/10.1016/j.rse.2011.10.028, equations 1, 2 and 6). Of reflectances, whiteness and brightness are Fmask's too
(equations 2 and 3: a cloudy scene is stretched to an ordinary picture); of uncalibrated numbers they are judged in the
picture's grey levels. Without a short-wave infrared or thermal band snow, sand and white
roofs look like cloud: the cloud share is then not known, and what is white counts as bright only.

Radar sees through clouds (0). In one infrared band cold ground looks like cloud: not known.

Sources: Sentinel-2 Level-2A scene classes 8 and 9 (cloud) and 10 (thin cirrus), S2-PDGS-MPC-L2A-PFS; Landsat Collection 2
QA_PIXEL bits 1 (dilated cloud), 2 (cirrus) and 3 (cloud), LSDS-1619.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.config.settings import Screen
from rsflow.records import Raster
from rsflow.sensors import SENSORS, PixelUnit, SensorName

BoolArray = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]

BRIGHT = 190  # mean grey of a cloudy pixel, at least
WHITE = 0.15  # its colours' spread as a share of the brightest, at most
SWIR = ("swir", "swir1", "swir16")  # names of the band at 1.6 micrometres
MAX_NDVI, MAX_NDSI, MIN_NIR_SWIR, MAX_KELVIN = 0.8, 0.8, 0.75, 300.15
MAX_WHITENESS, MIN_HAZE = 0.7, 0.08  # of reflectances: spread of the colours over their mean; blue over half of red
MIN_VISIBLE = 0.12  # mean reflectance of a cloudy pixel in the visible bands, at least
SCL_CLOUD = (8, 9, 10)
QA_PIXEL_CLOUD = 0b1110
COUNTED_PX = 1 << 16  # cloud and contrast are counted on about so many pixels of a tile, evenly spread


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of the tile's pixels (of cloud and of what is white: of its valid pixels); `sharpness`, `contrast` in grey levels.

    `cloud_share` is None where cloud cannot be told from other white surfaces.

    Sharpness is the mean absolute Laplacian over valid pixels with valid neighbours, contrast the span from the 2nd to the
    98th percentile of the valid pixels' grey.
    """

    valid_share: float
    cloud_share: float | None
    bright_share: float
    sharpness: float
    contrast: float


def measure_scores(
    picture: Picture, valid: BoolArray, raster: Raster | None, sensor: SensorName, unit: PixelUnit = "dn"
) -> Scores:
    """Measure a rendered tile: picture (rows, cols[, 3]), valid (rows, cols), and its raster where other bands may help.

    `unit`: of the raster's values.
    """
    share = float(valid.mean()) if valid.size else 0.0
    if share == 0.0:
        return Scores(0.0, None, 0.0, 0.0, 0.0)
    step = max(1, int((valid.size / COUNTED_PX) ** 0.5))
    thin = (slice(None, None, step), slice(None, None, step))
    # Where only pixels between the counted ones are valid, all are counted.
    if not valid[thin].any():
        thin = (slice(None), slice(None))
    counted = valid[thin]
    grey = _grey(picture)
    white = is_bright_and_white(picture[thin])
    clouds = SENSORS[sensor].clouds
    cloud = (
        _cloud(white, raster, thin, unit) if clouds == "bright_white" else np.zeros_like(white) if clouds == "never" else None
    )
    cloud_share = None if cloud is None else float(cloud[counted].mean())
    return Scores(share, cloud_share, float(white[counted].mean()), _sharpness(grey, valid), _contrast(grey[thin][counted]))


def reject_reason(scores: Scores, settings: Screen) -> tuple[str, str] | None:
    """(reason, detail with the value and the limit) of the first limit that is passed; None for a tile to keep."""
    if scores.valid_share == 0.0:
        return "no_valid_pixels", "every pixel is nodata"
    if scores.valid_share < settings.min_valid_share:
        return "little_valid", f"valid share {scores.valid_share:.3f} is below {settings.min_valid_share:g}"
    if scores.cloud_share is not None and scores.cloud_share > settings.max_cloud_share:
        return "cloudy", f"cloud share {scores.cloud_share:.3f} is above {settings.max_cloud_share:g}"
    if scores.bright_share > settings.max_bright_share:
        return "bright", f"share of white pixels {scores.bright_share:.3f} is above {settings.max_bright_share:g}"
    if scores.contrast < settings.min_contrast:
        return "flat", f"contrast {scores.contrast:.2f} is below {settings.min_contrast:g} grey levels"
    if scores.sharpness < settings.min_sharpness:
        return "blurred", f"sharpness {scores.sharpness:.2f} is below {settings.min_sharpness:g} grey levels"
    return None


def _cloud(white: BoolArray, raster: Raster | None, thin: tuple[slice, slice], unit: PixelUnit) -> BoolArray | None:
    """Where there is cloud; None where no band can tell."""
    bands = {name: raster.pixels[i][thin] for i, name in enumerate(raster.bands)} if raster else {}
    masked = masked_cloud(bands)
    if masked is not None:
        return masked
    reflecting = _is_white_reflectance(bands) if unit == "reflectance" else None
    return _spectral_cloud(white if reflecting is None else reflecting, bands)


def masked_cloud(bands: dict[str, npt.NDArray[Any]]) -> BoolArray | None:
    """Where a mask band says that there is cloud, from stored numbers by band; None where no band is a mask."""
    if "cloud_mask" in bands:
        return np.asarray(bands["cloud_mask"] != 0)
    if "scl" in bands:
        return np.isin(bands["scl"], SCL_CLOUD)
    if "qa_pixel" in bands:
        # Stacked with fractions, a mask comes as fractions too.
        return np.asarray(np.nan_to_num(bands["qa_pixel"]).astype(np.int64) & QA_PIXEL_CLOUD != 0)
    return None


def _is_white_reflectance(bands: dict[str, npt.NDArray[Any]]) -> BoolArray | None:
    """Where reflectances are as bright and as colourless as cloud or haze; None without the three visible bands."""
    blue, green, red = (_floats(bands.get(name)) for name in ("blue", "green", "red"))
    if blue is None or green is None or red is None:
        return None
    with np.errstate(invalid="ignore"):
        mean = (blue + green + red) / 3
        spread = np.abs(blue - mean) + np.abs(green - mean) + np.abs(red - mean)
        white: BoolArray = (spread < MAX_WHITENESS * mean) & (blue - 0.5 * red > MIN_HAZE) & (mean > MIN_VISIBLE)
    return white


def _spectral_cloud(white: BoolArray, bands: dict[str, npt.NDArray[Any]]) -> BoolArray | None:
    cloud = white.copy()
    red, green, nir = (_floats(bands.get(name)) for name in ("red", "green", "nir"))
    swir = _floats(next((bands[name] for name in SWIR if name in bands), None))
    thermal = _floats(bands.get("thermal"))
    kelvin = thermal is not None and bool(150 < np.nanmedian(thermal) < 350)
    if not kelvin and (swir is None or (green is None and nir is None)):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        if nir is not None and red is not None:
            cloud &= (nir - red) < MAX_NDVI * (nir + red)
        if swir is not None and green is not None:
            cloud &= (green - swir) < MAX_NDSI * (green + swir)
        if swir is not None and nir is not None:
            cloud &= nir > MIN_NIR_SWIR * swir
        if thermal is not None and kelvin:
            cloud &= thermal < MAX_KELVIN
    return cloud


def is_bright_and_white(picture: Picture) -> BoolArray:
    """Where a colour picture (rows, cols, 3) is as bright and as colourless as cloud. One band cannot tell: nowhere."""
    if picture.ndim == 2:
        return np.zeros(picture.shape, np.bool_)
    red, green, blue = (picture[:, :, i] for i in range(3))
    # Band by band: numpy reduces an axis of three some ten times slower.
    brightest = np.maximum(np.maximum(red, green), blue)
    darkest = np.minimum(np.minimum(red, green), blue)
    bright: BoolArray = red.astype(np.uint16) + green + blue >= 3 * BRIGHT
    return bright & (brightest - darkest <= (WHITE * brightest).astype(np.uint8))


def _contrast(grey: npt.NDArray[np.int16]) -> float:
    """Span between the grey levels below which 2 % and 98 % of the pixels lie."""
    below = np.cumsum(np.bincount(grey, minlength=256))
    low, high = np.searchsorted(below, (0.02 * below[-1], 0.98 * below[-1]))
    return float(high - low)


def _sharpness(grey: npt.NDArray[np.int16], valid: BoolArray) -> float:
    edges = 4 * grey[1:-1, 1:-1]
    for neighbour in (grey[:-2, 1:-1], grey[2:, 1:-1], grey[1:-1, :-2], grey[1:-1, 2:]):
        edges -= neighbour
    np.abs(edges, out=edges)
    if not valid.all():
        edges = edges[valid[1:-1, 1:-1] & valid[:-2, 1:-1] & valid[2:, 1:-1] & valid[1:-1, :-2] & valid[1:-1, 2:]]
    return float(edges.mean()) if edges.size else 0.0


def _grey(picture: Picture) -> npt.NDArray[np.int16]:
    """Luminance in whole grey levels (weights of ITU-R BT.601 in 1/256)."""
    if picture.ndim == 2:
        return picture.astype(np.int16)
    grey = picture[:, :, 0] * np.uint16(77)
    grey += picture[:, :, 1] * np.uint16(150)
    grey += picture[:, :, 2] * np.uint16(29)
    return (grey >> 8).astype(np.int16)


def _floats(band: npt.NDArray[Any] | None) -> npt.NDArray[np.float32] | None:
    return None if band is None else band.astype(np.float32)
