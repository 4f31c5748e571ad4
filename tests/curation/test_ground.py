"""Boxes near each other: beside a plain comparison of all pairs, and at the antimeridian."""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.splits.ground import (
    UNKNOWN_REGION,
    assign_regions,
    bounding_boxes,
    distances_m,
    is_within_distance,
    region_names,
)

LON = st.floats(-180, 179.9)
BOXES = st.lists(st.tuples(LON, st.floats(-80, 80), st.floats(0.001, 3), st.floats(0.001, 3)), max_size=12)


def arrays(items: list[tuple[float, float, float, float]]) -> np.ndarray:
    return np.array([(w, s, w + dw, s + ds) for w, s, dw, ds in items], dtype=np.float64).reshape(-1, 4)


def apart_m(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two boxes along parallels and meridians, by plain arithmetic."""
    north = max(0.0, a[1] - b[3], b[1] - a[3])
    east = min(max(0.0, a[0] + turn - b[2], b[0] - a[2] - turn) for turn in (-360.0, 0.0, 360.0))
    latitude = min(89.9, max(abs(v) for v in (a[1], a[3], b[1], b[3])))
    return max(north, east * math.cos(math.radians(latitude))) * 111_195.0


@settings(max_examples=150, deadline=None)
@given(BOXES, BOXES, st.sampled_from([0.0, 10_000.0, 200_000.0]))
def test_what_is_near_by_plain_arithmetic_is_found(a: list, b: list, distance: float) -> None:
    boxes, others = arrays(a), arrays(b)
    near = is_within_distance(boxes, others, distance)
    for box, found in zip(boxes, near, strict=True):
        nearest = min((apart_m(box, other) for other in others), default=math.inf)
        assert found or nearest > distance * 0.999
        assert not found or nearest <= distance * 1.8 + 0.1 or abs(box[1]) > 70


def test_neighbours_of_one_grid_touch_and_the_next_but_one_do_not() -> None:
    step = 0.01
    boxes = np.array([(k * step, 0.0, (k + 1) * step, step) for k in range(4)])
    assert is_within_distance(boxes, boxes[:1], 0.0).tolist() == [True, True, False, False]
    assert is_within_distance(boxes, boxes[:1], 1200.0).tolist() == [True, True, True, False]


def test_the_antimeridian_is_no_border() -> None:
    east, west = [179.9, 0.0, 180.1, 0.0, 180.1, 0.2, 179.9, 0.2], [-180.0, 0.1, -179.8, 0.1, -179.8, 0.3]
    rings = pa.chunked_array([[east, west, None]])
    boxes = bounding_boxes(rings)
    assert np.isnan(boxes[2]).all()
    assert is_within_distance(boxes, boxes[:1], 0.0).tolist() == [True, True, False]
    assert is_within_distance(boxes, boxes[1:2], 0.0).tolist() == [True, True, False]


def test_a_ring_spelled_a_turn_further_is_the_same_place() -> None:
    rings = pa.chunked_array([[[190.0, 0.0, 191.0, 1.0]], [[-170.0, 0.0, -169.0, 1.0]]])
    first, second = bounding_boxes(rings)
    assert first.tolist() == second.tolist()


def box(lon: float, lat: float) -> tuple[float, float, float, float]:
    return lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01


def test_a_tile_is_in_the_first_named_region_that_holds_its_middle_else_in_its_cell() -> None:
    named = {"alps": (5.0, 44.0, 16.0, 48.0), "europe": (-10.0, 36.0, 30.0, 71.0), "fiji": (177.0, -20.0, -178.0, -15.0)}
    places = [(10.0, 46.0), (2.0, 48.0), (179.0, -17.0), (-179.5, -17.0), (151.0, -33.0), (-0.5, -0.5), (179.999, 89.999)]
    boxes = np.array([*(box(*place) for place in places), (np.nan,) * 4])
    expected = ["alps", "europe", "fiji", "fiji", "S40E150", "S10W010", "N80E170", UNKNOWN_REGION]
    assert assign_regions(boxes, named, 10.0).to_pylist() == expected
    assert set(expected) <= set(region_names(named, 10.0))


@settings(max_examples=60, deadline=None)
@given(st.floats(-180, 179.99), st.floats(-89.9, 89.9), st.sampled_from([7.5, 10.0, 90.0]))
def test_a_cells_name_says_where_it_is(lon: float, lat: float, deg: float) -> None:
    (name,) = assign_regions(np.array([[lon, lat, lon, lat]]), {}, deg).to_pylist()
    match = re.fullmatch(r"([NS])([\d.]+)([EW])([\d.]+)", name)
    assert match
    south = float(match[2]) * (1 if match[1] == "N" else -1)
    west = float(match[4]) * (1 if match[3] == "E" else -1)
    assert south - 1e-9 <= lat <= south + deg + 1e-9
    assert west - 1e-9 <= lon <= west + deg + 1e-9


def test_every_cell_has_a_name_of_its_own() -> None:
    for deg in (1.0, 2.5, 10.0):
        assert len(set(region_names({}, deg))) == 180 / deg * 360 / deg + 1


def test_gaps_are_those_of_plain_arithmetic_also_across_the_antimeridian() -> None:
    others = np.array([(10.0, 60.0, 10.1, 60.1), (10.2, 60.0, 10.3, 60.1), (10.0, 60.3, 10.1, 60.4), (9.0, 59.0, 11.0, 61.0)])
    degree = math.pi / 180 * 6_371_008.8
    expected = [0.0, 0.1 * degree * math.cos(math.radians(60.05)), 0.2 * degree, 0.0]
    np.testing.assert_allclose(distances_m(others[:1], others), expected, rtol=1e-9, atol=1e-3)
    west, east = np.array([[-180.0, 0.0, -179.5, 1.0]]), np.array([[178.5, 0.0, 179.0, 1.0]])
    for one, other in ((west, east), (east, west)):
        np.testing.assert_allclose(distances_m(one, other), degree * math.cos(math.radians(0.5)), rtol=1e-9)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_distance_holds_over_the_poles(side: float) -> None:
    def box(lon: float, metres: float) -> np.ndarray:
        lat = side * (90.0 - metres / 111_194.93)
        return np.array([[lon, min(lat, lat + side * 1e-6), lon + 0.01, max(lat, lat + side * 1e-6)]])

    assert is_within_distance(box(0.0, 200.0), box(179.0, 200.0), 500.0).all()  # 400 m across the pole
    assert is_within_distance(box(10.0, 200.0), box(-100.0, 300.0), 500.0).all()
    assert not is_within_distance(box(0.0, 20_000.0), box(90.0, 20_000.0), 500.0).any()


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("spelling", [(-135.0, -45.0, 45.0, 135.0), (135.0, 45.0, -45.0, -135.0), (170.0, 260.0, 350.0, 440.0)])
def test_a_ring_round_a_pole_holds_all_that_is_nearer_to_it(side: float, spelling: tuple[float, ...]) -> None:
    around = [number for lon in spelling for number in (lon, 89.5 * side)]
    inside = [10.0, 89.9 * side, 12.0, 89.9 * side, 12.0, 89.95 * side, 10.0, 89.95 * side]
    outside = [10.0, 89.3 * side, 12.0, 89.3 * side, 12.0, 89.4 * side, 10.0, 89.4 * side]
    world = [-180.0, -60.0, 180.0, -60.0, 180.0, 60.0, -180.0, 60.0]
    boxes = bounding_boxes(pa.chunked_array([[around, inside, outside, world]]))
    assert is_within_distance(boxes, boxes[:1], 0.0).tolist() == [True, True, False, False]
    np.testing.assert_allclose(boxes[3], (-180.0, -60.0, 180.0, 60.0))


POLAR = st.tuples(st.floats(-180.0, 179.9), st.floats(-300.0, 300.0), st.booleans())


@settings(max_examples=200, deadline=None)
@given(st.lists(POLAR, min_size=2, max_size=8), st.sampled_from([50.0, 500.0, 5000.0]), st.sampled_from(["pole", "dateline"]))
def test_no_two_places_nearer_than_the_distance_are_taken_for_apart(items: list, distance: float, where: str) -> None:
    """Points within 300 units of 30 m of a pole, or of the antimeridian at a high latitude, beside distances on the sphere."""
    if where == "pole":
        places = [(lon, math.copysign(90.0 - abs(north) * 30 / 111_195, 1.0 if up else -1.0)) for lon, north, up in items]
    else:
        places = [(180.0 + north * 30 / 111_195 / 0.2, 78.0 + lon / 1e5) for lon, north, _ in items]
    boxes = bounding_boxes(pa.chunked_array([[[lon, lat, lon, lat, lon, lat] for lon, lat in places]]))
    lon, lat = np.radians(np.array(places).T)
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    apart = 2 * 6_371_008.8 * np.arcsin(np.clip(np.linalg.norm(xyz[:, None] - xyz[None], axis=2) / 2, 0, 1))
    for k in range(len(places)):
        near = is_within_distance(boxes, boxes[k : k + 1], distance)
        assert near[apart[k] < distance * (1 - 1e-6)].all()
