"""Landsat Collection 2, Levels 1 and 2, of all Landsat satellites: GeoTIFF files beside a metadata file (MTL).

Level 2 holds surface reflectance and surface temperature (kelvin) as scale and offset. Level 1 holds counts: reflectance at the
top of the atmosphere is (mult * count + add) / sin(sun elevation), and radiance becomes brightness temperature in kelvin by
K2 / ln(K1 / radiance + 1). 0 is fill. With the sun below the horizon no reflectance is stated.

Source: Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619) and Landsat 8 Data Users Handbook (LSDS-1574,
section 5). Band names are those of Sentinel-2 for like bands, `thermal` for the main thermal band.
"""

from __future__ import annotations

import json
import math
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.files import storage
from rsflow.files.xml_document import XmlError, parse_xml
from rsflow.readers.products.contract import Description, Product
from rsflow.records import SceneFiles

_QUALITY = {"QA_PIXEL": "qa_pixel"}
_MSS_1_TO_3 = {"B4": "green", "B5": "red", "B6": "rededge075", "B7": "nir"}
_MSS_4_AND_5 = {"B1": "green", "B2": "red", "B3": "rededge075", "B4": "nir"}
_TM = {"B1": "blue", "B2": "green", "B3": "red", "B4": "nir", "B5": "swir16", "B6": "thermal", "B7": "swir22"}
_ETM_LEVEL_1 = {
    **{band: name for band, name in _TM.items() if band != "B6"},
    "B6_VCID_1": "thermal",
    "B6_VCID_2": "thermal_high_gain",
    "B8": "pan",
}
_OLI = {
    "B1": "coastal",
    "B2": "blue",
    "B3": "green",
    "B4": "red",
    "B5": "nir",
    "B6": "swir16",
    "B7": "swir22",
    "B8": "pan",
    "B9": "cirrus",
    "B10": "thermal",
    "B11": "thermal12",
}
# By instrument and satellite, the first four characters of a product's name.
_BANDS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("LM01", "LM02", "LM03"), _MSS_1_TO_3),
    **dict.fromkeys(("LM04", "LM05"), _MSS_4_AND_5),
    **dict.fromkeys(("LT04", "LT05"), _TM),
    "LE07": _TM,
    **dict.fromkeys(("LC08", "LO08", "LT08", "LC09", "LO09", "LT09"), _OLI),
}
_FILL = 0.0


def bands_of(prefix: str) -> Mapping[str, str]:
    """Product's band name -> common name; empty for a product that is none of Landsat's."""
    name = posixpath.basename(prefix)
    known = _ETM_LEVEL_1 if name.startswith("LE07_L1") else _BANDS.get(name[:4], {})
    return {**known, **_QUALITY} if known else {}


def describe(path: str, bands: Mapping[str, str], files: SceneFiles) -> Description:
    """Calibration, fill and time of one product. ValueError where the metadata is incomplete."""
    groups = parse_mtl(storage.read_text(path), posixpath.splitext(path)[1].lower())
    image = groups.get("IMAGE_ATTRIBUTES", {})
    missing = [key for key in ("DATE_ACQUIRED", "SCENE_CENTER_TIME") if key not in image]
    if missing:
        raise ValueError(f"has no {missing[0]} in IMAGE_ATTRIBUTES")
    linear: dict[str, tuple[float, float, str]] = {}
    decoders: dict[str, Planck] = {}
    for name, band in bands.items():
        found = _calibrate(groups, band, image, posixpath.basename(path))
        if isinstance(found, Planck):
            decoders[name] = found
        elif found:
            linear[name] = found
    options = {
        "metadata": {
            "scale": {name: scale for name, (scale, _, _) in linear.items()},
            "offset": {name: offset for name, (_, offset, _) in linear.items()},
            "unit": {name: unit for name, (_, _, unit) in linear.items()},
            "origin": posixpath.basename(path),
        },
        "nodata": _FILL,
        "angles": {key.lower(): _number(image, key) for key in ("SUN_ELEVATION", "SUN_AZIMUTH") if key in image},
        "acquired_at": f"{image['DATE_ACQUIRED']}T{image['SCENE_CENTER_TIME'].rstrip('Z')[:15]}Z",
    }
    return Description(options, decoders)


@dataclass(frozen=True, slots=True)
class Planck:
    """Counts of a thermal band to brightness temperature."""

    mult: float
    add: float
    k1: float
    k2: float
    origin: str

    @property
    def unit(self) -> str:
        return "kelvin"

    def __call__(
        self, pixels: npt.NDArray[Any], rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        radiance = pixels.astype(np.float64) * self.mult + self.add
        with np.errstate(divide="ignore", invalid="ignore"):
            kelvin = self.k2 / np.log(self.k1 / radiance + 1.0)
        return np.asarray(np.where(radiance > 0, kelvin, np.nan), np.float32)


def parse_mtl(text: str, suffix: str) -> dict[str, dict[str, str]]:
    """Group -> key -> value of an MTL file; `suffix` is ".txt", ".xml" or ".json". ValueError where it is none."""
    try:
        pairs = list(_READERS[suffix](text))
    except (XmlError, json.JSONDecodeError, AttributeError, TypeError) as error:
        raise ValueError(f"is no Landsat metadata ({error})") from error
    groups: dict[str, dict[str, str]] = {}
    for group, key, value in pairs:
        groups.setdefault(group, {})[key] = value
    if "IMAGE_ATTRIBUTES" not in groups:
        raise ValueError("is no Landsat Collection 2 metadata: it has no IMAGE_ATTRIBUTES")
    return groups


def _calibrate(
    groups: dict[str, dict[str, str]], band: str, image: dict[str, str], origin: str
) -> tuple[float, float, str] | Planck | None:
    """Scale, offset and unit of one band, or its Planck function; None for class bands and where nothing is stated."""
    number = band.removeprefix("B")
    reflectance = groups.get("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", {})
    if scale := _pair(reflectance, "REFLECTANCE", f"BAND_{number}"):
        return (*scale, "reflectance")
    if scale := _pair(groups.get("LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", {}), "TEMPERATURE", f"BAND_ST_B{number}"):
        return (*scale, "kelvin")
    if reflectance:
        return None
    rescaling, thermal = groups.get("LEVEL1_RADIOMETRIC_RESCALING", {}), groups.get("LEVEL1_THERMAL_CONSTANTS", {})
    radiance = _pair(rescaling, "RADIANCE", f"BAND_{number}")
    if radiance and f"K1_CONSTANT_BAND_{number}" in thermal:
        k1, k2 = (_number(thermal, f"{name}_CONSTANT_BAND_{number}") for name in ("K1", "K2"))
        return Planck(*radiance, k1, k2, origin)
    sine = math.sin(math.radians(_number(image, "SUN_ELEVATION"))) if "SUN_ELEVATION" in image else 0.0
    scale = _pair(rescaling, "REFLECTANCE", f"BAND_{number}")
    return (scale[0] / sine, scale[1] / sine, "reflectance") if scale and sine > 0 else None


def _pair(group: dict[str, str], quantity: str, band: str) -> tuple[float, float] | None:
    mult, add = f"{quantity}_MULT_{band}", f"{quantity}_ADD_{band}"
    if mult not in group:
        return None
    if add not in group:
        raise ValueError(f"has {mult}, but no {add}")
    return _number(group, mult), _number(group, add)


def _number(group: dict[str, str], key: str) -> float:
    try:
        value = float(group[key])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{key} is {group.get(key)!r}, expected a finite number")
    return value


def _odl(text: str) -> Iterator[tuple[str, str, str]]:
    group = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            group = value
        elif value and key != "END_GROUP":
            yield group, key, value.strip('"')


def _xml(text: str) -> Iterator[tuple[str, str, str]]:
    for group in parse_xml(text):
        for node in group:
            yield group.tag, node.tag, (node.text or "").strip()


def _json(text: str) -> Iterator[tuple[str, str, str]]:
    for group, values in json.loads(text)["LANDSAT_METADATA_FILE"].items():
        for key, value in values.items():
            yield group, key, str(value)


_READERS = {".txt": _odl, ".xml": _xml, ".json": _json}

LANDSAT_C2 = Product(
    metadata=("*_MTL.json", "*_MTL.xml", "*_MTL.txt"),
    prefix=lambda path: re.sub(r"MTL\.\w+$", "", path),
    file=re.compile(r"^(?:SR_|ST_)?(?P<band>B\d+(?:_VCID_[12])?|QA_PIXEL)\.(?:TIF|tif)$"),
    bands=bands_of,
    describe=describe,
    delivered=frozenset({"green", "red"}),
    on_request=frozenset({"pan", "thermal_high_gain", "cirrus"}),
)
