"""Real files: every window equals rasterio's, and the facts are what is known of the scenes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterioWindow

from rsflow.config.settings import Scenes, Source
from rsflow.errors import DataError
from rsflow.readers import list_scenes, open_scene
from rsflow.spatial.geometry import Window
from rsflow.tiles.grid import cover_windows

SINGLE = [
    "optical_scenes/landsat8_LC80460282016177_150m/LC80460282016177_rgb_cog.tif",
    "optical_scenes/rasterio/RGB.byte.tif",
    "optical_scenes/rio_tiler/usgs_hro_colorado_mask.tif",
    "multidate/landsat_timelapse_amazon_river/1985.tif",
    "multisensor/sen1floods11_spain/Spain_7370579_S1Hand.tif",
    "multisensor/sen1floods11_spain/Spain_7370579_S2Hand.tif",
    "sar/s1_grd_gcps.tif",
    "sar/s1_rtc_puget_sound.tif",
    "infrared/landsat5_tm_thermal/LT52240631988227CUB02_B6.TIF",
    "detection/neon_trees/OSBS_029.tif",
    "edge_cases/all-nodata.tif",
    "edge_cases/cog_dateline.tif",
]
SENTINEL2 = {"blue": "B02", "red": "B04", "nir": "B08", "swir1": "B11", "coastal": "B01", "cloud_mask": "cloud_mask"}


@pytest.mark.parametrize("name", SINGLE)
def test_every_window_equals_rasterios(name, test_data, scene):
    path = test_data / name
    with open_scene(scene(path)) as reader, rasterio.open(path) as dataset:
        info = reader.info
        assert (info.height_px, info.width_px) == dataset.shape
        for window in cover_windows(info.height_px, info.width_px, 500):
            part = RasterioWindow(window.col_off, window.row_off, window.width_px, window.height_px)
            raster = reader.read(window)
            assert np.array_equal(raster.pixels, dataset.read(window=part), equal_nan=True)
            expected = dataset.dataset_mask(window=part) > 0
            # rasterio counts NaN as valid where the nodata tag is another number.
            assert np.array_equal(raster.valid, expected & np.isfinite(raster.pixels).any(axis=0))


def test_the_antimeridian_scene_lies_on_both_sides_of_180(test_data, scene):
    info = open_scene(scene(test_data / "edge_cases/cog_dateline.tif")).info
    lons = info.footprint[::2]
    assert 177.5 < min(lons) < 180 < max(lons) < 182


def test_ground_control_points_place_the_radar_scene(test_data, scene):
    info = open_scene(scene(test_data / "sar/s1_grd_gcps.tif", sensor="sar")).info
    with rasterio.open(test_data / "sar/s1_grd_gcps.tif") as dataset:
        points = dataset.gcps[0]
    assert (info.georeference, info.crs, info.transform) == ("gcps", None, None)
    ring = np.asarray(info.footprint).reshape(-1, 2)
    assert ring.min(axis=0) == pytest.approx([min(p.x for p in points), min(p.y for p in points)], abs=0.05)
    assert ring.max(axis=0) == pytest.approx([max(p.x for p in points), max(p.y for p in points)], abs=0.05)
    assert 150 < info.gsd_m < 250


def test_a_corrupt_scene_opens_and_its_bad_blocks_are_told(test_data, scene):
    with open_scene(scene(test_data / "edge_cases/corrupt.tif")) as reader:
        assert reader.read(Window(0, 0, 512, 512)).pixels.any()
        for _ in range(2):
            with pytest.raises(DataError, match=r"corrupt\.tif") as caught:
                reader.read(Window(512, 512, 512, 512))
            assert caught.value.reason == "unreadable"


def test_sentinel2_bands_of_three_pixel_sizes_make_one_scene(test_data):
    folder = test_data / "optical_scenes/sentinel2_majortom_199U_1099R"
    (only,) = list_scenes(Source("s2", "optical", "x", Scenes(f"{folder}/{{band}}.tif", dict(SENTINEL2))))
    assert only.scene_id == "s2.sentinel2_majortom_199U_1099R"
    with open_scene(only) as reader:
        assert (reader.info.height_px, reader.info.gsd_m, reader.info.bands) == (1068, 10.0, tuple(SENTINEL2))
        raster = reader.read(Window(300, 400, 256, 256))
        red = rasterio.open(folder / "B04.tif").read(1)[300:556, 400:656]
        assert np.array_equal(raster.pixels[1], red)
        # The mean over a whole number of coarse pixels hardly changes by interpolation.
        swir = rasterio.open(folder / "B11.tif").read(1)[150:278, 200:328]
        assert raster.pixels[3].mean() == pytest.approx(swir.mean(), rel=0.01)


def test_sets_of_pictures_are_listed_and_one_band(test_data):
    for name, sensor, pattern in (
        ("hit", "infrared", "infrared/hit_uav/JPEGImages/*.jpg"),
        ("hrsid", "sar", "sar/hrsid/JPEGImages/*"),
    ):
        found = list_scenes(Source(name, sensor, "x", Scenes(f"{test_data}/{pattern}")))
        assert len(found) > 20
        for files in found[:5]:
            with open_scene(files) as reader:
                assert reader.info.bands == ("grey",)


def test_dates_are_found_in_landsat_names(test_data):
    files = f"{test_data}/infrared/landsat5_tm_thermal/*_B6.TIF"
    (only,) = list_scenes(Source("l5", "infrared", "x", Scenes(files, acquired_at=r"LT5(\d{7})")))
    with pytest.raises(DataError, match="bad_time"):
        open_scene(only)
    (only,) = list_scenes(Source("l5", "infrared", "x", Scenes(files, acquired_at=r"LT5\d{6}(\d{7})")))
    assert str(open_scene(only).info.acquired_at.date()) == "1988-08-14"
