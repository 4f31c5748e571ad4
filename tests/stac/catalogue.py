"""Writes a static STAC catalogue with small real GeoTIFFs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDE = 32
Json = dict[str, Any]


def write_band(path: Path, value: int, bands: int = 1, **profile: Any) -> Path:
    """A GeoTIFF (uint16, UTM 33N, 10 m) whose band k holds value + k plus a ramp, with 0 in its first column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.tile(np.arange(SIDE, dtype=np.uint16), (SIDE, 1))
    pixels = np.stack([ramp + value + band for band in range(bands)]).astype(np.uint16)
    pixels[:, :, 0] = 0
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    shape = {"count": bands, "height": SIDE, "width": SIDE, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **{**place, **profile}) as out:
        out.write(pixels)
    return path


def band_asset(href: str, name: str, common: str, **raster: Any) -> Json:
    """An asset of one band as STAC 1.0 describes it."""
    return {
        "href": href,
        "type": "image/tiff; application=geotiff",
        "roles": ["data"],
        "eo:bands": [{"name": name, "common_name": common}],
        "raster:bands": [{"data_type": "uint16", **raster}],
    }


def item(name: str, assets: Json, **properties: Any) -> Json:
    """An item of collection `set`, at 15°E 45°N."""
    ring = [[15.0, 45.1], [15.1, 45.1], [15.1, 45.2], [15.0, 45.2], [15.0, 45.1]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": "set",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [15.0, 45.1, 15.1, 45.2],
        "properties": {"datetime": "2020-06-01T10:00:00Z", **properties},
        "assets": assets,
        "links": [],
    }


class Catalogue:
    """A collection.json in `folder`, with items linked from it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.links = folder, list[Json]()
        self.licence = "CC-BY-4.0"
        self.save()

    def save(self) -> None:
        self.write(
            "collection.json",
            {
                "type": "Collection",
                "stac_version": "1.0.0",
                "id": "set",
                "description": "a set",
                "license": self.licence,
                "providers": [{"name": "Maker", "roles": ["producer"]}],
                "extent": {"spatial": {"bbox": [[15, 45, 16, 46]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}},
                "links": self.links,
            },
        )

    def write(self, name: str, document: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def link(self, href: str, rel: str = "item") -> None:
        self.links.append({"rel": rel, "href": href})
        self.save()

    def add(self, document: Json) -> Json:
        """Write an item beside the collection and link it."""
        name = str(document.get("id", f"document{len(self.links)}"))
        self.write(f"{name}.json", document)
        self.link(f"./{name}.json")
        return document

    def add_scene(self, name: str, value: int = 1000, **properties: Any) -> Json:
        """An item with a red and a nir band of its own."""
        assets = {}
        for number, (key, common) in enumerate({"B04": "red", "B08": "nir"}.items()):
            write_band(self.folder / f"{name}/{key}.tif", value + 100 * number)
            assets[key] = band_asset(f"./{name}/{key}.tif", key, common, nodata=0, scale=0.0001, offset=-0.1)
        return self.add(item(name, assets, **properties))
