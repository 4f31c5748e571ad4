"""Edges all the way round: across the antimeridian, where rings have vertices at 180 and -180, or along an edge of the map."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from rsflow.ground.geometry.geometries import GeometryFaults, clean_geometries

Points = list[tuple[float, float]]

WITH_VERTICES_AT_180 = [(179, 0), (180, 0), (-180, 0), (-179, 0), (-179, 1), (-180, 1), (180, 1), (179, 1)]
DIAMOND = [(179, 0), (180, 0.5), (-180, 0.5), (-179, 0), (-180, -0.5), (180, -0.5)]
TOUCHING = [(179, 0), (180, 0), (-180, 0), (-180, 1), (180, 1), (179, 1)]
WORLD = [(-180, -60), (180, -60), (180, 60), (-180, 60)]
DENSE_BELOW = [(-180, -60), (0, -60), (180, -60), (180, 60), (-180, 60)]
NOTCHED = [(-180, -60), (180, -60), (180, 0), (170, 10), (180, 20), (180, 60), (-180, 60)]
NOTCHED_WHOLLY = [(-180, -60), (180, -60), (170, 0), (180, 60), (-180, 60)]
NOTCHED_TWICE = [
    (-180, -60),
    (180, -60),
    (180, 0),
    (170, 10),
    (180, 20),
    (180, 60),
    (-180, 60),
    (-180, 20),
    (-170, 10),
    (-180, 0),
]
ANTARCTICA = [(-180, -90), (-180, -84), (-90, -70), (0, -70), (90, -70), (180, -84), (180, -90)]


def cleaned(geometry: shapely.Geometry) -> shapely.Geometry:
    """The geometry after cleaning, in which no fault was found."""
    faults = GeometryFaults()
    (found,) = clean_geometries(np.array([geometry], object), np.zeros(1, bool), pa.array(["a"]), True, faults)
    assert faults.ids == {}
    return found


@pytest.mark.parametrize(
    ("points", "bounds", "area"),
    [
        (WITH_VERTICES_AT_180, (179, 0, 181, 1), 2.0),
        (DIAMOND, (179, -0.5, 181, 0.5), 1.0),
        (TOUCHING, (179, 0, 180, 1), 1.0),
    ],
)
@pytest.mark.parametrize("start", range(6))
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_ring_with_vertices_at_180_and_at_minus_180_crosses_there(
    points: Points, bounds: tuple[float, ...], area: float, start: int, is_reversed: bool
) -> None:
    points = points[start:] + points[:start]
    found = cleaned(shapely.Polygon(points[::-1] if is_reversed else points))
    turn = 360.0 * round((bounds[0] - found.bounds[0]) / 360.0)
    assert found.bounds == pytest.approx((bounds[0] - turn, bounds[1], bounds[2] - turn, bounds[3]))
    assert found.area == pytest.approx(area)


def test_a_hole_and_a_line_run_on_too() -> None:
    hole = [(179.5, 0.2), (180, 0.2), (-180, 0.2), (-179.5, 0.2), (-179.5, 0.4), (-180, 0.4), (180, 0.4), (179.5, 0.4)]
    assert cleaned(shapely.Polygon(WITH_VERTICES_AT_180, [hole])).area == pytest.approx(2.0 - 0.2)
    line = cleaned(shapely.LineString([(179, 0), (180, 0.5), (-180, 0.5), (-179, 1)]))
    assert line.bounds == (179, 0, 181, 1)
    parallel = shapely.LineString([(-180, 60), (180, 60)])
    assert cleaned(parallel).bounds == parallel.bounds


@pytest.mark.parametrize("points", [WORLD, DENSE_BELOW, NOTCHED, NOTCHED_WHOLLY, NOTCHED_TWICE, ANTARCTICA])
def test_a_ring_that_spans_the_map_stays(points: Points) -> None:
    polygon = shapely.Polygon(points)
    assert cleaned(polygon).equals(polygon)


@pytest.mark.parametrize("longitude", [-120.0, 0.0, 120.0])
def test_a_hole_far_from_where_its_shell_starts_is_no_edge(longitude: float) -> None:
    polygon = shapely.Polygon(WORLD, [shapely.box(longitude, 0, longitude + 10, 10).exterior.coords])
    assert cleaned(polygon).equals(polygon)
