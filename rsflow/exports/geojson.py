"""GeoJSON (RFC 7946): `labels_<split>.geojson` with the objects of all tiles, `tiles_<split>.geojson` with their outlines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from shapely.geometry import mapping

from rsflow.exports.contract import ExportJob
from rsflow.exports.geospatial.ground_features import Feature, object_features, tile_feature
from rsflow.exports.writing.json_files import WriteRecord, array_writer
from rsflow.files import storage

DIALECT = "pixels"


def top_level(splits: Sequence[str]) -> list[str]:
    return [f"{kind}_{split}.geojson" for split in splits for kind in ("labels", "tiles")]


def write(job: ExportJob) -> None:
    for split in job.splits:
        labels, tiles = (job.place(f"{kind}_{split}.geojson") for kind in ("labels", "tiles"))
        with _collection(labels) as write_label, _collection(tiles) as write_tile:
            for sample in job.samples(split):
                tile = tile_feature(sample, split)
                if tile is None:
                    job.tally.left_out["no_place"] += len(sample.record["objects"])
                    continue
                write_tile(_record(tile))
                for feature in object_features(sample, split):
                    write_label(_record(feature))
                    job.tally.records += 1


def _record(feature: Feature) -> dict[str, object]:
    name, geometry, properties = feature
    return {"type": "Feature", "id": name, "geometry": mapping(geometry), "properties": properties}


@contextmanager
def _collection(place: str) -> Iterator[WriteRecord]:
    with storage.create(place) as stream:
        stream.write(b'{"type": "FeatureCollection", "features": [')
        yield array_writer(stream)
        stream.write(b"\n]}\n")
