"""Plain pictures against Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from rsflow.errors import DataError
from rsflow.readers import open_scene
from rsflow.readers import picture as picture_module
from rsflow.spatial.geometry import Window

ALL = Window(0, 0, 40, 60)


def saved(path, pixels, mode=None, **how):
    Image.fromarray(pixels, mode).save(path, **how)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg", "webp"])
def test_colour_equals_pillow(suffix, tmp_path, scene, noise):
    path = saved(tmp_path / f"a.{suffix}", noise(40, 60, 3), **({"lossless": True} if suffix == "webp" else {}))
    with Image.open(path) as image:
        expected = np.asarray(image).transpose(2, 0, 1)
    with open_scene(scene(path)) as reader:
        assert reader.info.bands == ("red", "green", "blue")
        assert (reader.info.height_px, reader.info.width_px, reader.info.georeference) == (40, 60, "none")
        assert np.array_equal(reader.read(ALL).pixels, expected)
        assert np.array_equal(reader.read(Window(3, 5, 20, 30)).pixels, expected[:, 3:23, 5:35])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_grey_is_one_band(suffix, tmp_path, scene, noise):
    path = saved(tmp_path / f"a.{suffix}", noise(40, 60))
    with Image.open(path) as image:
        expected = np.asarray(image)
    raster = open_scene(scene(path)).read(ALL)
    assert raster.bands == ("grey",)
    assert np.array_equal(raster.pixels[0], expected)


def test_sixteen_bits_of_grey_are_kept(tmp_path, scene, noise):
    pixels = noise(40, 60, dtype="uint16", high=60_000)
    with open_scene(scene(saved(tmp_path / "a.png", pixels))) as reader:
        assert reader.info.dtype == "uint16"
        assert np.array_equal(reader.read(ALL).pixels[0], pixels)


def test_sixteen_bits_of_colour_are_refused_rather_than_cut(tmp_path, scene, noise):
    import rasterio

    path = tmp_path / "a.png"
    pixels = noise(3, 40, 60, dtype="uint16", high=60_000)
    with rasterio.open(path, "w", driver="PNG", count=3, height=40, width=60, dtype="uint16") as to:
        to.write(pixels)
    with pytest.raises(DataError, match="16-bit colour"):
        open_scene(scene(path))
    with open_scene(scene(path, reader="geotiff")) as reader:
        assert np.array_equal(reader.read(ALL).pixels, pixels)


def test_alpha_is_a_mask(tmp_path, scene, noise):
    pixels = noise(40, 60, 4)
    pixels[:10, :, 3] = 0
    raster = open_scene(scene(saved(tmp_path / "a.png", pixels))).read(ALL)
    assert np.array_equal(raster.pixels, pixels[:, :, :3].transpose(2, 0, 1))
    assert np.array_equal(raster.valid, pixels[:, :, 3] > 0)


def test_radar_and_infrared_saved_as_grey_colour_become_one_band(tmp_path, scene, noise):
    grey = np.repeat(noise(40, 60)[:, :, None], 3, axis=2)
    path = saved(tmp_path / "a.jpg", grey, quality=75)
    assert open_scene(scene(path, sensor="sar")).info.bands == ("grey",)
    assert open_scene(scene(path, sensor="infrared")).info.bands == ("grey",)
    assert open_scene(scene(path)).info.bands == ("red", "green", "blue")
    colour = saved(tmp_path / "b.png", noise(40, 60, 3))
    assert open_scene(scene(colour, sensor="infrared")).info.bands == ("red", "green", "blue")


def test_source_settings_apply(tmp_path, scene, noise):
    pixels = noise(40, 60, 3)
    pixels[:5] = 0
    path = saved(tmp_path / "img_20200131.png", pixels)
    with open_scene(scene(path, bands={"nir": 1, "red": 2}, nodata=0.0, gsd_m=0.5, acquired_at=r"_(\d+)\.")) as reader:
        assert (reader.info.bands, reader.info.gsd_m, str(reader.info.acquired_at)[:10]) == (("nir", "red"), 0.5, "2020-01-31")
        raster = reader.read(ALL)
    assert np.array_equal(raster.pixels, pixels.transpose(2, 0, 1)[:2])
    assert not raster.valid[:5].any()
    assert raster.valid[5:].all()
    with pytest.raises(DataError, match="bands 1 to 3"):
        open_scene(scene(path, bands={"nir": 4}))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_truncated_pictures_are_errors(suffix, tmp_path, scene, noise):
    path = saved(tmp_path / f"a.{suffix}", noise(300, 300, 3))
    data = path.read_bytes()
    for share in (0.0, 0.3, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DataError, match=rf"a\.{suffix}") as caught:
            open_scene(scene(path))
        assert caught.value.reason == "unreadable"


def test_a_missing_picture_is_told(tmp_path, scene):
    with pytest.raises(DataError, match=r"absent\.jpg") as caught:
        open_scene(scene(tmp_path / "absent.jpg"))
    assert caught.value.reason == "missing_file"


def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path, scene, noise, monkeypatch):
    monkeypatch.setattr(picture_module, "MAX_PX", 2000)
    with pytest.raises(DataError, match="60 x 40 pixels") as caught:
        open_scene(scene(saved(tmp_path / "a.png", noise(40, 60))))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_come_upright_as_viewers_show_them(orientation, kind, tmp_path, scene, noise):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{kind.lower()}"
    Image.fromarray(noise(40, 64, 3) // 128 * 200).save(path, kind, exif=exif)
    with Image.open(path) as image:
        shown = np.asarray(ImageOps.exif_transpose(image)).transpose(2, 0, 1)
    with open_scene(scene(path)) as reader:
        assert (reader.info.height_px, reader.info.width_px) == shown.shape[1:]
        found = reader.read(Window(0, 0, *shown.shape[1:])).pixels
    assert np.abs(found.astype(int) - shown).mean() < 2  # two decoders of JPEG differ by a level


@pytest.mark.parametrize(("mode", "clear"), [("L", 7), ("RGB", (1, 2, 3)), ("1", 1), ("P", 3)])
def test_what_a_png_calls_transparent_has_no_value(mode, clear, tmp_path, scene, noise):
    pixels = (
        noise(40, 40, 3, low=10)
        if mode == "RGB"
        else noise(40, 40, low=0 if mode != "L" else 10, high=2 if mode == "1" else 200)
    )
    expected = np.ones((40, 40), bool)
    if mode == "1":
        image, expected = Image.fromarray(pixels * 255).convert("1"), pixels == 0
    else:
        pixels[:9] = clear
        image = Image.fromarray(pixels)
        if mode == "P":
            image.putpalette(list(range(256)) * 3)
        expected = (pixels != clear).any(axis=2) if mode == "RGB" else pixels != clear
    path = tmp_path / "a.png"
    image.save(path, transparency=clear)
    assert np.array_equal(open_scene(scene(path)).read(Window(0, 0, 40, 40)).valid, expected)


def test_overview_is_thinned_evenly(tmp_path, scene, noise):
    pixels = noise(40, 60)
    view = open_scene(scene(saved(tmp_path / "a.png", pixels))).overview(30)
    assert np.array_equal(view.pixels[0], pixels[::2, ::2])
