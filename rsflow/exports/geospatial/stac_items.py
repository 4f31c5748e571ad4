"""Samples as STAC items, and a snapshot as their collection (STAC 1.1, core fields and those of rsflow's own prefix).

One idea: an item says what its sample's record says. A sample without a place is an item without a geometry; one whose time is
unknown has the widest period in place of a moment and says so, because STAC asks for one or the other.

Source: https://github.com/radiantearth/stac-spec/tree/v1.1.0. Extensions are not used: core schemas alone validate the result.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from rsflow.exports.contract import Record
from rsflow.exports.geospatial.ground_features import tile_feature
from rsflow.shards.format import Sample

STAC_VERSION = "1.1.0"
# Of a sample whose time nobody knows: before the first picture from the air, and the end of what nanoseconds count in pandas.
UNKNOWN_PERIOD = ("1850-01-01T00:00:00Z", "2199-12-31T23:59:59Z")
WORLD = [-180.0, -90.0, 180.0, 90.0]
_LICENCE = re.compile(r"[\w.+-]+")  # what STAC takes for an SPDX identifier or expression
MEDIA = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass
class Summary:
    """What the items of a snapshot hold together: for the collection."""

    licences: Counter[str] = field(default_factory=Counter)
    attributions: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=dict)  # by property
    gsd: list[float] = field(default_factory=list)  # least and largest
    bbox: list[float] = field(default_factory=list)
    times: list[str] = field(default_factory=list)  # first and last

    def add(self, item: Record) -> None:
        properties = item["properties"]
        self.licences[properties["rsflow:licence"]] += 1
        self.attributions.update(properties["rsflow:attribution"])
        for name in ("rsflow:sensor", "rsflow:source", "rsflow:split"):
            self.values.setdefault(name, set()).add(properties[name])
        self.values.setdefault("rsflow:tasks", set()).update(properties["rsflow:tasks"])
        if gsd := properties.get("gsd"):
            self.gsd = [min([*self.gsd, gsd]), max([*self.gsd, gsd])]
        if time := properties["datetime"]:
            self.times = [min([*self.times, time]), max([*self.times, time])]
        if found := item.get("bbox"):
            crosses = found[0] > found[2]
            west, south, east, north = (-180.0, found[1], 180.0, found[3]) if crosses else found
            old = self.bbox or [west, south, east, north]
            self.bbox = [min(old[0], west), min(old[1], south), max(old[2], east), max(old[3], north)]


def sample_item(sample: Sample, split: str, collection: str, images: dict[str, str], shard: str) -> Record:
    """The item of a sample. `images`: asset name -> href of a written picture; `shard`: path of its shard below the root."""
    record = sample.record
    feature = tile_feature(sample, split)
    geometry = feature[1] if feature else None
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": sample.key,
        "collection": collection,
        "geometry": mapping(geometry) if geometry is not None else None,
        **({"bbox": bounds(geometry)} if geometry is not None else {}),
        "properties": _properties(record, split, shard),
        "assets": {name: _asset(href, name == "picture", record) for name, href in images.items()},
        "links": [],
    }


def _properties(record: Record, split: str, shard: str) -> Record:
    time = _utc(record.get("acquired_at"))
    start, end = (time, time) if time else UNKNOWN_PERIOD
    gsd = {"gsd": record["gsd_m"]} if record.get("gsd_m") else {}
    tasks = Counter(instruction["task"] for instruction in record["instructions"])
    return {
        "title": record["tile_id"],
        "datetime": time,
        "start_datetime": start,
        "end_datetime": end,
        **gsd,
        "license": spdx(record["licence"]),
        "rsflow:tile": record["tile_id"],
        "rsflow:scene": record["scene_id"],
        "rsflow:source": record["source"],
        "rsflow:sensor": record["sensor"],
        "rsflow:bands": list(record.get("bands") or ()),
        "rsflow:split": split,
        "rsflow:licence": record["licence"],
        "rsflow:attribution": list(record.get("attribution") or ()),
        "rsflow:tasks": sorted(tasks),
        "rsflow:instructions": tasks.total(),
        "rsflow:crs": record.get("crs"),
        "rsflow:shard": shard,
        "rsflow:is_time_known": bool(time),
    }


def _asset(href: str, is_main: bool, record: Record) -> Record:
    digest = {"rsflow:sha256": record["picture_sha256"]} if is_main and record.get("picture_sha256") else {}
    return {"href": href, "type": MEDIA[href.rpartition(".")[2]], "roles": ["visual"], **digest}


def _utc(time: str | None) -> str | None:
    return time.replace("+00:00", "Z") if time else None


def spdx(licence: str) -> str:
    """The licence where STAC can spell it, else `other`; the item's `rsflow:licence` has it as it was given."""
    return licence if _LICENCE.fullmatch(licence) else "other"


def bounds(geometry: BaseGeometry) -> list[float]:
    """West, south, east, north; west above east where it crosses the antimeridian (RFC 7946, section 5.2)."""
    west, south, east, north = geometry.bounds
    if west == -180.0 and east == 180.0 and geometry.geom_type == "MultiPolygon":
        parts = [part.bounds for part in geometry.geoms]
        if all(part[0] >= 0 or part[2] <= 0 for part in parts):
            return [
                min(part[0] for part in parts if part[0] >= 0),
                south,
                max(part[2] for part in parts if part[2] <= 0),
                north,
            ]
    return [west, south, east, north]


def collection_document(name: str, digest: str, summary: Summary, links: list[Record], assets: Record) -> Record:
    """The collection of a snapshot whose items were summed up."""
    licences = sorted(summary.licences)
    ranges = {"gsd": {"minimum": summary.gsd[0], "maximum": summary.gsd[1]}} if summary.gsd else {}
    providers: list[dict[str, Any]] = [{"name": each, "roles": ["licensor"]} for each in sorted(summary.attributions)]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": name,
        "title": "Instruction dataset",
        "description": f"Samples of the rsflow snapshot {digest}: tiles of remote-sensing scenes with instructions.",
        "license": spdx(licences[0]) if len(licences) == 1 else "other",
        "providers": [*providers, {"name": "rsflow", "roles": ["processor"]}],
        "extent": {
            "spatial": {"bbox": [summary.bbox or WORLD]},
            "temporal": {"interval": [summary.times or list(UNKNOWN_PERIOD)]},
        },
        "summaries": {
            **{key: sorted(values) for key, values in sorted(summary.values.items()) if values},
            "rsflow:licence": licences,
            **ranges,
        },
        "assets": assets,
        "links": links,
    }


def catalogue_document(name: str, description: str, links: list[Record]) -> Record:
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": name,
        "description": description,
        "links": links,
    }
