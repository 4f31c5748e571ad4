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

from rsflow.calibration import Calibration
from rsflow.errors import DataError
from rsflow.readers import open_scene
from rsflow.readers.bands.band_tags import NO_FILL
from rsflow.spatial.geometry import Window

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


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_pixel_is_valid_where_any_band_has_a_value_as_in_rasterios_mask(dtype, write_tif, scene, noise):
    pixels = noise(3, 40, 40, dtype=dtype)
    pixels[:, :5] = 0
    pixels[1, 20, 20] = 0
    path = write_tif("a.tif", pixels, nodata=0)
    with open_scene(scene(path)) as reader, rasterio.open(path) as dataset:
        valid = reader.read(Window(0, 0, 40, 40)).valid
        assert np.array_equal(valid, dataset.dataset_mask() > 0)
    assert np.array_equal(valid, (pixels != 0).any(axis=0))


def test_zero_is_data_unless_the_source_says_otherwise(write_tif, scene, noise):
    pixels = noise(1, 20, 20, dtype="uint16")
    pixels[:, :5] = 0
    path = write_tif("a.tif", pixels)
    with open_scene(scene(path)) as reader:
        assert reader.read(Window(0, 0, 20, 20)).valid.all()
    with open_scene(scene(path, nodata=0.0)) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).valid, pixels[0] != 0)
        assert np.array_equal(reader.overview(10).valid, reader.overview(10).pixels[0] != 0)


def test_the_sources_nodata_beats_the_files_and_an_impossible_one_is_none(write_tif, scene, noise):
    pixels = noise(1, 20, 20, low=10)
    pixels[0, 3, 3], pixels[0, 4, 4] = 7, 9
    path, whole = write_tif("a.tif", pixels, nodata=7), Window(0, 0, 20, 20)
    assert np.array_equal(open_scene(scene(path)).read(whole).valid, pixels[0] != 7)
    assert np.array_equal(open_scene(scene(path, nodata=9.0)).read(whole).valid, pixels[0] != 9)
    for none in (-9999.0, 9.5, NO_FILL):
        assert open_scene(scene(path, nodata=none)).read(whole).valid.all()


@pytest.mark.parametrize("tag", [None, float("nan"), -3.4e38, -3.40282e38])
def test_nan_and_float_fill_have_no_value(tag, write_tif, scene, noise):
    pixels = noise(2, 20, 20, dtype="float32")
    pixels[:, :4] = np.nan
    pixels[0, 5] = np.nan
    pixels[:, 10] = np.finfo(np.float32).min if tag == -3.40282e38 else np.float32(-3.4e38)
    with open_scene(scene(write_tif("a.tif", pixels, nodata=tag))) as reader:
        valid = reader.read(Window(0, 0, 20, 20)).valid
    assert not valid[:4].any()
    assert valid[5].all()
    assert valid[10].any() == (tag is None or np.isnan(tag))
    assert valid[11:].all()


@pytest.mark.parametrize("tag", [float("inf"), float("-inf")])
def test_an_infinite_nodata_is_none_that_json_cannot_spell(tag, write_tif, scene, noise):
    pixels = noise(1, 20, 20, dtype="float32")
    pixels[0, :4] = tag
    with open_scene(scene(write_tif("a.tif", pixels, nodata=tag))) as reader:
        assert reader.info.nodata == (None,)
        assert reader.read(Window(0, 0, 20, 20)).valid.mean() == 0.8


def test_no_echo_is_zero_but_eight_bits_of_one_may_be(write_tif, scene, noise):
    def share(dtype, **options):
        pixels = noise(2, 20, 20, dtype=dtype)
        pixels[:, :5] = 0
        pixels[0, 10, 10] = 0
        with open_scene(scene(write_tif(f"{dtype}.tif", pixels), **options)) as reader:
            return reader.read(Window(0, 0, 20, 20)).valid.mean()

    assert share("uint16", sensor="sar") == share("float32", sensor="sar", unit="power") == 0.75
    assert share("uint16", sensor="sar", nodata=NO_FILL) == share("uint8", sensor="sar") == share("uint16") == 1.0
    assert share("int16", sensor="sar", unit="db") == 1.0


def test_a_nodata_value_in_an_aux_xml_counts_and_none_is_written(write_tif, scene, noise):
    pixels = noise(1, 20, 20, dtype="uint16")
    pixels[:, :5] = 0
    path = write_tif("a.tif", pixels)
    beside = path.with_name("a.tif.aux.xml")
    beside.write_text('<PAMDataset><PAMRasterBand band="1"><NoDataValue>0</NoDataValue></PAMRasterBand></PAMDataset>')
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with open_scene(scene(path)) as reader:
        assert reader.read(Window(0, 0, 20, 20)).valid.mean() == 0.75
        reader.overview(10)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_white_is_zero_is_counted_from_the_other_end(write_tif, scene, noise):
    with open_scene(scene(write_tif("a.tif", noise(1, 20, 20), photometric="MINISWHITE"))) as reader:
        (how,) = reader.info.calibration
    assert (how.scale, how.offset) == (-1.0, 255.0)
    assert "MINISWHITE" in how.origin


def test_scale_and_offset_are_the_settings_else_the_tags(write_tif, scene, noise):
    path = write_tif("a.tif", noise(2, 20, 20, dtype="uint16"))
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.units = (0.01, 0.02), (-1.0, 5.0), ("K", "degC")
    first, second = open_scene(scene(path)).info.calibration
    assert first == Calibration(0.01, -1.0, "kelvin", "file tags")
    assert (second.scale, second.offset, second.unit) == (0.02, pytest.approx(278.15), "kelvin")
    assert open_scene(scene(path)).info.unit == "kelvin"
    first, second = open_scene(scene(path, scale=2.0, offset={"band1": 3.0}, unit="reflectance")).info.calibration
    assert first == Calibration(2.0, 3.0, "reflectance", "setting")
    assert (second.scale, second.origin) == (2.0, "setting")


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf")])
def test_an_impossible_scale_is_refused_by_name_unless_a_setting_beats_it(scale, write_tif, scene, noise):
    path = write_tif("a.tif", noise(1, 20, 20, dtype="uint16"))
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (scale,)
    with pytest.raises(DataError, match=r"a\.tif.*scale.*scenes\.scale") as caught:
        open_scene(scene(path))
    assert caught.value.reason == "bad_calibration"
    assert open_scene(scene(path, scale=1.0)).info.calibration[0].scale == 1.0


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


def test_a_colour_table_is_looked_up_and_its_clear_entry_has_no_value(tmp_path, scene, noise):
    path, numbers = tmp_path / "classes.tif", noise(1, 20, 20, low=0, high=3)
    with rasterio.open(path, "w", driver="GTiff", count=1, height=20, width=20, dtype="uint8", photometric="palette") as to:
        to.write(numbers)
        to.write_colormap(1, {0: (9, 9, 9, 0), 1: (255, 0, 10, 255), 2: (1, 2, 3, 255)})
    with open_scene(scene(path)) as reader:
        raster = reader.read(Window(0, 0, 20, 20))
        # TIFF keeps no transparency: GDAL gives every entry as opaque but for a nodata value's.
        assert reader.info.bands == ("red", "green", "blue")
        assert reader.info.dtype == "uint8"
    assert raster.pixels[:, numbers[0] == 1].T.tolist()[0] == [255, 0, 10]
    assert raster.pixels[:, numbers[0] == 2].T.tolist()[0] == [1, 2, 3]
    with open_scene(scene(path, bands={"scl": 1})) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).pixels, numbers)
    with open_scene(scene(path, nodata=0.0)) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 20, 20)).valid, numbers[0] != 0)
    with pytest.raises(DataError, match="colour table"):
        open_scene(scene(path, bands={"nir": 1}))


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
