"""Lengths and directions against pyproj's geodesics."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from rsflow.spatial.geodesy import bearing_deg, distance_m, is_position, pixel_size_m

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("lat", [0.0, 45.0, 60.0, -80.0])
def test_a_pixel_is_as_wide_and_high_as_two_geodesics_through_its_middle(lat):
    step = 1e-4
    lons, lats = np.array([10 - step, 10 + step, 10, 10]), np.array([lat, lat, lat + step, lat - step])
    width, height = pixel_size_m(lons, lats)
    assert width == pytest.approx(GEOD.fwd(10, lat, 90, width)[0] and GEOD.inv(10 - step, lat, 10 + step, lat)[2], rel=1e-9)
    # Radii of curvature of the ellipsoid, written out.
    a, e2 = 6378137.0, 0.00669437999014
    bend = 1 - e2 * np.sin(np.radians(lat)) ** 2
    assert width == pytest.approx(np.radians(2 * step) * np.cos(np.radians(lat)) * a / np.sqrt(bend), rel=1e-6)
    assert height == pytest.approx(np.radians(2 * step) * a * (1 - e2) / bend**1.5, rel=1e-6)


def test_directions_turn_from_north_over_east_and_lengths_cross_the_antimeridian():
    assert bearing_deg(0, 0, 0, 1) == 0
    assert bearing_deg(0, 0, 1, 0) == pytest.approx(90)
    assert bearing_deg(0, 0, -1, 0) == pytest.approx(270)
    assert distance_m(179.5, 0, -179.5, 0) == pytest.approx(111_319.49, rel=1e-6)


@pytest.mark.parametrize("lat", [float("nan"), float("inf"), 90.1, 5_000_000.0])
def test_impossible_latitudes_are_no_position(lat):
    assert not is_position(np.array([10.0, 11.0]), np.array([50.0, lat]))
    assert pixel_size_m(np.zeros(4), np.array([0, 0, 0, np.inf])) is None
