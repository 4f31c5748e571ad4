"""Vector files of every format, as a stream of Arrow batches: GDAL's drivers through pyogrio, GeoParquet through pyarrow.

One idea: a file is a number of layers, and a layer streams in batches of the attributes that are asked for, so its size never
matters. Remote files are copied to a local disk first, with the files that belong to them (.shx, .dbf, .prj, .cpg).

Some of GDAL's drivers read what is left of a truncated file and report nothing: rsflow.ground.files.whole_files. Ids in no
order, as in edited OpenStreetMap extracts, need the driver's slower index.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from rsflow.errors import ConfigError
from rsflow.ground.files import geoparquet
from rsflow.ground.files.archives import gdal_name, split_member
from rsflow.ground.files.curves import straighten_curves
from rsflow.ground.files.whole_files import check_whole

BATCH_ROWS, OSM_BATCH_ROWS = 65_536, 8_192  # features of OpenStreetMap come with all their tags
OSM_MEMORY_MB = "32"  # of the index of nodes, which is a temporary file beyond
ID, GEOMETRY, TAGS = "feature id", "geometry", "other_tags"  # columns of a batch beside the attributes
# Descriptions of other files and services, known by their content whatever the file's ending (gdal.org, "Vector drivers").
_VIRTUAL = re.compile(rb"<(OGRVRT\w+|OGRWFS\w+|OGRCSW\w+|OGRNGW\w+|OGCAPI\w+)")
_VIRTUAL_DRIVERS = frozenset(["CSW", "NGW", "OAPIF", "OGCAPI", "OGR_VRT", "VRT", "WFS"])
_START_BYTES = 4096
_INSTEAD = "give the file that holds the features"


@dataclass(frozen=True)
class Layer:
    """One layer of a file. `crs`: as PROJ spells it, None where the file names none. `is_osm`: attributes are tags."""

    path: str
    name: str
    crs: str | None
    attributes: tuple[str, ...]
    is_osm: bool = False
    is_parquet: bool = False


def list_layers(path: str, wanted: Sequence[str] = ()) -> list[Layer]:
    """The layers of a local file, all or those of these names. ConfigError where it cannot be read or has no such layer."""
    if path.lower().endswith((".parquet", ".geoparquet")):
        crs, attributes = geoparquet.read_description(path)
        return [Layer(path, "", crs, attributes, is_parquet=True)]
    file, member = split_member(path)
    check_whole(file)
    _check_is_data(file)
    path = gdal_name(file, member)
    with _explain_gdal_errors(path):
        import pyogrio

        options = {"OSM_USE_CUSTOM_INDEXING": "NO", "OSM_MAX_TMPFILE_SIZE": OSM_MEMORY_MB, "GML_DOWNLOAD_SCHEMA": "NO"}
        pyogrio.set_gdal_config_options(options)
        names = [str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None]
        chosen = [name for name in names if not wanted or name in wanted]
        absent = [name for name in wanted if name not in names]
        if absent or not names:
            problem = (
                f"has no layer {absent[0]!r}; its layers: {', '.join(names)}" if absent else "has no layer with geometries"
            )
            raise ConfigError(f"{path}: {problem}")
        return [_describe_layer(path, name) for name in chosen]


def _check_is_data(path: str) -> None:
    """ConfigError where a file describes other files or a service: GDAL would follow it anywhere."""
    if not os.path.isfile(path):
        return  # a folder that is one layer, as of a file geodatabase
    with open(path, "rb") as stream:
        found = _VIRTUAL.search(stream.read(_START_BYTES))
    if found:
        raise ConfigError(f"{path}: is an {found[1].decode()}, which names other files or an address: {_INSTEAD}")


def _describe_layer(path: str, name: str) -> Layer:
    import pyogrio

    info = pyogrio.read_info(path, layer=name)
    is_osm = info["driver"] == "OSM"
    if info["driver"] in _VIRTUAL_DRIVERS:
        raise ConfigError(f"{path}: is read by the driver {info['driver']}, which follows names in the file: {_INSTEAD}")
    return Layer(path, name, info["crs"], tuple(map(str, info["fields"])), is_osm)


def read_batches(layer: Layer, attributes: Sequence[str]) -> Iterator[pa.Table]:
    """The layer's features in their order: ID (text), GEOMETRY (WKB), and those of `attributes` that it has.

    Of an OSM layer all tags come, those that GDAL gives no column of their own in TAGS, as JSON.
    """
    if layer.is_parquet:
        for number, batch in enumerate(geoparquet.read_batches(layer.path, attributes, BATCH_ROWS)):
            yield _with_ids(batch, pa.array(range(number * BATCH_ROWS, number * BATCH_ROWS + batch.num_rows)))
        return
    yield from _stream_layer(layer, attributes)


def _stream_layer(layer: Layer, attributes: Sequence[str]) -> Iterator[pa.Table]:
    import pyogrio

    columns = list(layer.attributes) if layer.is_osm else [name for name in layer.attributes if name in set(attributes)]
    options: dict[str, Any] = {"TAGS_FORMAT": "JSON"} if layer.is_osm else {}
    with (
        _explain_gdal_errors(layer.path),
        pyogrio.open_arrow(
            layer.path,
            layer=layer.name,
            columns=columns,
            return_fids=True,
            batch_size=OSM_BATCH_ROWS if layer.is_osm else BATCH_ROWS,
            use_pyarrow=True,
            **options,
        ) as (meta, reader),
    ):
        geometry, number = meta["geometry_name"] or "wkb_geometry", meta["fid_column"] or "OGC_FID"
        for batch in reader:
            table = _to_storage_types(pa.Table.from_batches([batch]))
            table = table.rename_columns([GEOMETRY if name == geometry else name for name in table.column_names])
            _check_text(table, layer.path)
            place = table.column_names.index(GEOMETRY)
            wkb = straighten_curves(layer.path, layer.name, table[GEOMETRY].combine_chunks(), table[number].combine_chunks())
            table = table.set_column(place, GEOMETRY, wkb)
            ids = _osm_ids(table, layer.name) if layer.is_osm else table[number]
            yield _with_ids(table.drop_columns([number]) if number in table.column_names else table, ids)


def _check_text(table: pa.Table, path: str) -> None:
    """ConfigError where an attribute has bytes that are no UTF-8, as of a shapefile that does not say its encoding."""
    for name in table.column_names:
        try:
            table[name].validate(full=pa.types.is_string(table[name].type))
        except pa.ArrowInvalid as error:
            raise ConfigError(
                f"{path}: attribute {name!r} has text that is not UTF-8: write it again as UTF-8, or state its encoding: of a "
                "shapefile in a file of the same name that ends in .cpg (one line, for example CP1252)"
            ) from error


def _to_storage_types(table: pa.Table) -> pa.Table:
    """Extension types (JSON, WKB) as what they store."""
    arrays = [
        pa.chunked_array([chunk.storage for chunk in column.chunks])
        if isinstance(column.type, pa.BaseExtensionType)
        else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, arrays, strict=True)))


def _with_ids(table: pa.Table, ids: Any) -> pa.Table:
    return table.append_column(ID, ids.cast(pa.string()))


def _osm_ids(table: pa.Table, layer: str) -> pa.Array:
    """`node/1`, `way/2`, `relation/3`: as OpenStreetMap's own site spells them."""
    kind = {"points": "node", "lines": "way"}.get(layer, "relation")
    of_element = table["osm_id"].to_pylist()
    of_way = table["osm_way_id"].to_pylist() if "osm_way_id" in table.column_names else [None] * len(of_element)
    return pa.array([f"way/{way}" if way else f"{kind}/{element}" for element, way in zip(of_element, of_way, strict=True)])


@contextmanager
def _explain_gdal_errors(path: str) -> Iterator[None]:
    """GDAL's failures, and its warnings of data that it leaves out, as a ConfigError that names the file."""
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

    failures = (
        DataLayerError,
        DataSourceError,
        FeatureError,
        FieldError,
        GeometryError,
        pa.ArrowException,
        OSError,
        RuntimeError,
    )
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            yield
        except failures as error:
            reason = str(error).partition("; It might help to specify")[0]
            raise ConfigError(f"{path}: cannot read it as a vector file: {reason}") from error
    doubtful = [str(warning.message) for warning in found if issubclass(warning.category, RuntimeWarning)]
    if lost := [text for text in doubtful if any(sign in text.lower() for sign in _DAMAGE)]:
        raise ConfigError(f"{path}: is damaged: {lost[0]}")


_DAMAGE = ("truncated", "corrupt", "malformed", "unexpected end", "parsing", "cannot read", "can't read")
