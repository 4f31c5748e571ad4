"""A snapshot as a static STAC collection with its pictures: `collection.json`, below it a catalogue per split and per shard,
with the items, and the same items as stac-geoparquet, `items_<split>.parquet`.

One idea: everything is linked by relative hrefs, so the folder is a catalogue wherever it lies.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from rsflow.exports.contract import ExportJob, Record
from rsflow.exports.geospatial.stac_geoparquet import ItemTable
from rsflow.exports.geospatial.stac_items import Summary, catalogue_document, collection_document, sample_item
from rsflow.exports.writing.json_files import write_json
from rsflow.sensors import SENSOR_NAMES
from rsflow.shards.format import Sample

DIALECT = "pixels"
COLLECTION, CATALOGUES = "collection.json", "catalogs"
_JSON = "application/json"
_PARQUET = "application/vnd.apache.parquet"


def top_level(splits: Sequence[str]) -> list[str]:
    return [COLLECTION, CATALOGUES, "images", *map(_table, splits)]


def write(job: ExportJob) -> None:
    part = "" if job.splits.keys() == job.all_splits.keys() else f"-{'-'.join(sorted(job.splits))}"
    name, summary = f"rsflow-{job.snapshot[:12]}{part}", Summary()
    for split in job.splits:
        with ItemTable(job.place(_table(split)), ["picture", *SENSOR_NAMES]) as table:
            for item in _write_split(job, split, name):
                summary.add(item)
                job.tally.records += 1
                if item["geometry"] is None:  # readers of such tables need an outline in every row
                    job.tally.notes["items_without_place"] += 1
                else:
                    table.add(item)
    children = [_link("child", f"./{CATALOGUES}/{split}/catalog.json") for split in job.splits]
    tables = {
        f"items_{split}": {"href": f"./{_table(split)}", "type": _PARQUET, "roles": ["collection-mirror"]}
        for split in job.splits
    }
    links = [_link("root", f"./{COLLECTION}"), *children]
    write_json(job.place(COLLECTION), collection_document(name, job.snapshot, summary, links, tables))


def _table(split: str) -> str:
    return f"items_{split}.parquet"


def _write_split(job: ExportJob, split: str, collection: str) -> Iterator[Record]:
    """The split's items, each written as a document of its own, then the catalogues of its shards and its own."""
    children = []
    for number, shard in enumerate(job.splits[split].shards):
        stem = posixpath.basename(shard.path).removesuffix(".tar")
        folder, keys = f"{CATALOGUES}/{split}/{stem}", []
        for sample in job.shard(split, number):
            item = sample_item(sample, split, collection, _write_pictures(job, split, sample), shard.path)
            up = "../../../"
            links = [("root", f"{up}{COLLECTION}"), ("parent", "./catalog.json"), ("collection", f"{up}{COLLECTION}")]
            item["links"] = [_link(rel, href) for rel, href in links]
            write_json(job.place(f"{folder}/{sample.key}.json"), item)
            keys.append(sample.key)
            yield _with_root_paths(item, folder)
        links = [
            ("root", f"../../../{COLLECTION}"),
            ("parent", "../catalog.json"),
            *(("item", f"./{key}.json") for key in keys),
        ]
        document = catalogue_document(f"{split}-{stem}", f"Samples of shard {shard.path}", [_link(*each) for each in links])
        write_json(job.place(f"{folder}/catalog.json"), document)
        children.append(_link("child", f"./{stem}/catalog.json"))
    above = [_link("root", f"../../{COLLECTION}"), _link("parent", f"../../{COLLECTION}")]
    document = catalogue_document(split, f"Samples of the split {split}", [*above, *children])
    write_json(job.place(f"{CATALOGUES}/{split}/catalog.json"), document)


def _write_pictures(job: ExportJob, split: str, sample: Sample) -> dict[str, str]:
    """The sample's pictures by asset, as hrefs of its item."""
    paths = {"picture": job.write_picture(split, sample)}
    paths |= {other["sensor"]: other["image"] for other in job.write_companions(split, sample)}
    return {name: f"../../../{path}" for name, path in paths.items()}


def _with_root_paths(item: Record, folder: str) -> Record:
    """The item with hrefs that start at the collection's folder, where the table lies."""

    def moved(each: Record) -> Record:
        return {**each, "href": f"./{posixpath.normpath(posixpath.join(folder, each['href']))}"}

    assets = {name: moved(asset) for name, asset in item["assets"].items()}
    return {**item, "assets": assets, "links": [moved(link) for link in item["links"]]}


def _link(rel: str, href: str) -> Record:
    return {"rel": rel, "href": href, "type": "application/geo+json" if rel == "item" else _JSON}
