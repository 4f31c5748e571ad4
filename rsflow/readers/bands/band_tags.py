"""What a file and its source state about each band: the fill value, the calibration, the unit.

One idea: a source's setting beats a tag, number by number, and a tag that cannot be true is refused by name instead of being
applied. Everything here is read when a file is opened; no pixel is touched.

Sources: GDAL's raster data model (https://gdal.org/en/stable/user/raster_data_model.html): scale, offset, unit type and nodata
of a band; TIFF 6.0, PhotometricInterpretation 0 (WhiteIsZero).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from rsflow.calibration import UNCALIBRATED, Calibration
from rsflow.errors import DataError
from rsflow.readers.contract import CLASS_BANDS
from rsflow.sensors import SENSORS, PixelUnit, SensorName

NO_FILL = "nan"  # as a source's `nodata`: no number is fill, whatever the tags say

# Spellings of GDAL's unit type.
UNITS: dict[str, PixelUnit] = {
    **dict.fromkeys(("k", "kelvin", "kelvins", "degrees kelvin", "deg k", "degk"), "kelvin"),
    **dict.fromkeys(("db", "decibel", "decibels"), "db"),
    **dict.fromkeys(("reflectance", "surface reflectance", "toa reflectance", "boa reflectance"), "reflectance"),
    **dict.fromkeys(("c", "°c", "degc", "deg c", "celsius", "degree_celsius", "degrees celsius"), "kelvin"),
}
UNITS_KNOWN: tuple[PixelUnit, ...] = get_args(PixelUnit)
KELVIN_AT_0_CELSIUS = 273.15


def resolve_fill_value(tag: float | None, band: str, options: dict[str, Any], dtype: np.dtype[Any]) -> float | None:
    """The number that stands for no value; None where there is none, or no pixel of that type can equal it.

    Of fractions, what is not finite is never a value, so such a tag adds nothing. The source's `nodata` is for amounts only:
    class 0 of a cloud mask is "clear".
    """
    setting = None if band in CLASS_BANDS else options.get("nodata")
    value = tag if setting is None else None if setting == NO_FILL else setting
    if value is None or not math.isfinite(value):
        return None
    if dtype.kind == "f":
        return float(value)
    limits = np.iinfo(dtype)
    return float(value) if float(value).is_integer() and limits.min <= value <= limits.max else None


def is_zero_fill(sensor: SensorName, options: dict[str, Any], dtype: np.dtype[Any]) -> bool:
    """Whether 0 is fill where no setting or tag gives a fill value: radar amplitude and power, which are always above 0.

    8-bit pictures of radar are left out: dark water is rounded to 0 there. So are decibels in whole numbers.
    """
    unit = options.get("unit") or SENSORS[sensor].default_unit
    if not SENSORS[sensor].zero_is_fill or "nodata" in options or dtype.itemsize == 1:
        return False
    return unit in {"amplitude", "power", "dn"} or (unit == "db" and dtype.kind == "f")


def read_calibration(dataset: Any, index: int, band: str, options: dict[str, Any], place: str) -> Calibration:
    """How band number `index` (from 1) becomes physical values. Raises DataError("bad_calibration", ...)."""
    if band in CLASS_BANDS:
        return UNCALIBRATED
    tagged = _read_tags(dataset, index)
    if stated := options.get("metadata"):
        tagged = _stated_by_metadata(stated, band, index, dataset.dtypes[index - 1], tagged)
    overrides = {name: number for name in ("scale", "offset") if (number := band_setting(options.get(name), band)) is not None}
    unit = options.get("unit") or tagged.unit
    result = Calibration(
        overrides.get("scale", tagged.scale),
        overrides.get("offset", tagged.offset),
        unit,
        "setting" if overrides else tagged.origin,
    )
    if not result.possible:
        found = f"scale {result.scale:g} and offset {result.offset:g} for band {band} ({result.origin or 'file tags'})"
        raise DataError(
            "bad_calibration", f"{place}: has {found}, expected finite numbers and a scale other than 0; set `scenes.scale`"
        )
    return _upright(result, dataset, index)


def _read_tags(dataset: Any, index: int) -> Calibration:
    unit = (dataset.units[index - 1] or "").strip().lower()
    tagged = Calibration(float(dataset.scales[index - 1]), float(dataset.offsets[index - 1]), UNITS.get(unit, ""), "")
    return _in_kelvin(replace(tagged, origin="file tags" if tagged.changes or tagged.unit else ""), unit)


def _stated_by_metadata(stated: dict[str, Any], band: str, index: int, dtype: str, tagged: Calibration) -> Calibration:
    """The tags with what metadata beside the file states of the band in place of them."""
    scale, offset, unit = (band_metadata(stated, what, band, index) for what in ("scale", "offset", "unit"))
    if scale is None and unit is None:
        return tagged
    known = UNITS.get(unit or "", "")
    if scale is None:
        return replace(tagged, unit=known, origin=stated["origin"])
    return _in_kelvin(Calibration(_scale_of(scale, dtype), float(offset or 0.0), known, stated["origin"]), unit or "")


def band_metadata(stated: dict[str, Any], what: str, band: str, index: int) -> Any:
    """What metadata states of a band: by its name, its number (`#1`), or of all bands (`*`); None where it states nothing."""
    values = stated.get(what) or {}
    return next((values[key] for key in (band, f"#{index}", "*") if key in values), None)


def _in_kelvin(known: Calibration, unit: str) -> Calibration:
    return replace(known, offset=known.offset + KELVIN_AT_0_CELSIUS) if _is_celsius(unit) else known


def band_setting(setting: Any, band: str) -> float | None:
    """A setting that is one number for all bands, or a number by band name."""
    value = setting.get(band) if isinstance(setting, dict) else setting
    return None if value is None else float(value)


def shared_unit(calibrations: tuple[Calibration, ...]) -> PixelUnit | None:
    """The unit that all bands are stated in, None where they differ or none is stated."""
    stated = {each.unit for each in calibrations}
    return next((unit for unit in UNITS_KNOWN if stated == {unit}), None)


def _scale_of(stated: float | str, dtype: str) -> float:
    """A number, or "type": whole numbers are shares of their type's range, fractions are themselves."""
    if stated != "type":
        return float(stated)
    return 1.0 / np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1.0


def _is_celsius(stated_unit: str) -> bool:
    return "c" in stated_unit.replace("kelvin", "") and UNITS.get(stated_unit) == "kelvin"


def _upright(known: Calibration, dataset: Any, index: int) -> Calibration:
    """With the numbers of a file whose white is 0 counted from the other end."""
    if dataset.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") != "YES":
        return known
    bits = dataset.tags(index, ns="IMAGE_STRUCTURE").get("NBITS")
    dtype = np.dtype(dataset.dtypes[index - 1])
    if dtype.kind == "f":
        return known
    most = (1 << int(bits)) - 1 if bits else np.iinfo(dtype).max
    return Calibration(
        -known.scale, known.scale * most + known.offset, known.unit, known.origin or "photometric interpretation MINISWHITE"
    )
