"""The bands that an item's assets hold, as their metadata states them: STAC 1.1's `bands`, and 1.0's `eo:bands` and
`raster:bands`.

One idea: one list of bands per asset, whatever version wrote it. What a band does not state, its asset states for all of its
bands.

Sources: https://github.com/stac-extensions/eo, https://github.com/stac-extensions/raster and
https://github.com/radiantearth/stac-spec/blob/v1.1.0/commons/common-metadata.md#bands.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from rsflow.errors import DataError
from rsflow.readers.contract import CLASS_BANDS
from rsflow.readers.products.sentinel2 import BANDS as SENTINEL2
from rsflow.stac.documents import Item, Json

RASTERS = (".tif", ".tiff", ".jp2", ".vrt", ".jpg", ".jpeg", ".png")
_MEDIA = re.compile(r"image/(?:tiff|vnd\.stac\.geotiff|jp2|jpeg|png|x\.geotiff)", re.IGNORECASE)
_POLARISATION = re.compile(r"(?:^|[_\W])(vv|vh|hh|hv)(?:$|[_\W])")
# Of the eo extension 2.0: what it splits `rededge` into, by the wavelength of the band's middle in micrometres.
_REDEDGE = {"rededge071": (0.69, 0.73), "rededge075": (0.73, 0.765), "rededge078": (0.765, 0.80)}


@dataclass(frozen=True, slots=True)
class Band:
    """One band of an asset, number `number` (from 1) of `of`. Names are "" and numbers None where nothing states them.

    `names`: what a source's settings may call it by; the first is what it is called without settings. `own`: the product's
    name of it, `common`: that of the eo extension.
    """

    asset: str
    number: int
    of: int
    names: tuple[str, ...]
    own: str = ""
    common: str = ""
    scale: float | None = None
    offset: float | None = None
    nodata: float | str | None = None
    unit: str = ""
    gsd_m: float | None = None


def is_raster(asset: Json) -> bool:
    """Whether an asset is a file of pixels, by its media type, or by its name where it states none."""
    media = asset.get("type")
    if isinstance(media, str) and media:
        return bool(_MEDIA.match(media))
    return _suffix(asset) in RASTERS


def is_picture(asset: Json) -> bool:
    """Whether it is a plain picture (JPEG, PNG) and no georeferenced raster."""
    media = asset.get("type")
    if isinstance(media, str) and _MEDIA.match(media):
        return media.lower().startswith(("image/jpeg", "image/png"))
    return _suffix(asset) in {".jpg", ".jpeg", ".png"}


def asset_bands(item: Item, name: str) -> tuple[Band, ...]:
    """The bands that the metadata of an asset lists, or the one whose common name the asset itself states, as STAC 1.1 allows;
    none where it has neither. DataError `bad_item` for a wrong list."""
    asset = item.data["assets"][name]
    lists = [_list(item, name, asset, key) for key in ("bands", "eo:bands", "raster:bands")]
    stated = {key: asset[key] for key in ("eo:common_name", "eo:center_wavelength") if isinstance(asset.get(key), str | float)}
    count = max(*map(len, lists), int("eo:common_name" in stated))
    found = []
    for index in range(count):
        merged: Json = dict(stated) if count == 1 else {}
        for each in reversed(lists):
            merged |= each[index] if index < len(each) else {}
        found.append(_band(item, name, asset, merged, index + 1, count))
    return tuple(found)


def unlisted_band(item: Item, name: str) -> Band:
    """The one band of an asset whose metadata lists none, which is called like the asset."""
    return _band(item, name, item.data["assets"][name], {}, 1, 1)


def _list(item: Item, name: str, asset: Json, key: str) -> list[Json]:
    found = asset.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise DataError("bad_item", f"{item.place}: {key} of asset {name!r} of item {item.id} is no list of objects")
    return found


def _band(item: Item, name: str, asset: Json, stated: Json, number: int, count: int) -> Band:
    def first(*keys: str) -> Any:
        places: tuple[Mapping[str, Any], ...] = (stated, asset)
        return next((place[key] for place in places for key in keys if place.get(key) is not None), None)

    own = str(stated.get("name") or "")
    common = _common_name(item, stated, own, name if count == 1 else "")
    title = common or own or (name if count == 1 else "")
    names = [each for each in (title, own, common, name if count == 1 else "") if each]
    where = f"{item.place}: asset {name!r} of item {item.id}"
    return Band(
        name,
        number,
        count,
        tuple(dict.fromkeys(names)),
        own,
        common,
        _number(first("raster:scale", "scale"), "scale", where),
        _number(first("raster:offset", "offset"), "offset", where),
        _fill(first("nodata", "raster:nodata"), where),
        str(first("unit", "raster:unit") or ""),
        _gsd(stated, asset),
    )


def _common_name(item: Item, stated: Json, own: str, asset: str) -> str:
    common = str(stated.get("eo:common_name") or stated.get("common_name") or "")
    if common == "rededge":
        middle = stated.get("eo:center_wavelength", stated.get("center_wavelength"))
        split = next((name for name, (low, high) in _REDEDGE.items() if is_number(middle) and low <= middle < high), "")
        return split or _sentinel2_name(item, own or asset) or common
    if common:
        return common
    name = (own or asset).lower()
    if name in CLASS_BANDS and "scale" not in stated and "raster:scale" not in stated:  # amounts are no classes
        return name
    if match := _POLARISATION.search(name) if any(key.startswith("sar:") for key in item.properties) else None:
        return match[1]
    return _sentinel2_name(item, own) or _sentinel2_name(item, asset)


def _sentinel2_name(item: Item, band: str) -> str:
    platform = f"{item.properties.get('constellation', '')} {item.properties.get('platform', '')}".lower()
    return SENTINEL2.get(band.upper(), "") if "sentinel-2" in platform else ""


def _gsd(stated: Json, asset: Json) -> float | None:
    """The ground sample distance of a band in metres, as far as it is stated."""
    keys = ("raster:spatial_resolution", "spatial_resolution", "gsd")
    values = [place.get(key) for place in (stated, asset) for key in keys]
    transform = asset.get("proj:transform")
    values += (
        [abs(transform[0])] if isinstance(transform, list) and transform and isinstance(transform[0], (int, float)) else []
    )
    return next((float(value) for value in values if is_number(value) and value > 0), None)


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: Any, what: str, where: str) -> float | None:
    if value is None:
        return None
    if not is_number(value):
        raise DataError("bad_calibration", f"{where}: its {what} is {value!r}, expected a finite number")
    return float(value)


def _fill(value: Any, where: str) -> float | str | None:
    if value is None:
        return None
    try:
        number = float(value)  # some catalogues write it as text
    except (TypeError, ValueError):
        return _number(value, "nodata", where)
    return number if math.isfinite(number) else "nan"  # of fractions, what is not finite never is a value


def _suffix(asset: Json) -> str:
    return posixpath.splitext(urlsplit(str(asset.get("href", ""))).path)[1].lower()
