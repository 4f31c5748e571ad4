"""Outlines that a text can hold: few points, and still the same area once they are rounded.

One idea: an outline is written under the even-odd rule, ring after ring, simplified as far as its area allows. What takes too
many points, or loses its area when its corners are rounded to the coarsest text form, is not written at all.
"""

from __future__ import annotations

import shapely

from rsflow.instructions.facts.objects import HUNDREDTHS
from rsflow.records import TileFacts
from rsflow.spatial.geometry import Parts, Ring
from rsflow.spatial.polygons import even_odd_area, from_geometry, geometry_iou, to_geometry

MOST_POINTS = 48  # of one outline: some 300 tokens
LEAST_IOU = 0.9  # of the written outline with the exact one
LEAST_IOU_ROUNDED = 0.7  # of the same once rounded to hundredths
_TOLERANCES_PX = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)

Rings = tuple[Ring, ...]


def written_outline(exact: Parts, facts: TileFacts) -> Rings | None:
    """The rings of the least simplified outline of at most MOST_POINTS points, in tenths of a pixel; None where none keeps
    its area.

    Simplified by Douglas and Peucker's algorithm (https://shapely.readthedocs.io/en/stable/reference/shapely.simplify.html).
    """
    whole = to_geometry(exact)
    for tolerance in _TOLERANCES_PX:
        simple = shapely.simplify(whole, tolerance)
        rings = tuple(ring for part in from_geometry(simple) for ring in part)
        if sum(map(len, rings)) <= 2 * MOST_POINTS:
            kept = (
                rings
                and geometry_iou(whole, simple) >= LEAST_IOU
                and geometry_iou(whole, _rounded(rings, facts)) >= LEAST_IOU_ROUNDED
            )
            return tuple(tuple(round(value, 1) for value in ring) for ring in rings) if kept else None
    return None


def _rounded(rings: Rings, facts: TileFacts) -> shapely.Geometry:
    """What is left of the area once corners are rounded to hundredths of the longer side."""
    step = max(facts.height_px, facts.width_px) / HUNDREDTHS
    return even_odd_area(tuple(tuple(round(value / step) * step for value in ring) for ring in rings))
