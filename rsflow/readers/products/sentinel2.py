"""Sentinel-2 Level-1C and Level-2A as ESA delivers them: .SAFE folders.

Reflectance = (stored + offset) / quantification value; the offset (BOA_ADD_OFFSET, RADIO_ADD_OFFSET) is there since processing
baseline 04.00 of January 2022. 0 is no data.

Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), "User Product Metadata". Band names are STAC's,
https://github.com/stac-extensions/eo#common-band-names.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Mapping
from functools import partial
from xml.etree import ElementTree

from rsflow.files import storage
from rsflow.files.xml_document import XmlError, parse_xml
from rsflow.readers.products.contract import Description, Product, in_folder
from rsflow.records import SceneFiles

BANDS = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge071",
    "B06": "rededge075",
    "B07": "rededge078",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B10": "cirrus",
    "B11": "swir16",
    "B12": "swir22",
}
BAND_IDS = {band: str(number) for number, band in enumerate(BANDS)}  # as the metadata counts them
CLASSES = {"SCL": "scl"}
_TILE_METADATA = re.compile(r"GRANULE/[^/]*/MTD_TL\.xml$")


def describe(quantification: str, offset: str, path: str, bands: Mapping[str, str], files: SceneFiles) -> Description:
    """Calibration, fill and time of one product. ValueError where the file is no such metadata."""
    try:
        root = parse_xml(storage.read_text(path))
    except XmlError as error:
        raise ValueError(f"is no XML ({error})") from error
    divisor = _number(quantification, _text(root, quantification))
    if divisor <= 0:
        raise ValueError(f"{quantification} is {divisor:g}, expected a number above 0")
    added = {node.get("band_id"): _number(offset, node.text) for node in root.iter(offset)}
    amounts = {name: band for name, band in bands.items() if band in BAND_IDS}
    missing = [band for band in amounts.values() if added and BAND_IDS[band] not in added]
    if missing:
        raise ValueError(f"has {offset} for some bands, but none for {', '.join(missing)}")
    options = {
        "metadata": {
            "scale": dict.fromkeys(amounts, 1 / divisor),
            "offset": {name: added.get(BAND_IDS[band], 0.0) / divisor for name, band in amounts.items()},
            "unit": dict.fromkeys(amounts, "reflectance"),
            "origin": posixpath.basename(path),
        },
        "nodata": 0.0,
        "acquired_at": _text(root, "PRODUCT_START_TIME"),
        "angles": _angles(files),
    }
    return Description(options)


def _angles(files: SceneFiles) -> dict[str, float]:
    """Mean angles of the tile; empty where its metadata is not there."""
    path = next((path for path in files.sidecars if _TILE_METADATA.search(path)), None)
    if path is None:
        return {}
    try:
        root = parse_xml(storage.read_text(path))
    except XmlError as error:
        raise ValueError(f"{posixpath.basename(path)} is no XML ({error})") from error
    found: dict[str, float] = {}
    if (sun := next(root.iter("Mean_Sun_Angle"), None)) is not None:
        found |= {"sun_elevation": 90.0 - _degrees(sun, "ZENITH_ANGLE"), "sun_azimuth": _degrees(sun, "AZIMUTH_ANGLE")}
    if views := [_degrees(node, "ZENITH_ANGLE") for node in root.iter("Mean_Viewing_Incidence_Angle")]:
        found["incidence_angle"] = sum(views) / len(views)
    return found


def _degrees(node: ElementTree.Element, tag: str) -> float:
    value = _number(tag, _text(node, tag))
    if not 0.0 <= value <= 360.0:
        raise ValueError(f"{node.tag}: {tag} is {value:g}, expected degrees from 0 to 360")
    return value


def _number(tag: str, text: str | None) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{tag} is {text!r}, expected a finite number")
    return value


def _text(root: ElementTree.Element, tag: str) -> str:
    found = next(root.iter(tag), None)
    if found is None or not found.text:
        raise ValueError(f"has no {tag}")
    return found.text.strip()


# Cirrus is not in Level-2A: it is used up in the correction.
_L2A_BANDS = {**{band: name for band, name in BANDS.items() if band != "B10"}, **CLASSES}

SENTINEL2_L2A = Product(
    metadata=("MTD_MSIL2A.xml",),
    prefix=in_folder,
    file=re.compile(r"IMG_DATA/R\d\dm/[^/]*_(?P<band>B\d[\dA]|SCL)_(?P<pixel>\d\d)m\.(?:jp2|tif)$"),
    bands=lambda prefix: _L2A_BANDS,
    describe=partial(describe, "BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    delivered=frozenset(BANDS.values()) - {"cirrus"},
    more=_TILE_METADATA,
)
SENTINEL2_L1C = Product(
    metadata=("MTD_MSIL1C.xml",),
    prefix=in_folder,
    file=re.compile(r"IMG_DATA/[^/]*_(?P<band>B\d[\dA])\.(?:jp2|tif)$"),
    bands=lambda prefix: BANDS,
    describe=partial(describe, "QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
    delivered=frozenset(BANDS.values()),
    more=_TILE_METADATA,
)
