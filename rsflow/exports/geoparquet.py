"""GeoParquet 1.1 (https://geoparquet.org): `labels_<split>.parquet` with the objects of all tiles, `tiles_<split>.parquet` with
their outlines, in longitudes and latitudes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from rsflow.exports.contract import ExportJob
from rsflow.exports.geospatial.ground_features import Feature, object_features, tile_feature
from rsflow.files import storage

DIALECT = "pixels"
ROWS = 10_000  # of a row group

_TEXTS = ("tile_id", "scene_id", "source", "sensor", "licence", "attribution", "acquired_at", "split")
_SHARED = {"id": pa.string(), **dict.fromkeys(_TEXTS, pa.string()), "geometry": pa.binary()}
_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "labels": {**_SHARED, "category": pa.string(), "origin": pa.string(), "visibility": pa.float64(), "score": pa.float64()},
    "tiles": {**_SHARED, "gsd_m": pa.float64(), "crs": pa.string(), "vocabulary": pa.list_(pa.string())},
}


def top_level(splits: Sequence[str]) -> list[str]:
    return [f"{kind}_{split}.parquet" for split in splits for kind in _COLUMNS]


def write(job: ExportJob) -> None:
    for split in job.splits:
        with (
            storage.create(job.place(f"labels_{split}.parquet")) as labels,
            storage.create(job.place(f"tiles_{split}.parquet")) as tiles,
            pq.ParquetWriter(labels, _schema("labels"), compression="zstd") as label_writer,
            pq.ParquetWriter(tiles, _schema("tiles"), compression="zstd") as tile_writer,
        ):
            for outlines, objects in _groups(job, split):
                tile_writer.write_table(_table("tiles", outlines))
                label_writer.write_table(_table("labels", objects))


def _groups(job: ExportJob, split: str) -> Iterator[tuple[list[Feature], list[Feature]]]:
    """(outlines, objects) of tiles, so many at a time that their objects fill a row group."""
    outlines: list[Feature] = []
    objects: list[Feature] = []
    for sample in job.samples(split):
        tile = tile_feature(sample, split)
        if tile is None:
            job.tally.left_out["no_place"] += len(sample.record["objects"])
            continue
        outlines.append(tile)
        found = list(object_features(sample, split))
        job.tally.records += len(found)
        objects += found
        if max(len(objects), len(outlines)) >= ROWS:
            yield outlines, objects
            outlines, objects = [], []
    yield outlines, objects


def _table(kind: str, features: Sequence[Feature]) -> pa.Table:
    rows = [{"id": name, "geometry": shapely.to_wkb(geometry), **properties} for name, geometry, properties in features]
    return pa.Table.from_pylist(rows, schema=_schema(kind))


def _schema(kind: str) -> pa.Schema:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["MultiPolygon", "Polygon"]}  # without crs: OGC:CRS84
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return pa.schema(list(_COLUMNS[kind].items()), metadata={"geo": json.dumps(geo)})
