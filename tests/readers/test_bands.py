"""One file per band: exact on one grid, bilinear and seamless across pixel sizes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin
from scipy.ndimage import map_coordinates

from rsflow.errors import DataError
from rsflow.readers import open_scene
from rsflow.spatial.geometry import Window


def coarse(metres: float, x: float = 500_000, y: float = 5_000_000):
    return from_origin(x, y, metres, metres)


def test_files_of_one_grid_are_stacked_unchanged_in_the_sources_order(write_tif, scene, noise):
    red, nir = noise(1, 50, 60, dtype="uint16"), noise(1, 50, 60, dtype="uint16", seed=1)
    files = {"red": write_tif("B4.tif", red), "nir": write_tif("B8.tif", nir)}
    with open_scene(scene(files, bands={"nir": "B8", "red": "B4"})) as reader:
        assert reader.info.bands == ("nir", "red")
        assert np.array_equal(reader.read(Window(3, 4, 40, 50)).pixels, np.concatenate([nir, red])[:, 3:43, 4:54])
        assert np.array_equal(reader.overview(60).pixels, np.concatenate([nir, red]))


@pytest.mark.parametrize("metres", [20, 60, 15])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_coarse_bands_are_bilinear_between_pixel_centres(metres, dtype, write_tif, scene, noise):
    size = 120 * 10 // metres
    slow = noise(1, size, size, dtype=dtype, low=100, high=9000)
    files = {
        "red": write_tif("a.tif", noise(1, 120, 120, dtype=dtype)),
        "swir1": write_tif("b.tif", slow, transform=coarse(metres)),
    }
    with open_scene(scene(files)) as reader:
        raster = reader.read(Window(0, 0, 120, 120))
    at = ((np.arange(120) + 0.5) * 10 / metres - 0.5).clip(0, size - 1)
    expected = map_coordinates(slow[0].astype(np.float64), np.meshgrid(at, at, indexing="ij"), order=1)
    assert raster.valid.all()
    assert np.abs(raster.pixels[1] - expected).max() <= (0.51 if dtype == "uint16" else 0.01)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_pixel_is_the_same_in_every_window(data, tmp_path_factory, scene, noise):
    metres = data.draw(st.sampled_from([20, 60, 15, 37]))
    dtype = data.draw(st.sampled_from(["uint16", "float32"]))
    folder = tmp_path_factory.getbasetemp()
    files = {}
    for band, step in (("red", 10), ("nir", metres)):
        files[band] = folder / f"{band}_{step}_{dtype}.tif"
        size = -(-600 // step)
        pixels = noise(1, size, size, dtype=dtype, low=0)
        if not files[band].exists():
            shape = {"count": 1, "height": size, "width": size, "dtype": dtype, "nodata": 0}
            with rasterio.open(files[band], "w", driver="GTiff", crs="EPSG:32633", transform=coarse(step), **shape) as to:
                to.write(pixels)
    row, col = data.draw(st.integers(0, 59)), data.draw(st.integers(0, 59))
    window = Window(row, col, data.draw(st.integers(1, 60 - row)), data.draw(st.integers(1, 60 - col)))
    with open_scene(scene(files)) as reader:
        whole, part = reader.read(Window(0, 0, 60, 60)), reader.read(window)
    rows, cols = slice(row, window.row_stop), slice(col, window.col_stop)
    assert np.array_equal(part.pixels, whole.pixels[:, rows, cols])
    assert np.array_equal(part.valid, whole.valid[rows, cols])


def test_fill_in_one_band_spoils_what_rests_on_it_and_nothing_else(write_tif, scene, noise):
    red, slow = noise(1, 40, 40, dtype="uint16"), noise(1, 20, 20, dtype="uint16")
    red[0, 0, 0] = 0
    slow[0, 10, 10] = 0
    files = {"red": write_tif("a.tif", red), "nir": write_tif("b.tif", slow, transform=coarse(20))}
    with open_scene(scene(files, nodata=0)) as reader:
        raster = reader.read(Window(0, 0, 40, 40))
    expected = np.ones((40, 40), bool)
    expected[19:23, 19:23] = False  # all pixels whose centre lies less than a coarse pixel from the fill's centre
    assert np.array_equal(raster.pixels[1] != 0, expected)
    assert np.array_equal(raster.pixels[0], red[0])
    assert raster.valid.all()  # one band's gap takes nothing from the other


def test_a_band_per_file_and_the_same_bands_stacked_are_valid_alike(write_tif, scene, noise):
    pixels = noise(3, 40, 40, dtype="uint16")
    pixels[:, :9] = 0
    pixels[1] = 0  # a band that is empty everywhere
    pixels[2, 20, 20] = 0
    files = {name: write_tif(f"{name}.tif", band[None], nodata=0) for name, band in zip("abc", pixels, strict=True)}
    whole = Window(0, 0, 40, 40)
    with open_scene(scene(files)) as apart, open_scene(scene(write_tif("all.tif", pixels, nodata=0))) as stacked:
        assert np.array_equal(apart.read(whole).valid, stacked.read(whole).valid)
        assert np.array_equal(apart.read(whole).valid, pixels[0] != 0)
        assert apart.info.nodata == stacked.info.nodata == (0.0, 0.0, 0.0)


def test_a_pixel_on_a_coarse_centre_rests_on_that_one_alone(write_tif, scene, noise):
    slow = noise(1, 20, 20, dtype="uint16")
    slow[0, 10, 10] = 0
    files = {"red": write_tif("a.tif", noise(1, 60, 60, dtype="uint16")), "nir": write_tif("b.tif", slow, transform=coarse(30))}
    with open_scene(scene(files, nodata=0)) as reader:
        raster = reader.read(Window(0, 0, 60, 60))
    expected = np.ones((60, 60), bool)
    expected[29:34, 29:34] = False
    assert np.array_equal(raster.pixels[1] != 0, expected)
    assert np.array_equal(raster.pixels[1, 1::3, 1::3], slow[0])


def test_clear_in_a_cloud_mask_is_not_fill(write_tif, scene, noise):
    both = np.concatenate([noise(1, 20, 20), np.zeros((1, 20, 20), np.uint8)])
    files = {"red": write_tif("a.tif", both[:1]), "cloud_mask": write_tif("b.tif", both[1:])}
    stacked = scene(write_tif("c.tif", both), nodata=0, bands={"red": 1, "cloud_mask": 2})
    for files_ in (scene(files, nodata=0), stacked):
        with open_scene(files_) as reader:
            assert reader.read(Window(0, 0, 20, 20)).valid.all()


def test_a_band_that_covers_less_ground_is_invalid_beyond_it(write_tif, scene, noise):
    files = {
        "red": write_tif("a.tif", noise(1, 40, 40)),
        "nir": write_tif("b.tif", noise(1, 10, 15), transform=coarse(20, x=500_100)),  # columns 10 to 40, rows 0 to 20
    }
    with open_scene(scene(files)) as reader:
        valid = reader.read(Window(0, 0, 40, 40)).valid
        view = reader.overview(40)
    assert valid[:20, 10:].all()
    assert not valid[21:].any()
    assert not valid[:, :9].any()
    assert not view.valid.all()


def test_masks_and_classes_are_not_blended(write_tif, scene, noise):
    classes = np.zeros((1, 20, 20), np.uint8)
    classes[:, :, 10:] = 9
    files = {"red": write_tif("a.tif", noise(1, 40, 40)), "scl": write_tif("b.tif", classes, transform=coarse(20))}
    with open_scene(scene(files)) as reader:
        assert np.array_equal(reader.read(Window(0, 0, 40, 40)).pixels[1], classes[0].repeat(2, 0).repeat(2, 1))


def test_files_without_a_map_share_their_edges(write_tif, scene, noise):
    plain = {"crs": None, "transform": None}
    files = {
        "red": write_tif("a.tif", noise(1, 40, 40), **plain),
        "nir": write_tif("b.tif", np.full((1, 20, 20), 7, "uint8"), **plain),
    }
    with open_scene(scene(files)) as reader:
        raster = reader.read(Window(0, 0, 40, 40))
    assert (raster.pixels[1] == 7).all()
    assert raster.valid.all()


def test_bands_that_do_not_fit_are_refused(write_tif, scene, noise):
    red = write_tif("a.tif", noise(1, 40, 40))
    other = write_tif("b.tif", noise(1, 40, 40), crs="EPSG:32634")
    turned = write_tif("c.tif", noise(1, 40, 40), transform=rasterio.Affine(8.66, 5, 500_000, 5, -8.66, 5_000_000))
    three = write_tif("d.tif", noise(3, 40, 40))
    for path, found in ((other, "EPSG:32634"), (turned, "turned"), (three, "3 bands")):
        with pytest.raises(DataError, match=found) as caught:
            open_scene(scene({"red": red, "nir": path}))
        assert caught.value.reason == "grid_mismatch"


def test_a_scene_that_lacks_a_band_says_which(write_tif, scene, noise):
    with pytest.raises(DataError, match=r"no file for nir; has red: .*a\.tif") as caught:
        open_scene(scene({"red": write_tif("a.tif", noise(1, 40, 40))}, bands={"red": "B4", "nir": "B8"}))
    assert caught.value.reason == "missing_band"


def test_damage_in_one_band_names_its_file(write_tif, scene, noise, tmp_path):
    files = {"red": write_tif("a.tif", noise(1, 200, 200)), "nir": write_tif("b.tif", noise(1, 200, 200))}
    files["nir"].write_bytes(files["nir"].read_bytes()[:20_000])
    with pytest.raises(DataError, match=r"b\.tif"), open_scene(scene(files)) as reader:
        reader.read(Window(0, 0, 200, 200))
