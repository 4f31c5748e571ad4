"""Objects of a tile as Arrow rows: from many geometries to labels without a Python object for each.

Outlines of one ring, which footprints nearly always are, go from shapely's coordinates to Arrow's buffers as a whole; those
with parts or holes, and rotated rectangles, take the way of a single label (rsflow.schemas.label_row).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from rsflow.ground.geometries import Geometries
from rsflow.ground.layer_settings import OutlineKind
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import LABEL_STRUCT, label_row
from rsflow.spatial.geometry import Box, FloatArray
from rsflow.spatial.polygons import from_geometry, parts_bounds

_POLYGON = 3


def object_rows(
    geometries: Geometries,
    visibility: FloatArray,
    names: Sequence[str | None],
    category: str,
    provenance: Provenance,
    outline: OutlineKind,
) -> pa.StructArray:
    """LABEL_STRUCT rows, in order, of objects in tile pixels. `visibility`: the share of each that the tile shows."""
    plain = (shapely.get_type_id(geometries) == _POLYGON) & (shapely.get_num_interior_rings(geometries) == 0)
    if outline == "rectangle":
        plain &= visibility < 1.0
    simple, others = np.flatnonzero(plain), np.flatnonzero(~plain)
    whole = [
        label_row(
            Label("box", category, provenance, _shape(geometries[row], float(visibility[row]), outline), names[row] or "")
        )
        for row in others.tolist()
    ]
    rows = _ring_rows(
        geometries[simple], visibility[simple], [names[row] or "" for row in simple.tolist()], category, provenance, outline
    )
    if not whole:
        return rows
    order = np.argsort(np.concatenate([simple, others]))
    return pa.concat_arrays([rows, pa.array(whole, LABEL_STRUCT)]).take(pa.array(order))


def _shape(geometry: shapely.Geometry, visibility: float, outline: OutlineKind) -> Shape:
    parts = from_geometry(geometry)
    box: Box = parts_bounds(parts)
    if (
        outline == "rectangle"
        and visibility == 1.0
        and (rectangle := from_geometry(shapely.minimum_rotated_rectangle(geometry)))
    ):
        return Shape.of_parts(box, rectangle, visibility, True)
    return Shape.of_parts(box, parts if outline == "polygon" else (), visibility)


def _ring_rows(
    geometries: Geometries,
    visibility: FloatArray,
    names: Sequence[str],
    category: str,
    provenance: Provenance,
    outline: OutlineKind,
) -> pa.StructArray:
    """Rows of polygons without holes."""
    count = len(geometries)
    columns: dict[str, Any] = {
        "kind": "box",
        "category": category,
        "oriented": False,
        "origin": provenance.origin,
        "origin_name": provenance.name,
        "model": provenance.model,
        "revision": provenance.revision,
        "prompt_digest": provenance.prompt_digest,
        "quality": provenance.quality,
        "box": _lists(shapely.bounds(geometries).ravel(), np.full(count, 4)),
        "polygon": _outlines(geometries) if outline == "polygon" else _lists(np.empty(0), np.zeros(count, np.int64)),
        "visibility": pa.array(visibility),
        "flags": pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], pa.string())),
        "text": pa.array(names, pa.string()),
    }
    arrays = [
        found
        if isinstance(found := columns.get(field.name), pa.Array)
        else pa.repeat(pa.scalar(found, field.type), count)
        if found is not None
        else pa.nulls(count, field.type)
        for field in LABEL_STRUCT
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(LABEL_STRUCT))


def _outlines(geometries: Geometries) -> pa.ListArray:
    """Exterior rings x0, y0, x1, y1, …, without the repeated last point."""
    points, index = shapely.get_coordinates(shapely.get_exterior_ring(geometries), return_index=True)
    counts = np.bincount(index, minlength=len(geometries))
    kept = np.ones(len(points), np.bool_)
    kept[np.cumsum(counts) - 1] = False
    return _lists(points[kept].ravel(), 2 * (counts - 1))


def _lists(values: FloatArray, sizes: npt.NDArray[np.int64]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values, pa.float64()))
