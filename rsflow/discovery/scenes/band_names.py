"""Common names of numbered bands, where the path names the satellite; nothing where it does not.

Sources: the products' own tables (rsflow.readers.products); NAIP's band order from USDA's "NAIP Digital Ortho Photo Image"
(red, green, blue, near infrared); EuroSAT holds B8A last (https://github.com/phelber/EuroSAT).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rsflow.readers.products.landsat import bands_of
from rsflow.readers.products.sentinel2 import BANDS as SENTINEL2

_LANDSAT = re.compile(r"(?<![a-z])l(?:andsat[-_ ]?|[cotem]0?|)([1-9])(?=[-_]|\d{6}|$)", re.IGNORECASE)
_LANDSAT_PREFIX = {**dict.fromkeys("123", "LM01"), "4": "LT04", "5": "LT05", "7": "LE07", "8": "LC08", "9": "LC09"}
_SENTINEL2 = re.compile(r"(?<![a-z0-9])(?:sentinel[-_ ]?2|s2[abc]?(?![a-z0-9])|eurosat)", re.IGNORECASE)
_NAIP = re.compile(r"(?<![a-z])naip(?![a-z])|(?<![a-z0-9])m_\d{7}_[ns][ew]_", re.IGNORECASE)


def band_table(path: str) -> Mapping[str, str]:
    """Token such as "B4" or "B04" -> common name, for the satellite that the last part of a path names; else empty."""
    text = "/".join(path.split("/")[-3:])
    if match := _LANDSAT.search(text):
        table = bands_of(_LANDSAT_PREFIX.get(match[1], "") + "_L2")
        return {**table, **{f"B0{band[1:]}": name for band, name in table.items() if re.fullmatch(r"B\d", band)}}
    if _SENTINEL2.search(text):
        return {**SENTINEL2, **{f"B{int(band[1:])}": name for band, name in SENTINEL2.items() if band[1:].isdigit()}}
    return {}


def usual_order(path: str, count: int) -> dict[str, int]:
    """Common name -> number of the band, in the order that files of this kind usually have; empty where none is usual."""
    text = "/".join(path.split("/")[-3:])
    if count == 4 and _NAIP.search(text):
        return {"red": 1, "green": 2, "blue": 3, "nir": 4}
    if count == 13 and "eurosat" in text.lower():
        names = [*(name for name in SENTINEL2.values() if name != "nir08"), "nir08"]
        return {name: number for number, name in enumerate(names, 1)}
    if count == 13 and _SENTINEL2.search(text):
        return {name: number for number, name in enumerate(SENTINEL2.values(), 1)}
    return {}
