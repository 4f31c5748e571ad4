"""The GeoTIFF reader against rasterio itself, and what it says of fill, names and damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RasterioWindow

from rsflow.errors import DataError
from rsflow.geometry import Window
from rsflow.readers import open_scene

LAYOUTS: dict[str, dict[str, Any]] = {
    "tiled": {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"},
    "striped": {"compress": "lzw", "interleave": "pixel"},
    "plain": {},
}
WINDOWS = [Window(0, 0, 70, 90), Window(0, 0, 32, 32), Window(5, 7, 40, 33), Window(69, 89, 1, 1), Window(31, 0, 2, 90)]


def oracle(path: Path, window: Window, indexes: list[int]) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read(indexes, window=RasterioWindow(window.col_off, window.row_off, window.width_px, window.height_px))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_window_reads_equal_rasterio(layout, dtype, write_tif, scene, noise):
    path = write_tif("scene.tif", noise(3, 70, 90, dtype=dtype), **LAYOUTS[layout])
    with open_scene(scene(path)) as reader:
        assert (reader.info.height_px, reader.info.width_px, reader.info.dtype) == (70, 90, dtype)
        for window in WINDOWS:
            raster = reader.read(window)
            expected = oracle(path, window, [1, 2, 3])
            assert raster.pixels.dtype == expected.dtype
            assert np.array_equal(raster.pixels, expected)
            assert raster.valid.all()
            assert raster.valid.shape == (window.height_px, window.width_px)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_window_equals_a_slice_of_the_scene(data, tmp_path_factory, scene, noise):
    path = tmp_path_factory.getbasetemp() / "any.tif"
    whole = noise(2, 50, 61, dtype="uint16", low=0, high=60_000)
    if not path.exists():
        with rasterio.open(
            path, "w", driver="GTiff", count=2, height=50, width=61, dtype="uint16", tiled=True, blockxsize=16, blockysize=16
        ) as to:
            to.write(whole)
    row = data.draw(st.integers(0, 49))
    col = data.draw(st.integers(0, 60))
    window = Window(row, col, data.draw(st.integers(1, 50 - row)), data.draw(st.integers(1, 61 - col)))
    with open_scene(scene(path)) as reader:
        assert np.array_equal(reader.read(window).pixels, whole[:, row : window.row_stop, col : window.col_stop])


@pytest.mark.parametrize("window", [Window(0, 0, 71, 90), Window(-1, 0, 5, 5), Window(0, 85, 5, 6), Window(3, 3, 0, 5)])
def test_windows_beyond_the_scene_are_refused(window, write_tif, scene, noise):
    with open_scene(scene(write_tif("a.tif", noise(1, 70, 90)))) as reader, pytest.raises(ValueError, match="not inside"):
        reader.read(window)


def test_nodata_tag_in_any_band_makes_a_pixel_invalid(write_tif, scene, noise):
    pixels = noise(3, 40, 40)
    pixels[:, :5] = 0
    pixels[1, 20, 20] = 0
    with open_scene(scene(write_tif("a.tif", pixels, nodata=0))) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 40, 40)).valid, (pixels != 0).all(axis=0))


def test_zero_is_data_unless_the_source_says_otherwise(write_tif, scene, noise):
    pixels = noise(1, 20, 20, dtype="uint16")
    pixels[:, :5] = 0
    path = write_tif("a.tif", pixels)
    with open_scene(scene(path)) as reader:
        assert reader.read(Window(0, 0, 20, 20)).valid.all()
    with open_scene(scene(path, nodata=0.0)) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).valid, pixels[0] != 0)
        assert np.array_equal(reader.overview(10).valid, reader.overview(10).pixels[0] != 0)


def test_the_files_own_nodata_wins_and_an_impossible_one_is_ignored(write_tif, scene, noise):
    pixels = noise(1, 20, 20)
    pixels[0, 3, 3], pixels[0, 4, 4] = 7, 9
    with open_scene(scene(write_tif("a.tif", pixels, nodata=7), nodata=9.0)) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).valid, pixels[0] != 7)
    with open_scene(scene(write_tif("b.tif", pixels), nodata=-9999.0)) as reader:
        assert reader.read(Window(0, 0, 20, 20)).valid.all()


@pytest.mark.parametrize("tag", [None, float("nan"), -3.4e38])
def test_nan_and_float_fill_are_invalid(tag, write_tif, scene, noise):
    pixels = noise(2, 20, 20, dtype="float32")
    pixels[0, :4] = np.nan
    pixels[1, 10] = np.float32(-3.4e38)
    with open_scene(scene(write_tif("a.tif", pixels, nodata=tag))) as reader:
        valid = reader.read(Window(0, 0, 20, 20)).valid
    assert not valid[:4].any()
    assert valid[10].any() == (tag is None or np.isnan(tag))
    assert valid[11:].all()


def test_internal_mask_equals_rasterios(write_tif, scene, noise):
    mask = np.zeros((64, 64), np.uint8)
    mask[10:50, 20:60] = 255
    path = write_tif("a.tif", noise(3, 64, 64), mask=mask, **LAYOUTS["tiled"])
    with open_scene(scene(path)) as reader:
        for window in (Window(0, 0, 64, 64), Window(8, 18, 20, 20)):
            assert np.array_equal(
                reader.read(window).valid, mask[window.row_off : window.row_stop, window.col_off : window.col_stop] > 0
            )


def test_alpha_is_a_mask_and_not_a_band(write_tif, scene, noise):
    pixels = noise(4, 40, 40)
    pixels[3] = 255
    pixels[3, :, :7] = 0
    path = write_tif("a.tif", pixels, photometric="RGB", alpha="yes")
    with open_scene(scene(path)) as reader:
        raster = reader.read(Window(0, 0, 40, 40))
    assert raster.bands == ("red", "green", "blue")
    assert np.array_equal(raster.pixels, pixels[:3])
    assert np.array_equal(raster.valid, pixels[3] > 0)
    with open_scene(scene(path, bands={"nir": 4})) as reader:  # NAIP as many tools write it: alpha by name, infrared by nature
        raster = reader.read(Window(0, 0, 40, 40))
    assert np.array_equal(raster.pixels, pixels[3:])
    assert raster.valid.all()


def test_bands_are_named_by_the_source_then_the_file_then_by_number(write_tif, scene, noise):
    path = write_tif("a.tif", noise(4, 20, 20), photometric="minisblack", alpha="no")
    assert open_scene(scene(path)).info.bands == ("band1", "band2", "band3", "band4")
    with open_scene(scene(path, bands={"nir": 4, "red": 1})) as reader:
        assert reader.info.bands == ("nir", "red")
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).pixels, oracle(path, Window(0, 0, 20, 20), [4, 1]))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("Gamma0 VV", "VH", "", "ratio")
    assert open_scene(scene(path)).info.bands == ("gamma0_vv", "vh", "band3", "ratio")
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("x", "x", "x", "NIR")
        dataset.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined)
    assert open_scene(scene(path)).info.bands == ("blue", "green", "red", "nir")


@pytest.mark.parametrize("index", [0, 3, "B4"])
def test_a_band_that_is_not_there_names_what_is(index, write_tif, scene, noise):
    with pytest.raises(DataError, match=r"bands 1 to 2, the source asks for .*nir") as caught:
        open_scene(scene(write_tif("a.tif", noise(2, 20, 20)), bands={"red": 1, "nir": index}))
    assert caught.value.reason == "missing_band"


def test_overview_of_a_small_scene_is_all_of_it_and_of_a_large_one_is_bounded(write_tif, scene, noise):
    pixels = noise(2, 300, 200)
    with open_scene(scene(write_tif("a.tif", pixels, **LAYOUTS["tiled"]))) as reader:
        assert np.array_equal(reader.overview(300).pixels, pixels)
        small = reader.overview(75)
        assert small.pixels.shape == (2, 75, 50)
        assert set(np.unique(small.pixels)) <= set(np.unique(pixels))  # nearest pixels: nothing is blended


def test_overview_of_a_huge_scene_without_overviews_reads_little(tmp_path, scene):
    path = tmp_path / "huge.tif"
    profile = {
        "count": 1,
        "height": 12_000,
        "width": 9_000,
        "dtype": "uint8",
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
    }
    with rasterio.open(path, "w", driver="GTiff", sparse_ok=True, **profile) as to:
        to.write(np.full((1, 512, 512), 9, np.uint8), window=RasterioWindow(0, 0, 512, 512))
    with open_scene(scene(path)) as reader:
        asked: list[Window] = []
        plain = reader.read
        reader.read = lambda window: asked.append(window) or plain(window)
        view = reader.overview(1024)
    assert view.pixels.shape == (1, 1024, 1024)
    assert len(asked) == 64
    assert all(window.row_off // 512 == (window.row_stop - 1) // 512 for window in asked)  # one block each
    assert max(window.row_stop for window in asked) > 11_500
    assert set(np.unique(view.pixels)) == {0, 9}


def test_missing_unreadable_and_unsupported_files_are_told_with_their_name(tmp_path, write_tif, scene, noise):
    text = tmp_path / "notes.tif"
    text.write_text("not a picture")
    complex_pixels = write_tif("slc.tif", noise(1, 20, 20).astype("complex64"))
    cases = {"missing_file": tmp_path / "absent.tif", "unreadable": text, "unsupported": complex_pixels}
    for reason, path in cases.items():
        with pytest.raises(DataError, match=path.name) as caught:
            open_scene(scene(path))
        assert caught.value.reason == reason


def test_a_colour_table_is_refused(tmp_path, scene, noise):
    path = tmp_path / "classes.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=20, width=20, dtype="uint8", photometric="palette") as to:
        to.write(noise(1, 20, 20))
        to.write_colormap(1, {1: (255, 0, 0, 255)})
    with pytest.raises(DataError, match="colour table"):
        open_scene(scene(path))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_truncated_file_is_an_error_and_not_garbage(layout, write_tif, scene, noise):
    path = write_tif("a.tif", noise(3, 200, 200), **LAYOUTS[layout])
    data = path.read_bytes()
    for share in (0.01, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DataError, match=r"a\.tif") as caught, open_scene(scene(path)) as reader:
            reader.read(Window(0, 0, 200, 200))
        assert caught.value.reason == "unreadable"


def test_broken_jpeg_blocks_are_errors_each_time_and_the_rest_stays_readable(write_tif, scene):
    smooth = np.tile(np.arange(256, dtype=np.uint8)[:, None], (3, 1, 256))
    jpeg = {
        "compress": "jpeg",
        "photometric": "YCBCR",
        "interleave": "pixel",
        "tiled": True,
        "blockxsize": 128,
        "blockysize": 128,
    }
    path = write_tif("a.tif", smooth, **jpeg)
    with rasterio.open(path) as dataset:
        offset = int(
            dataset.tags(ns="TIFF", bidx=1).get("BLOCK_OFFSET_1_1") or dataset.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1)
        )
        size = int(dataset.get_tag_item("BLOCK_SIZE_1_1", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    # An end-of-image marker in the middle of the last block: libjpeg makes up the rest and only warns.
    data[offset + size // 2 : offset + size // 2 + 2] = b"\xff\xd9"
    path.write_bytes(data)
    with open_scene(scene(path)) as reader:
        for _ in range(2):
            with pytest.raises(DataError, match="JPEG"):
                reader.read(Window(120, 120, 100, 100))
        assert reader.read(Window(0, 0, 128, 128)).valid.all()


def test_nothing_is_written_beside_the_data(write_tif, scene, noise, tmp_path):
    path = write_tif("a.tif", noise(3, 200, 200))
    with open_scene(scene(path)) as reader:
        reader.overview(50)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tif"]


def test_time_comes_from_the_source_or_the_tags(write_tif, scene, noise):
    path = write_tif("LC8_20160625_a.tif", noise(1, 20, 20))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(TIFFTAG_DATETIME="2016:06:26 11:12:13")
    assert open_scene(scene(path)).info.acquired_at.isoformat() == "2016-06-26T11:12:13+00:00"
    ruled = open_scene(scene(path, acquired_at=r"_(\d{8})_"))
    assert ruled.info.acquired_at.isoformat() == "2016-06-25T00:00:00+00:00"
