"""The items that a search of an API gave so far, kept in the lake: what the next run need not ask for again.

One idea: the key is a hash of the search, so another search begins anew. Items are kept as they came, without what no scene is
made from. Where an address carries a query, which may be a signature, nothing is kept: the search is made in full each time.

The watermark is the latest `updated` (else `created`, else `datetime`) of what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from rsflow.config.stac_settings import StacSearch
from rsflow.errors import DataError, LakeError
from rsflow.files import storage
from rsflow.lake.json_files import read_json, write_json
from rsflow.stac.documents import Item, Json
from rsflow.stac.items.item_facts import item_period, parse_time
from rsflow.stage import fingerprint

FOLDER = "stac"  # of a lake
VERSION = 1
LINKS = frozenset({"successor-version", "latest-version"})
_DROPPED = frozenset({"title", "description", "classification:classes", "classification:bitfields", "raster:histogram"})
STAMPS = ("updated", "created", "datetime")


@dataclass(frozen=True, slots=True)
class Watermark:
    """All that is known has the property `field`, at latest `latest`."""

    field: str
    latest: datetime


def search_key(search: StacSearch, area: Json | None) -> str:
    """A hash of all that decides what the search finds."""
    public = replace(search, href=storage.mask_secrets(search.href), area=area, sign={}, headers={}, assets=(), sort=())
    return fingerprint(VERSION, asdict(public))


def read_known(root: str | None, key: str) -> list[Item]:
    """What is known of a search; nothing where it was never made, or where the file of it is damaged."""
    if root is None:
        return []
    try:
        found = read_json(storage.join(root, FOLDER, f"{key}.json"), ("items",))
    except LakeError:
        return []  # it is a copy of what the API says: asking it again in full gives the same
    return [_item(item) for item in found["items"]] if found else []


def _item(kept: Json) -> Item:
    return Item(kept["place"], kept["data"], kept["licence"], tuple(kept["providers"]), tuple(kept["credits"]))


def write_known(root: str, key: str, items: Sequence[Item]) -> None:
    """Keep the items of a search, but for one with signed addresses."""
    kept = [
        asdict(replace(item, data=_pruned(item.data))) for item in sorted(items, key=lambda item: (item.collection, item.id))
    ]
    if kept and not any(_is_signed(item) for item in items):
        write_json(storage.join(root, FOLDER, f"{key}.json"), {"items": kept})


def watermark(items: Sequence[Item]) -> Watermark | None:
    """By the first of STAMPS that all items have; None where there are no items or a time is broken."""
    field = next((name for name in STAMPS if all(item.properties.get(name) for item in items)), None)
    try:
        if field is None:
            return Watermark("datetime", max(item_period(item)[0] for item in items)) if items else None
        return Watermark(field, max(parse_time(item.properties[field], field, item) for item in items)) if items else None
    except DataError:
        return None


def _is_signed(item: Item) -> bool:
    return any("?" in str(asset.get("href", "")) for asset in item.data["assets"].values())


def _pruned(data: Json) -> Json:
    assets = {
        name: {key: value for key, value in asset.items() if key not in _DROPPED} for name, asset in data["assets"].items()
    }
    links = [
        {"rel": link["rel"], "href": storage.mask_secrets(str(link.get("href")))}
        for link in data["links"]
        if link.get("rel") in LINKS
    ]
    return {**data, "assets": assets, "links": links}
