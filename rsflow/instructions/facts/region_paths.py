"""Points and scribbles inside an object, which mark it and nothing else.

One idea: what is written is rounded, to hundredths of the picture in the coarsest text form, so every point keeps that distance
from the object's edge and from all others; an object that is too small, or too close to another, gets none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

from rsflow.instructions.facts.expressions import SAME_IOU
from rsflow.instructions.facts.objects import HUNDREDTHS, TileObject
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Ring, iou
from rsflow.spatial.polygons import to_geometry

SCRIBBLE_POINTS = 5
_ROUNDING = math.sqrt(0.5)  # of a step: how far rounding both coordinates moves a point


def point_inside(thing: TileObject, facts: TileFacts) -> Ring | None:
    """x, y of the point farthest from the object's edge; None where rounding could carry it off, or onto another object."""
    safe, others = _safe_distance(facts), _other_objects(thing, facts)
    circle = shapely.maximum_inscribed_circle(object_area(thing), tolerance=0.1)
    (x, y), _ = circle.coords
    found = (round(x, 1), round(y, 1))
    is_clear = circle.length > safe and all(other.distance(shapely.Point(found)) > safe for other in others)
    return found if is_clear else None


def scribble_inside(thing: TileObject, facts: TileFacts) -> Ring | None:
    """A zigzag of SCRIBBLE_POINTS points along the object's longer axis, x0, y0, x1, y1, …; None where none fits as above."""
    safe = _safe_distance(facts)
    inner = object_area(thing).buffer(-safe)
    axis = _longest_chord(inner)
    if axis is None or axis.length < 2 * safe:
        return None
    (x0, y0), (x1, y1) = axis.coords
    along = ((x1 - x0) / axis.length, (y1 - y0) / axis.length)
    for swing in (safe, 0.0):
        points = []
        for number in range(SCRIBBLE_POINTS):
            share, aside = 0.1 + 0.8 * number / (SCRIBBLE_POINTS - 1), swing * (-1) ** number
            x, y = x0 + share * (x1 - x0) - aside * along[1], y0 + share * (y1 - y0) + aside * along[0]
            points.append((round(x, 1), round(y, 1)))
        line = shapely.LineString(points)
        if inner.buffer(0.1).covers(line) and all(other.distance(line) > safe for other in _other_objects(thing, facts)):
            return tuple(value for point in points for value in point)
    return None


def object_area(thing: TileObject) -> shapely.Geometry:
    """Its outline, else its oriented box, else its box."""
    if thing.outline:
        return to_geometry(thing.outline)
    return to_geometry(((thing.quad,),)) if thing.quad else shapely.box(*thing.box)


def _safe_distance(facts: TileFacts) -> float:
    return _ROUNDING * max(facts.height_px, facts.width_px) / HUNDREDTHS


def _other_objects(thing: TileObject, facts: TileFacts) -> list[shapely.Geometry]:
    """The areas of all that is labelled beside the object; a label of nearly its box is one of the object itself."""
    return [
        to_geometry(label.shape.area_parts) if label.shape.area_parts else shapely.box(*label.shape.box)
        for position, label in enumerate(facts.labels)
        if label.kind in {"box", "phrase"}
        and label.shape
        and position != thing.label
        and not (label.kind == "phrase" and iou(label.shape.box, thing.box) >= SAME_IOU)
    ]


def _longest_chord(area: shapely.Geometry) -> shapely.LineString | None:
    """The longest piece, inside the area, of the line through the middle of its largest part along that part's longer axis."""
    parts: Sequence[shapely.Geometry] = [part for part in shapely.get_parts(area) if part.area > 0]
    if not parts:
        return None
    largest = max(parts, key=lambda part: part.area)
    corners = list(shapely.oriented_envelope(largest).exterior.coords)
    longer = max((shapely.LineString(corners[:2]), shapely.LineString(corners[1:3])), key=lambda side: side.length)
    (x0, y0), (x1, y1) = longer.coords
    centre, reach = shapely.oriented_envelope(largest).centroid, longer.length
    dx, dy = (x1 - x0) / reach, (y1 - y0) / reach
    line = shapely.LineString([(centre.x - reach * dx, centre.y - reach * dy), (centre.x + reach * dx, centre.y + reach * dy)])
    pieces = [piece for piece in shapely.get_parts(line.intersection(largest)) if piece.length > 0]
    return max(pieces, key=lambda piece: piece.length, default=None)
