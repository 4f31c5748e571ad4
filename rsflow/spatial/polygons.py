"""Areas with several parts and with holes: one form for them, and the exact arithmetic that is done on it.

One idea: an area is a tuple of parts, a part a tuple of flat rings x0, y0, x1, y1, … (open, the first point is not repeated):
its outer ring, then its holes. That is GeoJSON's MultiPolygon (RFC 7946, section 3.1.7) with flat rings. Shapely does the
arithmetic, so what is clipped is exact, in every part and hole.

Rings stay as they were annotated until something is computed of them; one that crosses itself is then made valid, and parts
that overlap are united, as COCO's own tools do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import shapely

from rsflow.spatial.geometry import Box, Part, Parts, Ring


def to_geometry(parts: Parts) -> shapely.Geometry:
    """The area as a valid geometry (https://shapely.readthedocs.io/en/stable/reference/shapely.make_valid.html)."""
    polygons = [_valid(part) for part in parts]
    if len(polygons) == 1:
        return polygons[0]
    if all(isinstance(polygon, shapely.Polygon) for polygon in polygons) and (apart := shapely.MultiPolygon(polygons)).is_valid:
        return apart
    return shapely.union_all(polygons)


def from_geometry(geometry: shapely.Geometry) -> Parts:
    """The inverse of `to_geometry`: the polygons of a geometry that have an area; points and lines in it are none."""
    return tuple(
        tuple(_flat(ring) for ring in (polygon.exterior, *polygon.interiors))
        for polygon in _polygons(geometry)
        if polygon.area > 0
    )


def even_odd_area(rings: Iterable[Ring]) -> shapely.Geometry:
    """What rings enclose under the even-odd rule; a ring of fewer than three points encloses nothing."""
    area: shapely.Geometry = shapely.Polygon()
    for ring in rings:
        if len(ring) >= 6:
            points = list(zip(ring[::2], ring[1::2], strict=True))
            area = shapely.symmetric_difference(area, shapely.make_valid(shapely.Polygon(points)))
    return area


def geometry_iou(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """Intersection over union of two areas; 0 where neither has any."""
    union = shapely.union(one, other).area
    return float(shapely.intersection(one, other).area / union) if union else 0.0


def clip_parts(parts: Parts, to: Box) -> Parts:
    """What of the area is inside a box; no parts where they do not meet."""
    return from_geometry(shapely.intersection(to_geometry(parts), shapely.box(*to)))


def parts_area(parts: Parts) -> float:
    """In square pixels, without the holes; what two parts share counts once."""
    return float(to_geometry(parts).area)


def parts_bounds(parts: Parts) -> Box:
    """The box that just holds all parts."""
    xs, ys = [x for (outer, *_) in parts for x in outer[::2]], [y for (outer, *_) in parts for y in outer[1::2]]
    return (min(xs), min(ys), max(xs), max(ys))


def translate_parts(parts: Parts, dx: float, dy: float) -> Parts:
    return tuple(tuple(tuple(v + (dy if i % 2 else dx) for i, v in enumerate(ring)) for ring in part) for part in parts)


def scale_parts(parts: Parts, sx: float, sy: float) -> Parts:
    return tuple(tuple(tuple(v * (sy if i % 2 else sx) for i, v in enumerate(ring)) for ring in part) for part in parts)


def round_parts(parts: Parts, digits: int) -> Parts:
    return tuple(tuple(tuple(round(v, digits) for v in ring) for ring in part) for part in parts)


def _valid(part: Part) -> shapely.Geometry:
    outer, *holes = (list(zip(ring[::2], ring[1::2], strict=True)) for ring in part)
    polygon = shapely.Polygon(outer, holes)
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def _flat(ring: shapely.LinearRing) -> Ring:
    return tuple(float(value) for point in list(ring.coords)[:-1] for value in point)


def _polygons(geometry: shapely.Geometry) -> Iterator[shapely.Polygon]:
    for part in shapely.get_parts(geometry).tolist():
        if isinstance(part, shapely.Polygon):
            yield part
        elif isinstance(part, shapely.MultiPolygon | shapely.GeometryCollection):
            yield from _polygons(part)
