"""What a look at a vector layer shows: how many features, of which geometry, their first attributes, and whether any lies here.

One idea: GDAL's layers answer through pyogrio, GeoParquet through its metadata and first batch; nothing reads a layer whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.ground.files import geoparquet
from rsflow.ground.files.layer_files import Layer

SAMPLED = 2000  # features whose attributes are inspected
FEATURES = 1000  # on one scene, whose extent is inspected
BATCH_ROWS = 65_536

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True, slots=True)
class LayerSample:
    """`values`: of text attributes over the first features, how often each comes; empty ones do not count."""

    features: int
    geometry: str
    values: dict[str, Counter[str]]


def sample_layer(layer: Layer) -> LayerSample:
    """The sample of a layer that list_layers named."""
    if layer.is_parquet:
        rows, kinds, table = geoparquet.read_sample(layer.path, layer.attributes, SAMPLED)
        texts = {name: table[name].to_pylist() for name in table.column_names if pa.types.is_string(table[name].type)}
        return LayerSample(rows, " or ".join(kinds) or "geometries", _counted(texts))
    import pyogrio

    info = pyogrio.read_info(layer.path, layer=layer.name, force_feature_count=True)
    meta, _, _, columns = pyogrio.raw.read(layer.path, layer=layer.name, read_geometry=False, max_features=SAMPLED)
    texts = {str(name): list(column) for name, column in zip(meta["fields"], columns, strict=True) if column.dtype == object}
    return LayerSample(int(info["features"]), str(info["geometry_type"] or "geometries"), _counted(texts))


def _counted(texts: dict[str, list[Any]]) -> dict[str, Counter[str]]:
    found = {
        name: Counter(str(value).strip() for value in column if value is not None and str(value).strip())
        for name, column in texts.items()
    }
    return {name: counts for name, counts in found.items() if counts}


def has_feature_on(layer: Layer, grounds: Sequence[Bounds]) -> bool:
    """Whether a feature of the layer lies on one of these grounds and does not cover it: a country is no visible object."""
    from rasterio.errors import CRSError
    from rasterio.warp import transform_bounds

    if layer.crs is None:
        return False
    try:
        boxes = [transform_bounds("EPSG:4326", layer.crs, *ground) for ground in grounds]
    except CRSError:
        return False
    if layer.is_parquet:
        return _parquet_has_feature(layer, boxes)
    return any(_holds_feature(_bounds_in(layer, box), box) for box in boxes)


def _bounds_in(layer: Layer, box: Bounds) -> Any:
    """Bounds (4, n) of the first features that touch a box in the layer's own coordinates."""
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        return pyogrio.read_bounds(layer.path, layer=layer.name, bbox=box, max_features=FEATURES)[1]
    except (DataSourceError, ValueError):
        return np.empty((4, 0))


def _parquet_has_feature(layer: Layer, boxes: Sequence[Bounds]) -> bool:
    import shapely

    for batch in geoparquet.read_batches(layer.path, (), BATCH_ROWS):
        bounds = shapely.bounds(shapely.from_wkb(batch[geoparquet.GEOMETRY].to_numpy(), on_invalid="ignore")).T
        if any(_holds_feature(bounds, box) for box in boxes):
            return True
    return False


def _holds_feature(bounds: Any, box: Bounds) -> bool:
    """Whether one of these bounds (4, n) touches a box without covering it."""
    west, south, east, north = bounds
    touches = (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
    covers = (west <= box[0]) & (south <= box[1]) & (east >= box[2]) & (north >= box[3])
    return bool((touches & ~covers).any())
