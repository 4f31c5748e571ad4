"""A scene on the ground grid: the same pixels in every window, no fill in values, no shift, whatever its georeference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import rasterio.shutil
from pyproj import CRS, Transformer
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine, from_origin
from rasterio.warp import Resampling, reproject

from rsflow.calibration import equals_fill
from rsflow.cells.major_tom import cell_grid
from rsflow.readers import GRID, open_scene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window
from tests.conftest import S3Server

Smooth = Callable[..., npt.NDArray[Any]]
TMERC = CRS.from_proj4("+proj=tmerc +lat_0=44.9 +lon_0=15.2 +k=0.9999 +x_0=1000 +y_0=2000 +ellps=bessel").to_wkt()
PLACES: dict[str, dict[str, Any]] = {
    "utm": {},
    "utm, off the grid": {"transform": from_origin(500_003.7, 5_000_001.9, 10, 10)},
    "utm of the next zone": {"crs": "EPSG:32632", "transform": from_origin(970_000, 5_010_000, 10, 10)},
    "rotated": {"transform": from_origin(500_000, 5_000_000, 1, 1) * Affine.rotation(30) * Affine.scale(10, 12)},
    "south up": {"transform": Affine(10, 0, 500_000, 0, 10, 4_998_000)},
    "degrees": {"crs": "EPSG:4326", "transform": from_origin(14.9, 45.1, 0.00013, 0.00009)},
    "web mercator": {"crs": "EPSG:3857", "transform": from_origin(1_669_000, 5_621_000, 14, 14)},
    "no EPSG code": {"crs": TMERC, "transform": from_origin(1000, 2000, 10, 10)},
    "antimeridian": {"crs": "EPSG:4326", "transform": from_origin(179.99, 10.0, 0.0001, 0.0001)},
    "antimeridian from the west": {"crs": "EPSG:4326", "transform": from_origin(-180.01, 10.0, 0.0001, 0.0001)},
    "north pole": {"crs": "EPSG:3413", "transform": from_origin(-1000, 1000, 10, 10)},
    "south pole": {"crs": "EPSG:3031", "transform": from_origin(-1000, 1000, 10, 10)},
    "equator and two zones": {"crs": "EPSG:4326", "transform": from_origin(11.99, 0.01, 0.0001, 0.0001)},
}


def control_points(transform: Affine, height: int, width: int) -> list[GroundControlPoint]:
    return [
        GroundControlPoint(row, col, *(transform * (col, row)))
        for row in range(0, height + 1, 50)
        for col in range(0, width + 1, 50)
    ]


def whole(scene: WarpedScene) -> Any:
    return scene.read(Window(0, 0, scene.info.height_px, scene.info.width_px))


def windows(scene: WarpedScene, size: int) -> list[Window]:
    height, width = scene.info.height_px, scene.info.width_px
    return [
        Window(row, col, min(size, height - row), min(size, width - col))
        for row in range(0, height, size)
        for col in range(0, width, size)
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("gsd_m", "resampling"), [(10.0, "average"), (23.0, "average"), (7.3, "bilinear"), (10.0, "nearest")])
def test_a_window_is_that_part_of_the_whole_bit_for_bit(
    write_scene: Any, warp: Any, smooth: Smooth, place: str, gsd_m: float, resampling: str
) -> None:
    pixels = smooth(2, 201, 187)
    pixels[:, 50:70, 60:75], pixels[0, 100:, 100:104] = 0, 0
    for scene in warp(write_scene(pixels, nodata=0, **PLACES[place]), gsd_m, 48, resampling):
        expected = whole(scene)
        assert expected.valid.any()
        for size in (48, 37):
            for window in windows(scene, size):
                part, inside = scene.read(window), np.s_[window.row_off : window.row_stop, window.col_off : window.col_stop]
                assert part.pixels.tobytes() == expected.pixels[:, *inside].tobytes()
                assert np.array_equal(part.valid, expected.valid[inside])


@pytest.mark.parametrize("place", PLACES)
def test_values_lie_where_they_are_on_the_ground(write_scene: Any, warp: Any, smooth: Smooth, place: str) -> None:
    """Against positions computed one by one by PROJ: no half pixel of shift, in any reference system."""
    pixels = smooth(1, 201, 187, "float32")
    files = write_scene(pixels, **PLACES[place])
    with rasterio.open(files.files[""]) as stored:
        crs, inverse = stored.crs.to_string(), ~stored.transform
    for scene in warp(files, 10.0, 64, "bilinear"):
        found = whole(scene)
        rows, cols = np.nonzero(found.valid)
        chosen = np.random.default_rng(0).choice(len(rows), min(300, len(rows)), replace=False)
        a, _, c, _, e, f = scene.grid.transform
        xs, ys = a * (cols[chosen] + 0.5) + c, e * (rows[chosen] + 0.5) + f
        east, north = Transformer.from_crs(scene.grid.crs, crs, always_xy=True).transform(xs, ys)
        if "antimeridian" in place:
            east = east % 360 if place == "antimeridian" else (east + 180) % 360 - 180
            east = np.where(east > 0, east - 360, east) if place != "antimeridian" else east
        across, down = inverse * (east, north)
        i, j = np.clip(down - 0.5, 0, 200), np.clip(across - 0.5, 0, 186)
        top, left = np.floor(i).astype(int).clip(0, 199), np.floor(j).astype(int).clip(0, 185)
        v, u = i - top, j - left
        band = pixels[0].astype(float)
        expected = (
            band[top, left] * (1 - v) * (1 - u) + band[top, left + 1] * (1 - v) * u
            + band[top + 1, left] * v * (1 - u) + band[top + 1, left + 1] * v * u
        )  # fmt: skip
        assert np.abs(found.pixels[0, rows[chosen], cols[chosen]] - expected).max() < 0.3


@pytest.mark.parametrize("place", [name for name in PLACES if "antimeridian" not in name and "pole" not in name])
def test_gdal_gives_the_same(write_scene: Any, warp: Any, smooth: Smooth, place: str) -> None:
    pixels = smooth(1, 201, 187, "float32")
    files = write_scene(pixels, **PLACES[place])
    for scene in warp(files, 10.0, 64, "bilinear"):
        found, gdal = whole(scene), np.full((1, scene.info.height_px, scene.info.width_px), np.nan, np.float32)
        with rasterio.open(files.files[""]) as stored:
            reproject(
                stored.read(), gdal, src_transform=stored.transform, src_crs=stored.crs, src_nodata=np.nan, dst_nodata=np.nan,
                dst_transform=Affine(*scene.grid.transform), dst_crs=scene.grid.crs, resampling=Resampling.bilinear,
                tolerance=0, XSCALE=1, YSCALE=1,
            )  # fmt: skip
        assert (found.valid != np.isfinite(gdal[0])).mean() < 0.002
        both = found.valid & np.isfinite(gdal[0])
        assert np.abs(found.pixels[0] - gdal[0])[both].max() < 1.0


def test_a_scene_on_the_grid_comes_back_unchanged(write_scene: Any, warp: Any) -> None:
    pixels = np.random.default_rng(0).integers(1, 60_000, (3, 130, 140)).astype("uint16")
    (scene,) = warp(write_scene(pixels), 10.0, 64)
    found = whole(scene)
    top, left = round((scene.grid.transform[5] - 5_000_000) / 10), round((500_000 - scene.grid.transform[2]) / 10)
    inside = np.s_[top : top + 130, left : left + 140]
    assert np.array_equal(found.pixels[:, *inside], pixels)
    assert found.valid[inside].all()
    assert found.valid.sum() == 130 * 140


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [("uint16", 0), ("uint16", 65535), ("int16", -9999), ("float32", np.nan), ("float32", -9999.0), ("uint8", 255)],
)
@pytest.mark.parametrize("gsd_m", [7.0, 10.0, 25.0])
def test_fill_is_never_part_of_a_value(write_scene: Any, warp: Any, dtype: str, fill: float, gsd_m: float) -> None:
    pixels = np.full((2, 120, 120), 100, dtype)
    hole = np.random.default_rng(3).random((120, 120)) < 0.3
    pixels[0, hole], pixels[1, 40:60] = fill, fill
    place = {"transform": from_origin(500_003.3, 5_000_004.1, 10, 10)}
    for scene in warp(write_scene(pixels, nodata=fill, **place), gsd_m):
        found = whole(scene)
        for band in found.pixels:
            lost = ~np.isfinite(band) if np.isnan(fill) else equals_fill(band, fill)
            assert set(np.unique(band[~lost])) == {100}
            assert lost.any()
        assert found.valid.any()
        assert not found.valid.all()


def test_masks_are_warped_and_hide_what_lies_under_them(write_scene: Any, warp: Any) -> None:
    pixels, mask = np.full((1, 120, 120), 100, "uint8"), np.full((120, 120), 255, "uint8")
    pixels[:, 30:60, 30:60], mask[30:60, 30:60] = 255, 0
    (scene,) = warp(write_scene(pixels, mask), 5.0)
    found = whole(scene)
    assert set(np.unique(found.pixels[0][found.valid])) == {100}
    assert found.valid.sum() == 4 * (120 * 120 - 30 * 30)


def test_a_mean_that_equals_the_fill_value_is_still_a_value(write_scene: Any, warp: Any) -> None:
    pixels = np.where(np.indices((120, 120)).sum(axis=0) % 2, 10, -10)[None].astype("int16")
    (scene,) = warp(write_scene(pixels, nodata=0), 20.0)
    found = whole(scene)
    assert found.valid.sum() == 60 * 60
    assert set(np.unique(found.pixels[0][found.valid])) == {1}


def test_class_bands_take_the_nearest_pixel_at_full_resolution(write_scene: Any, warp: Any) -> None:
    classes = np.where(np.random.default_rng(0).random((128, 128)) < 0.5, 4, 8)
    pixels = np.stack([np.full((128, 128), 100), classes]).astype("uint8")
    files = write_scene(pixels, options={"bands": {"red": 1, "scl": 2}}, overviews=(2, 4))
    for gsd_m in (7.0, 40.0):
        (scene,) = warp(files, gsd_m)
        found = whole(scene)
        assert set(np.unique(found.pixels[1][found.valid])) == {4, 8}


def test_overviews_are_read_where_the_grid_is_coarser(write_scene: Any, warp: Any) -> None:
    pixels = np.full((1, 512, 512), 50, "uint8")
    files = write_scene(pixels, overviews=(2, 4, 8))
    (scene,) = warp(files, 40.0)
    assert scene._pixels.info.height_px == 128
    assert warp(files, 39.0)[0]._pixels.info.height_px == 256
    assert warp(files, 10.0)[0]._pixels.info.height_px == 512
    assert warp(files, 40.0, resampling="nearest")[0]._pixels.info.height_px == 512
    assert set(np.unique(whole(scene).pixels[0][whole(scene).valid])) == {50}


def test_a_coarse_cell_reads_few_bytes_of_a_file_in_a_bucket(
    write_scene: Any, warp: Any, bucket: str, s3_server: S3Server, smooth: Smooth, tmp_path: Path
) -> None:
    path, place = tmp_path / "cog.tif", f"s3://{bucket}/scene.tif"
    settings = {"driver": "COG", "blocksize": 128, "overview_resampling": "average"}
    rasterio.shutil.copy(write_scene(smooth(1, 1024, 1024)).files[""], path, **settings)
    files = SceneFiles("source.scene", "source", "optical", "auto", {"": str(path)})
    near = whole(warp(files, 80.0)[0])
    boto3.client("s3").upload_file(str(path), bucket, "scene.tif")
    s3_server.requests.clear()
    s3_server.sizes.clear()
    (scene,) = warp(replace(files, files={"": place}), 80.0)
    far = whole(scene)
    assert np.array_equal(near.pixels, far.pixels)
    assert scene._pixels.info.height_px == 128
    assert 0 < sum(s3_server.sizes) < path.stat().st_size / 10


@pytest.mark.parametrize(
    ("made_by", "is_read"), [("nearest", True), ("mode", True), ("average", True), ("cubic", False), ("bilinear", False)]
)
def test_overviews_of_a_colour_table_are_read_where_they_hold_its_entries(
    write_scene: Any, warp: Any, smooth: Smooth, made_by: str, is_read: bool
) -> None:
    """A wide field of one colour beside another; the entries between their numbers are of other colours."""
    numbers = np.where(np.arange(512) < 300, 5, 85)[None, None].repeat(512, axis=1).astype("uint8")
    files = write_scene(numbers, photometric="palette")
    with rasterio.open(files.files[""], "r+") as to:
        to.write_colormap(1, {**dict.fromkeys(range(256), (9, 200, 9, 255)), 5: (240, 0, 0, 255), 85: (0, 0, 240, 255)})
        to.build_overviews([2, 4], rasterio.enums.Resampling[made_by])
    (scene,) = warp(files, 40.0)
    assert scene._pixels.info.height_px == (128 if is_read else 512)
    found = whole(scene)
    red, green, blue = (band[found.valid] for band in found.pixels)
    assert green.max() == 0
    assert {(240, 0), (0, 240)} <= {*zip(red.tolist(), blue.tolist(), strict=True)}
    assert ((red.astype(int) + blue) == 240).all()


def test_overviews_that_may_hold_blended_fill_are_not_read(write_scene: Any, warp: Any) -> None:
    pixels = np.full((1, 256, 256), 100, "uint16")
    pixels[:, ::3, ::5] = 0  # fill that the file does not know of when its overviews are made
    files = write_scene(pixels, overviews=(2, 4), options={"nodata": 0.0})
    (scene,) = warp(files, 40.0)
    found = whole(scene)
    assert set(np.unique(found.pixels[0][found.valid])) == {100}


def test_odd_overviews_do_not_shift(write_scene: Any, warp: Any, smooth: Smooth) -> None:
    pixels = smooth(1, 257, 255, "float32")
    with_overviews, without = (warp(write_scene(pixels, overviews=levels), 40.0)[0] for levels in ((2, 4), ()))
    one, other = whole(with_overviews), whole(without)
    both = one.valid & other.valid
    assert np.abs(one.pixels - other.pixels)[:, both].mean() < 1.5
    assert np.abs(one.pixels - other.pixels)[:, both].max() < 12


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32633"])
def test_control_points_place_a_scene_like_the_map_they_are_of(write_scene: Any, warp: Any, smooth: Smooth, crs: str) -> None:
    pixels = smooth(1, 200, 200, "float32")
    transform = from_origin(14.9, 45.1, 0.00013, 0.00009) if crs == "EPSG:4326" else from_origin(500_000, 5_000_000, 10, 10)
    mapped = warp(write_scene(pixels, crs=crs, transform=transform), 10.0)
    located = warp(write_scene(pixels, gcps=control_points(transform, 200, 200), crs=crs), 10.0)
    assert [scene.grid for scene in located] == [scene.grid for scene in mapped]
    for one, other in zip(located, mapped, strict=True):
        first, second = whole(one), whole(other)
        assert (first.valid != second.valid).mean() < 0.02
        both = first.valid & second.valid
        assert np.abs(first.pixels - second.pixels)[:, both].max() < 2.0


def test_positions_in_the_file_go_to_the_grid_and_back(write_scene: Any, warp: Any, smooth: Smooth) -> None:
    points = np.random.default_rng(0).uniform(0, 180, (2, 50))
    for place in PLACES.values():
        for scene in warp(write_scene(smooth(1, 201, 187), **place), 10.0)[:1]:
            cols, rows = scene.from_file_pixels(*points)
            a, _, c, _, e, f = scene.grid.transform
            back = scene.mapping.to_pixels(a * cols + c, e * rows + f)
            assert np.abs(np.stack(back) - points).max() < 1e-4


def test_tiny_scenes_lie_in_one_pixel_each(write_scene: Any, warp: Any) -> None:
    (scene,) = warp(write_scene(np.full((1, 1, 1), 7, "uint8")), 10.0)
    found = whole(scene)
    assert found.valid.sum() == 1
    assert found.pixels[0][found.valid] == 7


def test_the_published_picture_of_a_cell_comes_back_unchanged(test_data: Path) -> None:
    path = test_data / "optical_scenes/sentinel2_majortom_199U_1099R/B02.tif"
    option = {"target": cell_grid(199, 1099, 1068, 10.0).to_json(), "resampling": "average", "is_whole": False}
    with (
        open_scene(SceneFiles("a.b", "a", "optical", "auto", {"": str(path)}, {GRID: option})) as scene,
        rasterio.open(path) as stored,
    ):
        found = scene.read(Window(0, 0, 1068, 1068))
        assert np.array_equal(found.pixels, stored.read())
        assert found.valid.all()


@pytest.mark.parametrize("noise_m", [0.0, 30.0])
def test_the_error_of_control_points_is_estimated_from_the_points_themselves(
    write_scene: Any, smooth: Smooth, noise_m: float
) -> None:
    points = control_points(from_origin(500_000, 5_000_000, 10, 10), 200, 200)
    for point, (east, north) in zip(points, np.random.default_rng(0).normal(scale=noise_m, size=(len(points), 2)), strict=True):
        point.x, point.y = point.x + east, point.y + north
    with open_scene(write_scene(smooth(1, 200, 200), gcps=points, crs="EPSG:32633")) as scene:
        found = scene.position_error_m()
    assert found is not None
    assert 0.5 * noise_m <= found <= 4 * noise_m + 0.1
    with open_scene(write_scene(smooth(1, 200, 200))) as scene:
        assert scene.position_error_m() is None


def test_a_map_of_the_whole_world_has_cells_everywhere(write_scene: Any, warp: Any) -> None:
    pixels = np.full((1, 180, 360), 9, "uint8")
    scenes = warp(write_scene(pixels, crs="EPSG:4326", transform=from_origin(-180, 90, 1, 1)), 200_000.0, 16)
    assert len(scenes) == 122
    for scene in (scenes[0], scenes[15], scenes[60], scenes[-1]):
        found = whole(scene)
        assert found.valid.any()
        assert set(np.unique(found.pixels[0][found.valid])) == {9}
