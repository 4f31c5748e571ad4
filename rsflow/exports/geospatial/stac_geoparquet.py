"""STAC items in Parquet: one file with a row per item that has a place, its properties as columns.

Source: https://github.com/radiantearth/stac-geoparquet-spec (1.0.0), on GeoParquet 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.geometry import shape

from rsflow.exports.contract import Record
from rsflow.files import storage

ROWS = 5_000  # of a row group
SPECIFICATION = "1.0.0"
_TIME = pa.timestamp("us", tz="UTC")
_TIMES = ("datetime", "start_datetime", "end_datetime")
_STRINGS = pa.list_(pa.string())
_ASSET = pa.struct([("href", pa.string()), ("type", pa.string()), ("roles", _STRINGS), ("rsflow:sha256", pa.string())])
_LINK = pa.struct([("rel", pa.string()), ("href", pa.string()), ("type", pa.string())])
_PROPERTIES: dict[str, pa.DataType] = {
    "title": pa.string(),
    **dict.fromkeys(_TIMES, _TIME),
    "gsd": pa.float64(),
    "license": pa.string(),
    **dict.fromkeys(("rsflow:tile", "rsflow:scene", "rsflow:source", "rsflow:sensor", "rsflow:split"), pa.string()),
    "rsflow:licence": pa.string(),
    "rsflow:bands": _STRINGS,
    "rsflow:attribution": _STRINGS,
    "rsflow:tasks": _STRINGS,
    "rsflow:instructions": pa.int64(),
    "rsflow:crs": pa.string(),
    "rsflow:shard": pa.string(),
    "rsflow:is_time_known": pa.bool_(),
}


class ItemTable:
    """`with ItemTable(place, assets) as table: table.add(item)`. `assets`: every name that an item may use."""

    def __init__(self, place: str, assets: Sequence[str]) -> None:
        self._place, self._rows = place, list[Record]()
        self._schema = _schema(assets)

    def __enter__(self) -> ItemTable:
        self._stack = ExitStack()
        stream = self._stack.enter_context(storage.create(self._place))
        self._writer = self._stack.enter_context(pq.ParquetWriter(stream, self._schema, compression="zstd"))
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._flush()
        self._stack.__exit__(*error)

    def add(self, item: Record) -> None:
        self._rows.append(_row(item))
        if len(self._rows) == ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _row(item: Record) -> Record:
    times = {name: datetime.fromisoformat(time) for name in _TIMES if (time := item["properties"].get(name))}
    return {
        **{name: value for name, value in item.items() if name not in {"properties", "geometry", "bbox"}},
        **item["properties"],
        **times,
        "geometry": shapely.to_wkb(shape(item["geometry"])),
        "bbox": dict(zip(("xmin", "ymin", "xmax", "ymax"), item["bbox"], strict=True)),
    }


def _schema(assets: Sequence[str]) -> pa.Schema:
    box = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
    texts = ("type", "stac_version", "id", "collection")
    columns: Iterator[tuple[str, pa.DataType]] = iter(
        [
            *((name, pa.string()) for name in texts),
            ("stac_extensions", _STRINGS),
            ("geometry", pa.binary()),
            ("bbox", box),
            ("assets", pa.struct([(name, _ASSET) for name in sorted(assets)])),
            ("links", pa.list_(_LINK)),
            *_PROPERTIES.items(),
        ]
    )
    covering = {"bbox": {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}}
    column = {"encoding": "WKB", "geometry_types": [], "covering": covering}  # without crs: OGC:CRS84
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    facts = {"version": SPECIFICATION}
    return pa.schema(list(columns), metadata={"geo": json.dumps(geo), "stac-geoparquet": json.dumps(facts)})
