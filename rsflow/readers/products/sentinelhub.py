"""Sentinel-2 as Sentinel Hub's browsers export it: one file per band, "Raw", named by period, collection and band.

Values are reflectances: fractions as they are, whole numbers with the type's range for 0 to 1. A second band is the data mask.

Source: Sentinel Hub documentation, "Sample types" of Evalscript V3, and the export names of EO Browser and Copernicus Browser
(`2019-04-16-00:00_2019-04-16-23:59_Sentinel-2_L2A_B04_(Raw).tiff`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from rsflow.readers.products.contract import Description, Product
from rsflow.readers.products.sentinel2 import BANDS
from rsflow.records import SceneFiles

_NAME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)-\d\d[:_]\d\d_\d{4}-\d\d-\d\d-\d\d[:_]\d\d_Sentinel-2_(?P<level>L1C|L2A)_(?P<band>B\d[\dA])_\(Raw\)\.tiff?$"
)


def describe(path: str, bands: Mapping[str, str], files: SceneFiles) -> Description:
    """Calibration and date of the files of one period, from their names."""
    match = _NAME.search(posixpath.basename(path))
    if match is None:
        raise ValueError("is not named as Sentinel Hub names raw bands")
    metadata = {
        "scale": dict.fromkeys(bands, "type"),
        "offset": dict.fromkeys(bands, 0.0),
        "unit": dict.fromkeys(bands, "reflectance"),
        "origin": f"name of a Sentinel-2 {match['level']} export",
    }
    return Description({"metadata": metadata, "data_mask": True, "acquired_at": match["date"]})


SENTINELHUB = Product(
    metadata=("*_Sentinel-2_L*_B*_(Raw).tiff", "*_Sentinel-2_L*_B*_(Raw).tif"),
    prefix=lambda path: re.sub(r"B\d[\dA]_\(Raw\)\.tiff?$", "", path),
    file=re.compile(r"^(?P<band>B\d[\dA])_\(Raw\)\.tiff?$"),
    bands=lambda prefix: BANDS,
    describe=describe,
)
