"""An item as a scene: its files by band, what its metadata states about them as scene options, and the facts of its row.

One idea: the result is what a source of files lists (rsflow.records.SceneFiles), so readers, planning and the lake learn
nothing of STAC. A source's settings beat the item, number by number, as they beat the tags of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rsflow.config.settings import Source
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.readers.bands.band_tags import UNITS
from rsflow.readers.listing.scene_listing import scene_options
from rsflow.readers.listing.sidecars import FolderListings, find_sidecars
from rsflow.records import SceneFiles
from rsflow.stac.documents import Item, Json
from rsflow.stac.hrefs import Hrefs
from rsflow.stac.items.band_choice import choose_bands
from rsflow.stac.items.item_bands import Band, asset_bands, is_picture, unlisted_band
from rsflow.stac.items.item_facts import georeference, item_gsd, item_row, item_time

# Properties that say the pixels already hold what the stated offset would add: Sentinel-2 of Earth Search, baseline 04.00 on.
# https://github.com/Element84/earth-search/issues/24
OFFSET_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a scene lies in its item's assets: `files` by key of SceneFiles.files, `bands` by name, `options` of the scene."""

    files: dict[str, str]
    bands: Mapping[str, Band]
    options: Json


def source_settings(source: Source) -> Json:
    """The source's own scene options, which beat those of items."""
    return {name: value for name, value in scene_options(source.scenes).items() if name != "bands"}


def item_scene(source: Source, settings: Json, scene_id: str, item: Item, hrefs: Hrefs, near: FolderListings) -> SceneFiles:
    """The scene of an item; `settings` are `source_settings`. DataError with the reason where it gives none."""
    search = source.scenes.stac
    assert search
    assets = item.data["assets"]
    layout = _layout(item, choose_bands(item, source.scenes.bands, search.assets))
    places = {key: hrefs.resolve(item.place, assets[asset].get("href", "")) for key, asset in layout.files.items()}
    georeferences = {key: place for key, asset in layout.files.items() if (place := georeference(item, asset))}
    return SceneFiles(
        scene_id,
        source.name,
        source.sensor,
        "bands" if "" not in layout.files else _reader(source, assets[layout.files[""]]),
        {key: hrefs.sign(place) for key, place in places.items()},
        {**_stated(item, layout.bands), **_set("stated_georeference", georeferences), **layout.options, **settings},
        find_sidecars([place for place in places.values() if not storage.is_remote(place)], near),
        item_row(item),
    )


def broken_scene(source: Source, scene_id: str, place: str, error: DataError) -> SceneFiles:
    """What stands for an item or document that gives no scene, so that it is counted with its reason."""
    return SceneFiles(
        scene_id,
        source.name,
        source.sensor,
        "auto",
        {"": place},
        {"listing_error": [error.reason, storage.mask_secrets(error.detail)]},
    )


def _reader(source: Source, asset: Json) -> str:
    return source.reader if source.reader != "auto" else "picture" if is_picture(asset) else "geotiff"


def _bands_by_position(item: Item, asset: str) -> dict[str, Band]:
    """Of an asset read whole, whose bands get the names that the file has: `#1`, `#2` … as rsflow.readers.bands.band_tags
    finds them, or `*` for what the asset states of all of them.
    """
    listed = asset_bands(item, asset)
    return {f"#{band.number}": band for band in listed} if listed else {"*": unlisted_band(item, asset)}


def _layout(item: Item, chosen: Mapping[str, Band] | str) -> Layout:
    if isinstance(chosen, str):
        return Layout({"": chosen}, _bands_by_position(item, chosen), {})
    assets = {name: band.asset for name, band in chosen.items()}
    if len(set(assets.values())) == 1:
        return Layout(
            {"": next(iter(assets.values()))}, chosen, {"bands": {name: band.number for name, band in chosen.items()}}
        )
    numbers = {name: band.number for name, band in chosen.items() if band.of > 1}
    return Layout(assets, chosen, _set("band_numbers", numbers))


def _set(name: str, value: Any) -> Json:
    """An option, where it has a value."""
    return {name: value} if value else {}


def _stated(item: Item, bands: Mapping[str, Band]) -> Json:
    """Scene options from the item's metadata."""
    return {
        "acquired_at": item_time(item).isoformat(),
        **_set("annotated_gsd_m", item_gsd(item)),
        **_set("metadata", _calibration(item, bands)),
        **_set("licence", item.licence),
        **_set("attribution", list(item.credits)),
    }


def _calibration(item: Item, bands: Mapping[str, Band]) -> Json:
    applied = any(item.properties.get(name) is True for name in OFFSET_APPLIED)
    scaled = {name: band for name, band in bands.items() if band.scale is not None or band.offset is not None}
    offset = {name: 0.0 if applied and (band.offset or 0.0) < 0 else band.offset or 0.0 for name, band in scaled.items()}
    found: dict[str, dict[str, Any]] = {
        "scale": {name: 1.0 if band.scale is None else band.scale for name, band in scaled.items()},
        "offset": offset,
        "unit": {name: band.unit.lower() for name, band in bands.items() if band.unit.lower() in UNITS},
        "nodata": {name: band.nodata for name, band in bands.items() if band.nodata is not None},
    }
    return {**found, "origin": "STAC item"} if any(found.values()) else {}
