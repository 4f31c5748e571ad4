"""Scenes that only rational polynomials place, on the ground grid: where things lie, and the error that is stated."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from pyproj import Transformer
from rasterio.rpc import RPC

from rsflow.readers import open_scene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

SIDE, LON, LAT, HALF = 200, 15.0, 45.0, 0.01  # HALF: degrees from the middle to an edge


def polynomials(err_bias: float | None, err_rand: float | None) -> RPC:
    """Columns grow with the longitude and a little with the latitude, rows fall with the latitude; both bend slightly."""
    one, bend = [1.0] + [0.0] * 19, 0.02
    cols, rows = [0.0] * 20, [0.0] * 20
    cols[1], cols[2], cols[7] = 1.0, 0.1, bend  # longitude, latitude, longitude squared
    rows[2], rows[8] = -1.0, bend  # latitude, latitude squared
    return RPC(
        0.0, 500.0, LAT, HALF, one, rows, SIDE / 2, SIDE / 2, LON, HALF, one, cols, SIDE / 2, SIDE / 2, err_bias, err_rand
    )


def pixel_of(lon: float, lat: float) -> tuple[float, float]:
    """(column, row), by the polynomials."""
    x, y = (lon - LON) / HALF, (lat - LAT) / HALF
    return SIDE / 2 * (1 + x + 0.1 * y + 0.02 * x * x), SIDE / 2 * (1 - y + 0.02 * y * y)


def test_a_scene_lies_on_the_grid_where_its_polynomials_say(
    write_scene: Callable[..., SceneFiles], warp: Callable[..., list[WarpedScene]]
) -> None:
    cols, rows = np.meshgrid(np.arange(SIDE, dtype="float32"), np.arange(SIDE, dtype="float32"))
    scene = write_scene(np.stack([cols, rows]) + 1, crs=None, transform=None, rpcs=polynomials(3.0, 4.0), nodata=0)
    with open_scene(scene) as stored:
        assert stored.info.georeference == "rpcs"
        assert stored.position_error_m() == pytest.approx(math.hypot(3.0, 4.0))
    (warped,) = warp(scene, 10.0, resampling="bilinear")
    with warped:
        to_degrees = Transformer.from_crs(warped.grid.crs, "EPSG:4326", always_xy=True)
        a, _, c, _, e, f = warped.grid.transform
        found = warped.read(Window(0, 0, warped.info.height_px, warped.info.width_px))
        inside = np.argwhere(found.valid)[::997]
        assert len(inside) > 10
        for row, col in inside:
            lon, lat = to_degrees.transform(c + a * (col + 0.5), f + e * (row + 0.5))
            expected = pixel_of(lon, lat)
            assert found.pixels[:, row, col] - 0.5 == pytest.approx(expected, abs=0.6)  # a value is its pixel's number from 1


def test_no_error_is_stated_where_the_polynomials_state_none(write_scene: Callable[..., SceneFiles]) -> None:
    scene = write_scene(np.ones((1, SIDE, SIDE), "uint8"), crs=None, transform=None, rpcs=polynomials(None, None))
    with open_scene(scene) as stored:
        assert stored.position_error_m() is None
