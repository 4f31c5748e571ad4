"""Outlines and ground sample distance, against known ground truth."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC
from rasterio.transform import from_bounds, from_origin
from shapely.geometry import Polygon

from rsflow.readers import open_scene
from rsflow.readers.georeferencing.georeference import unwrap_ring
from rsflow.spatial.geometry import Window


def ring_of(footprint):
    return np.asarray(footprint).reshape(-1, 2)


def test_degrees_are_outlined_exactly_and_measured_on_the_ellipsoid(write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 100, 200), crs="EPSG:4326", transform=from_bounds(10, 59.95, 10.2, 60.05, 200, 100))
    with open_scene(scene(path)) as reader:
        info = reader.info
        assert (info.georeference, info.crs) == ("crs", "EPSG:4326")
        assert Polygon(ring_of(info.footprint)).bounds == pytest.approx((10, 59.95, 10.2, 60.05))
        # At 60 degrees a degree of latitude is 111412 m, of longitude 55800 m (WGS 84).
        assert info.gsd_m == pytest.approx((111.412 * 55.800) ** 0.5, rel=1e-4)
        tile = ring_of(reader.footprint_of(Window(50, 100, 50, 100)))
    assert Polygon(tile).bounds == pytest.approx((10.1, 59.95, 10.2, 60.0))


def test_pixel_size_is_the_maps_own_where_that_is_true_and_the_grounds_in_mercator(write_tif, scene, noise):
    assert open_scene(scene(write_tif("utm.tif", noise(1, 30, 30)))).info.gsd_m == 10.0
    x, y = 1_000_000, 8_399_737.9  # 60 degrees north
    path = write_tif("mercator.tif", noise(1, 30, 30), crs="EPSG:3857", transform=from_origin(x, y, 10, 10))
    assert open_scene(scene(path)).info.gsd_m == pytest.approx(5.0, rel=0.01)


def test_feet_are_not_metres(write_tif, scene, noise):
    path = write_tif("feet.tif", noise(1, 30, 30), crs="EPSG:2229", transform=from_origin(6_400_000, 1_800_000, 1, 1))
    assert open_scene(scene(path)).info.gsd_m == pytest.approx(1200 / 3937, rel=1e-9)  # the US survey foot


@pytest.mark.parametrize(("crs", "x"), [("EPSG:32660", 640_000), ("EPSG:32601", 250_000)])
def test_a_scene_across_the_antimeridian_runs_on_beyond_180(crs, x, write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 100, 100), crs=crs, transform=from_origin(x, 5_800_000, 1000, 1000))
    ring = ring_of(open_scene(scene(path)).info.footprint)
    assert ring[:, 0].min() < 180 < ring[:, 0].max() < 190
    assert Polygon(ring).is_valid
    assert Polygon(ring).area < 3


def test_a_scene_around_the_pole_contains_it(write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 100, 100), crs="EPSG:3413", transform=from_origin(-500_000, 500_000, 10_000, 10_000))
    ring = ring_of(open_scene(scene(path)).info.footprint)
    shape = Polygon(ring)
    assert shape.is_valid
    assert ring[:, 1].max() == 90
    assert np.ptp(ring[:, 0]) == pytest.approx(360)


@settings(deadline=None)
@given(st.floats(-180, 179.99), st.floats(0.1, 100), st.integers(1, 20))
def test_unwrapped_rings_keep_their_width_wherever_they_start(west, width, steps):
    share = np.linspace(0, 1, steps + 1)
    lons = np.concatenate([west + width * share, west + width * share[::-1]])
    wrapped = (lons + 180) % 360 - 180
    ring = ring_of(unwrap_ring(wrapped, np.concatenate([np.zeros(steps + 1), np.ones(steps + 1)])))
    assert np.ptp(ring[:, 0]) == pytest.approx(width)
    assert -180 - 1e-9 <= ring[:, 0].min() < 180


def gcp_file(path, points, crs="EPSG:4326"):
    with rasterio.open(path, "w", driver="GTiff", count=1, height=100, width=200, dtype="uint8", gcps=points, crs=crs) as to:
        to.write(np.ones((1, 100, 200), np.uint8))
    return path


@pytest.mark.parametrize("west", [20.0, 179.0])
def test_ground_control_points_give_an_outline_but_no_map(west, tmp_path, scene):
    points = [
        GroundControlPoint(row, col, (west + col * 0.01 + 180) % 360 - 180, 50 - row * 0.01)
        for row in (0, 50, 100)
        for col in (0, 100, 200)
    ]
    with open_scene(scene(gcp_file(tmp_path / "a.tif", points))) as reader:
        info = reader.info
        assert (info.georeference, info.crs, info.transform) == ("gcps", None, None)
        assert Polygon(ring_of(info.footprint)).bounds == pytest.approx((west, 49, west + 2, 50), abs=1e-6)
        part = ring_of(reader.footprint_of(Window(50, 80, 50, 120)))
    assert Polygon(part).bounds == pytest.approx((west + 0.8, 49, west + 2, 49.5), abs=1e-6)


def test_rational_polynomials_give_an_outline_too(tmp_path, scene):
    one, lon, lat = [1.0] + [0.0] * 19, [0.0, 1.0] + [0.0] * 18, [0.0, 0.0, 1.0] + [0.0] * 17
    rpc = RPC(
        height_off=120.0, height_scale=500.0, lat_off=45.0, lat_scale=0.5, line_off=50.0, line_scale=50.0, long_off=7.0,
        long_scale=1.0, samp_off=100.0, samp_scale=100.0, line_num_coeff=[-value for value in lat], line_den_coeff=one,
        samp_num_coeff=lon, samp_den_coeff=one, err_bias=None, err_rand=None,
    )  # fmt: skip
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=100, width=200, dtype="uint8", rpcs=rpc) as to:
        to.write(np.ones((1, 100, 200), np.uint8))
    info = open_scene(scene(path)).info
    assert (info.georeference, info.transform) == ("rpcs", None)
    assert Polygon(ring_of(info.footprint)).bounds == pytest.approx((6, 44.5, 8, 45.5), abs=0.02)


@pytest.mark.parametrize("crs", ['LOCAL_CS["plan",UNIT["metre",1]]', "+proj=ortho +lat_0=0 +lon_0=0"])
def test_a_place_that_cannot_be_computed_is_unknown_and_no_error(crs, write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 100, 100), crs=crs, transform=from_origin(-7e6, 7e6, 140_000, 140_000))
    with open_scene(scene(path, gsd_m=9.0)) as reader:
        assert (reader.info.georeference, reader.info.footprint) == ("crs", None)
        assert reader.footprint_of(Window(0, 0, 10, 10)) is None
        assert reader.info.gsd_m


def test_a_scene_without_a_place_has_windows_and_the_stated_pixel_size(write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 30, 30), crs=None, transform=None)
    with open_scene(scene(path, gsd_m=0.3)) as reader:
        assert (reader.info.georeference, reader.info.footprint, reader.info.gsd_m) == ("none", None, 0.3)
        assert reader.footprint_of(Window(0, 0, 10, 10)) is None
        assert reader.read(Window(0, 0, 10, 10)).valid.all()


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("crs", "transform", "said"),
    [
        ("EPSG:32631", rasterio.Affine(NAN, 0, 500_000, 0, -10, 5_000_000), "finite"),
        ("EPSG:32631", rasterio.Affine(10, 0, INF, 0, -10, 5_000_000), "finite"),
        ("EPSG:32631", rasterio.Affine(10, 0, 500_000, 0, 0, 5_000_000), "no height"),
        ("EPSG:32631", rasterio.Affine(10, 10, 500_000, 5, 5, 5_000_000), "no height"),
        ("EPSG:32631", from_origin(500_000e3, 5_000_000e3, 10_000, 10_000), "nowhere on Earth"),
        ("EPSG:4326", from_origin(500_000, 5_000_000, 10, 10), "nowhere on Earth"),
        ("EPSG:4326", from_origin(10, 95, 0.01, 0.01), "nowhere on Earth"),
        ("EPSG:4326", from_origin(-180, 80, 10, 0.1), "nowhere on Earth"),
    ],
)
def test_a_georeference_that_cannot_be_true_is_refused_as_a_whole_and_the_scene_is_read(
    crs, transform, said, write_tif, scene, noise
):
    files = {"red": write_tif("a.tif", noise(1, 50, 60), crs=crs, transform=transform)}
    for one in (scene(files["red"]), scene(files)):
        with open_scene(one) as reader:
            info = reader.info
            assert (info.georeference, info.crs, info.transform) == ("none", None, None)
            assert (info.footprint, info.gsd_m, info.pixel_m) == (None, None, None)
            assert said in info.georeference_error
            assert reader.footprint_of(Window(0, 0, 10, 10)) is None
            assert reader.pixel_m_of(Window(0, 0, 10, 10)) is None
            assert reader.read(Window(0, 0, 50, 60)).valid.all()
    assert open_scene(scene(files["red"], gsd_m=2.5)).info.pixel_m == (2.5, 2.5)


def test_impossible_control_points_are_no_place(tmp_path, scene):
    points = [GroundControlPoint(row, col, 4000.0 + col, 5e6 - row) for row in (0, 50, 100) for col in (0, 100, 200)]
    info = open_scene(scene(gcp_file(tmp_path / "a.tif", points))).info
    assert (info.georeference, info.footprint, info.gsd_m) == ("none", None, None)


def test_a_pixel_in_degrees_is_measured_along_both_axes_and_where_the_window_is(write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 400, 20), crs="EPSG:4326", transform=from_origin(10, 60, 1e-4, 0.1))
    with open_scene(scene(path)) as reader:
        north, south = (reader.pixel_m_of(Window(row, 0, 2, 2)) for row in (0, 398))
    assert north[0] == pytest.approx(5.597, rel=2e-3)
    assert north[1] == pytest.approx(11_141, rel=1e-3)
    assert south[0] == pytest.approx(10.455, rel=2e-3)
