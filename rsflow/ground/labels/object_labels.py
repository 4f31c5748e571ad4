"""Objects of tiles as Arrow rows: from many geometries to labels without a Python object for each.

Outlines of one ring, which footprints nearly always are, go from shapely's coordinates to Arrow's buffers as a whole; those
with parts or holes take the way of a single label (rsflow.schemas.label_row).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from rsflow.ground.geometry.geometries import Geometries
from rsflow.ground.geometry.rings import Rings
from rsflow.ground.geometry.shapes import Shapes
from rsflow.ground.layer_settings import OutlineKind
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import LABEL_STRUCT, label_row
from rsflow.spatial.geometry import FloatArray
from rsflow.spatial.polygons import from_geometry, parts_bounds

_POLYGON, _MULTIPOLYGON = 3, 6  # type ids of shapely


def object_rows(
    shapes: Shapes,
    origins: FloatArray,
    visibility: FloatArray,
    names: Sequence[str | None],
    categories: Sequence[str],
    provenance: Provenance,
    outline: OutlineKind,
) -> pa.StructArray:
    """LABEL_STRUCT rows, in order, of what tiles show of objects, in pixels of their tiles.

    `shapes` in pixels of the scene. `origins` (n, 2): x and y of each one's tile. `visibility`: the share that it shows.
    """
    texts = np.array([name or "" for name in names], object)
    is_plain = shapes.is_ring if outline == "polygon" else np.isin(shapes.types, (_POLYGON, _MULTIPOLYGON))
    plain, others = np.flatnonzero(is_plain), np.flatnonzero(~is_plain)
    rings = _rings(shapes.take(plain), origins[plain], visibility[plain], outline)
    columns = {
        "category": pa.array(np.array(categories, object)[plain], pa.string()),
        "text": pa.array(texts[plain], pa.string()),
        "box": _lists((shapes.bounds[plain] - np.tile(origins[plain], 2)).ravel(), np.full(len(plain), 4)),
        "polygon": _outlines(rings),
        "oriented": pa.array((rings.counts > 0) & (outline == "rectangle")),
        "visibility": pa.array(visibility[plain]),
    }
    rows = _struct_rows(columns, provenance)
    if not len(others):
        return rows
    moved = _move(shapes.take(others).geometries, -origins[others])
    whole = [
        label_row(Label("box", categories[row], provenance, _shape(geometry, float(visibility[row]), outline), texts[row]))
        for row, geometry in zip(others.tolist(), moved, strict=True)
    ]
    return pa.concat_arrays([rows, pa.array(whole, LABEL_STRUCT)]).take(pa.array(np.argsort(np.concatenate([plain, others]))))


def _rings(shapes: Shapes, origins: FloatArray, visibility: FloatArray, outline: OutlineKind) -> Rings:
    """The outlines in pixels of the tile; no points where an outline is its box."""
    if outline == "polygon":
        return shapes.rings.shift(-origins)
    rectangles: Geometries = np.full(len(shapes), None, object)
    whole = np.flatnonzero((visibility == 1.0) & (outline == "rectangle"))
    rectangles[whole] = shapely.minimum_rotated_rectangle(_move(shapes.take(whole).geometries, -origins[whole]))
    rectangles[shapely.area(rectangles) == 0] = None
    return Rings.of_polygons(rectangles)


def _move(geometries: Geometries, offsets: FloatArray) -> Geometries:
    """Each moved by its offset (n, 2)."""
    points, index = shapely.get_coordinates(geometries, return_index=True)
    moved: Geometries = shapely.set_coordinates(geometries.copy(), points + offsets[index])
    return moved


def _shape(geometry: shapely.Geometry, visibility: float, outline: OutlineKind) -> Shape:
    """The shape of a geometry with several parts, holes, or lines next to its area."""
    parts = from_geometry(geometry)
    rectangle = from_geometry(shapely.minimum_rotated_rectangle(geometry)) if outline == "rectangle" else ()
    if rectangle and visibility == 1.0:
        return Shape.of_parts(parts_bounds(parts), rectangle, visibility, True)
    return Shape.of_parts(parts_bounds(parts), parts if outline == "polygon" else (), visibility)


def _struct_rows(columns: dict[str, pa.Array], provenance: Provenance) -> pa.StructArray:
    """Rows of boxes with these columns; what a box has no value for is null."""
    count = len(columns["box"])
    constants: dict[str, Any] = {
        "kind": "box",
        "origin": provenance.origin,
        "origin_name": provenance.name,
        "model": provenance.model,
        "revision": provenance.revision,
        "prompt_digest": provenance.prompt_digest,
        "quality": provenance.quality,
    }
    flags = pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], pa.string()))
    known = {**columns, "flags": flags}
    arrays = [
        known[field.name] if field.name in known else pa.repeat(pa.scalar(constants.get(field.name), field.type), count)
        for field in LABEL_STRUCT
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(LABEL_STRUCT))


def _outlines(rings: Rings) -> pa.ListArray:
    """x0, y0, x1, y1, … of each ring, without the repeated last point."""
    kept = np.ones(len(rings.points), np.bool_)
    kept[rings.starts[1:][rings.counts > 0] - 1] = False
    return _lists(rings.points[kept].ravel(), 2 * np.maximum(rings.counts - 1, 0))


def _lists(values: FloatArray, sizes: npt.NDArray[np.int64]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values, pa.float64()))
