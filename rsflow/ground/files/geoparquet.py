"""GeoParquet (https://geoparquet.org, versions 1.0 and 1.1) through pyarrow, because GDAL's wheels come without Parquet.

The file's `geo` metadata name the geometry column, its encoding and its coordinate reference system (absent: OGC:CRS84; null:
unknown); the rest is an ordinary Parquet file that is read batch by batch. In a file without such metadata the column has one
of the usual names, and its reference system is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.errors import ConfigError
from rsflow.files.row_groups import read_row_batches

GEOMETRY = "geometry"
GEO = b"geo"  # the key of a file's metadata that says which column holds geometries


def has_geometries(path: str) -> bool:
    """Whether a file is GeoParquet, and no table without geometries or another file of that name."""
    try:
        return GEO in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def read_description(path: str) -> tuple[str | None, tuple[str, ...]]:
    """The coordinate reference system (PROJJSON or a name; None: unknown) and the attributes. ConfigError where it is none."""
    file = _open(path)
    name, column = _geometry_column(file, path)
    crs = column.get("crs", "OGC:CRS84")
    return json.dumps(crs) if isinstance(crs, dict) else crs, tuple(field for field in file.schema_arrow.names if field != name)


def read_batches(path: str, attributes: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """GEOMETRY (WKB) and those of `attributes` that the file has, in its order; every batch but the last has `rows`."""
    file = _open(path)
    name, _ = _geometry_column(file, path)
    columns = [name, *(field for field in file.schema_arrow.names if field in set(attributes) and field != name)]
    for table in read_row_batches(file, rows, columns):
        yield table.rename_columns([GEOMETRY if field == name else field for field in table.column_names])


def read_sample(path: str, attributes: Sequence[str], rows: int) -> tuple[int, tuple[str, ...], pa.Table]:
    """How many features a file has, their kinds of geometry as its metadata state them, and its first rows' attributes."""
    file = _open(path)
    _, column = _geometry_column(file, path)
    batch = next(file.iter_batches(rows, columns=list(attributes)), None)
    table = pa.table({}) if batch is None else pa.Table.from_batches([batch])
    return file.metadata.num_rows, tuple(column.get("geometry_types") or ()), table


def _open(path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"{path}: cannot read it as Parquet: {error}") from error


def _geometry_column(file: pq.ParquetFile, path: str) -> tuple[str, dict[str, Any]]:
    """The geometry column's name and its entry in the metadata; of a file without metadata, of a column that is named so."""
    text = (file.schema_arrow.metadata or {}).get(GEO)
    if text is None:
        return _usual_column(file.schema_arrow, path), {"encoding": "WKB", "crs": None}
    try:
        geo = json.loads(text)
        name = geo.get("primary_column") or next(iter(geo["columns"]))
        column: dict[str, Any] = geo["columns"][name]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ConfigError(
            f"{path}: its metadata entry `geo` is no GeoParquet metadata: found {text[:80]!r}; write the file again"
        ) from error
    if name not in file.schema_arrow.names:
        found = ", ".join(file.schema_arrow.names)
        raise ConfigError(f"{path}: its metadata name the geometry column {name!r}, which it does not have; found {found}")
    if column.get("encoding") != "WKB":
        raise ConfigError(
            f"{path}: its geometries are encoded as {column.get('encoding')}, expected WKB: write it again with that encoding"
        )
    return name, column


_USUAL_NAMES = ("geometry", "geom", "wkb_geometry", "the_geom", "wkb", "shape")  # of columns with well-known binary


def _usual_column(schema: pa.Schema, path: str) -> str:
    """The column of a plain Parquet file that holds well-known binary, by its name."""
    binary: list[str] = [
        field.name for field in schema if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    ]
    for name in _USUAL_NAMES:
        if found := [column for column in binary if column.lower() == name]:
            return found[0]
    raise ConfigError(
        f"{path}: is Parquet without geometries: its metadata have no entry `geo` (GeoParquet), and no binary column is named "
        f"{' or '.join(_USUAL_NAMES)}"
    )
