"""Rings as arrays agree with shapely, ring by ring."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from rsflow.ground.geometry.rings import Rings, read_rings, write_rings


def made_polygons(count: int = 400) -> np.ndarray:
    """Random rings: convex, concave, crossing themselves, with repeated points, spikes and points on straight edges."""
    random = np.random.default_rng(1)
    found = []
    for number in range(count):
        points = random.normal(0, 10, (random.integers(3, 9), 2)) + random.normal(0, 30, 2)
        hull = shapely.convex_hull(shapely.MultiPoint(points))
        kinds = (
            shapely.Polygon(points),
            hull,
            shapely.Polygon(np.round(points / 5) * 5),
            shapely.Polygon([*points[:3], points[2], *points[3:]]),
            shapely.Polygon([*points[:3], points[1], *points[3:]]),
            shapely.segmentize(hull, 7),
        )
        found.append(kinds[number % len(kinds)])
    return np.array(found, object)


@pytest.fixture(scope="module")
def polygons() -> np.ndarray:
    return made_polygons()


def test_rings_are_read_from_well_known_binary(polygons: np.ndarray) -> None:
    others = [
        shapely.Point(1, 2),
        shapely.Polygon(),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]),
        shapely.box(0, 0, 9, 9).difference(shapely.box(2, 2, 3, 3)),
        None,
        shapely.Polygon([(0, 0, 1), (1, 0, 1), (1, 1, 1)]),
    ]
    every = np.array([*others, *polygons, *others], object)
    rings, found = read_rings(pa.array(shapely.to_wkb(every), pa.binary()))
    assert found.tolist() == [False] * 6 + [True] * len(polygons) + [False] * 6
    assert shapely.equals_exact(rings.to_geometries()[found], polygons).all()
    assert shapely.is_missing(rings.to_geometries()[~found]).all()


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
@pytest.mark.parametrize("null_first", [False, True])
def test_slices_of_an_array_are_read_as_their_own_values(polygons: np.ndarray, kind: pa.DataType, null_first: bool) -> None:
    every = np.array([None if null_first else polygons[0], *polygons[1:20]], object)
    wkb = pa.array(shapely.to_wkb(every), kind)
    for start, count in ((3, 4), (1, 19), (0, 5), (19, 1)):
        rings, found = read_rings(wkb.slice(start, count))
        there = ~shapely.is_missing(every[start : start + count])
        assert found.tolist() == there.tolist()
        assert shapely.equals_exact(rings.to_geometries()[there], every[start : start + count][there]).all()


def test_bounds_areas_and_order_are_those_of_shapely(polygons: np.ndarray) -> None:
    rings = Rings.of_polygons(polygons)
    assert (rings.bounds == shapely.bounds(polygons)).all()
    np.testing.assert_allclose(rings.areas, shapely.area(polygons), atol=1e-9)
    extended = np.flatnonzero(shapely.is_valid(polygons))
    normal = rings.take(extended).normalised()
    assert write_rings(normal).to_pylist() == list(shapely.to_wkb(shapely.normalize(polygons[extended])))


def test_a_ring_that_is_taken_for_convex_is_valid_and_its_own_hull(polygons: np.ndarray) -> None:
    convex = Rings.of_polygons(polygons).is_convex
    assert convex.sum() > len(polygons) / 4
    assert shapely.is_valid(polygons[convex]).all()
    np.testing.assert_allclose(shapely.area(shapely.convex_hull(polygons[convex])), shapely.area(polygons[convex]), rtol=1e-9)


@pytest.mark.parametrize("fan", [[(0, 9), (5, -8), (-9, 3), (9, 3), (-5, -8)]])
def test_a_star_turns_one_way_but_twice(fan: list[tuple[int, int]]) -> None:
    assert not Rings.of_polygons(np.array([shapely.Polygon(fan)], object)).is_convex.any()


def test_clipping_convex_rings_is_the_intersection(polygons: np.ndarray) -> None:
    rings = Rings.of_polygons(polygons)
    chosen = np.flatnonzero(rings.is_convex)
    low = np.random.default_rng(2).normal(0, 15, (len(chosen), 2)).round()
    boxes = np.concatenate([low, low + 30], axis=1)
    # Boxes along the sides of the rings, through their corners and around them.
    bounds, grown = shapely.bounds(polygons[chosen]), ([0, 0, -3, -3], [40, 0, 40, 0], [-1, -1, 1, 1])
    boxes = np.concatenate([boxes, bounds, *(np.add(bounds, by) for by in grown)])
    every = np.tile(chosen, 5)
    expected = shapely.intersection(polygons[every], shapely.box(*boxes.T))
    clipped = rings.take(every).clip(boxes)
    found = clipped.to_geometries()
    there = ~shapely.is_missing(found)
    np.testing.assert_allclose(clipped.areas, shapely.area(expected), atol=1e-9)
    assert shapely.is_valid(found[there]).all()
    np.testing.assert_allclose(shapely.area(shapely.symmetric_difference(found[there], expected[there])), 0, atol=1e-9)
