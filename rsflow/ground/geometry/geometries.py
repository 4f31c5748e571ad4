"""Geometries of features made fit to compute with: flat, valid, in one form whatever file they came from.

One idea: what is repaired or dropped is counted with the feature's id, never silent. Rings that cross themselves are made valid
(https://shapely.readthedocs.io/en/stable/reference/shapely.make_valid.html, method "structure": what a ring runs around is
inside); rings, parts and starting points are put in one order, because Shapefile and GeoJSON turn them differently.

In degrees, an edge longer than half the globe is one that crosses the antimeridian: its ring runs on beyond 180 (RFC 7946,
section 3.1.9, asks for two parts instead; those stay as they are). One all the way round, from 180 to -180, crosses where the
ring that runs on is a narrow one; else it is an edge of the map or lies along a pole, and stays.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

Geometries = npt.NDArray[np.object_]
_COLLECTION = 7


@dataclass
class GeometryFaults:
    """Ids of features by what was wrong with their geometry; `REPAIRED` ones are kept, the others are not."""

    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, reason: str, ids: pa.Array, rows: npt.NDArray[np.bool_]) -> None:
        if rows.any():
            named = ids.filter(pa.array(rows)).to_pylist()
            self.ids[reason].extend("(no id)" if name is None else str(name) for name in named)


REPAIRED = "geometry_repaired"


def clean_geometries(
    geometries: Geometries, missing: npt.NDArray[np.bool_], ids: pa.Array, in_degrees: bool, faults: GeometryFaults
) -> Geometries:
    """Valid two-dimensional geometries in canonical order; None where one cannot be used, which `faults` then says.

    `missing`: features without a geometry, where any other None is one that could not be read.
    """
    geometries = geometries.copy()
    faults.note("geometry_missing", ids, missing)
    faults.note("geometry_unreadable", ids, shapely.is_missing(geometries) & ~missing)
    empty = shapely.is_empty(geometries)
    faults.note("geometry_empty", ids, empty)
    geometries[empty] = None
    geometries = shapely.force_2d(geometries)
    present = ~shapely.is_missing(geometries)
    infinite = present & ~np.isfinite(shapely.bounds(geometries)).all(axis=1)
    faults.note("geometry_not_a_number", ids, infinite)
    geometries[infinite] = None
    _flatten(geometries)
    if in_degrees:
        _unwrap_edges(geometries)
    broken = ~shapely.is_missing(geometries) & ~shapely.is_valid(geometries)
    if broken.any():
        geometries[broken] = shapely.make_valid(geometries[broken], method="structure", keep_collapsed=False)
        _flatten(geometries)
        lost = broken & (shapely.is_missing(geometries) | shapely.is_empty(geometries))
        faults.note("geometry_without_area", ids, lost)
        faults.note(REPAIRED, ids, broken & ~lost)
        geometries[lost] = None
    normal: Geometries = shapely.normalize(geometries)
    return normal


def _flatten(geometries: Geometries) -> None:
    """Collections become their parts of the highest dimension, a single part itself. In place."""
    for row in np.flatnonzero(shapely.get_type_id(geometries) == _COLLECTION):
        parts = shapely.get_parts(geometries[row])
        while (shapely.get_type_id(parts) == _COLLECTION).any():
            parts = shapely.get_parts(parts)
        highest = max(shapely.get_dimensions(parts), default=-1)
        geometries[row] = shapely.union_all(parts[shapely.get_dimensions(parts) == highest]) if highest >= 0 else None
    single = np.isin(shapely.get_type_id(geometries), (4, 5, 6)) & (shapely.get_num_geometries(geometries) == 1)
    geometries[single] = shapely.get_geometry(geometries[single], 0)


def _unwrap_edges(geometries: Geometries) -> None:
    """Rings and lines with an edge over more than half the globe get longitudes that run on. In place."""
    wide = np.nan_to_num(np.ptp(shapely.bounds(geometries)[:, [0, 2]], axis=1)) > 180.0
    for row in np.flatnonzero(wide):
        parts = [_unwrap(part) for part in shapely.get_parts(geometries[row])]
        if len(parts) == 1:
            geometries[row] = parts[0]
        elif shapely.is_valid(parts).all():
            geometries[row] = shapely.union_all(parts)
        else:  # to be repaired, and counted, as a whole
            geometries[row] = shapely.MultiPolygon(parts)


def _unwrap(part: Any) -> Any:
    if part.geom_type not in ("Polygon", "LineString", "LinearRing"):
        return part
    lines = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
    steps = np.concatenate([np.abs(np.diff(shapely.get_coordinates(line)[:, 0])) for line in lines])
    if ((steps > 180.0) & (steps < 359.999)).any():
        return _running_on(part)
    if not (steps >= 359.999).any():
        return part
    run_on = _running_on(part)
    return run_on if _is_crossing(run_on, part) else part


def _is_crossing(run_on: Any, part: Any) -> bool:
    """Whether a geometry, all of whose long edges go from 180 to -180, crosses the antimeridian: that it runs on as a valid one
    less than half the globe wide, which lies on both sides of it or is the only valid reading."""
    west, _, east, _ = run_on.bounds
    if east - west >= 180.0 or not run_on.is_valid:
        return False
    antimeridian = 360.0 * np.floor((east + 180.0) / 360.0) - 180.0
    return bool(west < antimeridian < east) or not part.is_valid


def _running_on(part: Any) -> Any:
    if part.geom_type != "Polygon":
        return shapely.LineString(_run_on(shapely.get_coordinates(part)))
    shell = _close_over_pole(_run_on(shapely.get_coordinates(part.exterior)))
    holes = [_move_into(_close_over_pole(_run_on(shapely.get_coordinates(ring))), shell) for ring in part.interiors]
    return shapely.Polygon(shell, holes)


def _run_on(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack([np.unwrap(coordinates[:, 0], period=360.0), coordinates[:, 1]], axis=1)


def _close_over_pole(ring: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A ring that runs round the globe and so ends a turn from where it began is closed along the nearer pole."""
    if abs(ring[0, 0] - ring[-1, 0]) < 180.0:
        return ring
    pole = float(np.copysign(90.0, ring[:, 1].mean()))
    found: npt.NDArray[np.float64] = np.concatenate([ring, [[ring[-1, 0], pole], [ring[0, 0], pole]], ring[:1]])
    return found


def _move_into(hole: npt.NDArray[np.float64], shell: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A hole at the longitudes of its shell, which may run on beyond 180."""
    middle = (shell[:, 0].min() + shell[:, 0].max()) / 2
    turns = np.round((middle - (hole[:, 0].min() + hole[:, 0].max()) / 2) / 360.0)
    found: npt.NDArray[np.float64] = hole + np.array([360.0 * turns, 0.0])
    return found
