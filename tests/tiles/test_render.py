"""Laws of the stretch: one per scene, from valid pixels only, the same grey for the same value everywhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.calibration import Calibration
from rsflow.config.settings import Render
from rsflow.errors import DataError
from rsflow.records import Raster
from rsflow.tiles.render import Stretch, pad_to, picture_bands, render, scene_stretch

RGB = ("red", "green", "blue")
PERCENTILE = Render(stretch="percentile")


def raster(pixels, valid=None, bands=None) -> Raster:
    pixels = np.asarray(pixels)
    names = bands or (RGB if len(pixels) == 3 else tuple(f"band{i + 1}" for i in range(len(pixels))))
    return Raster(pixels, np.ones(pixels.shape[1:], bool) if valid is None else valid, names)


def values(dtype, shape=(1, 64, 64), seed=0):
    rng = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return rng.gamma(2.0, 300.0, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(max(limits.min, -3000), min(limits.max, 9000), shape).astype(dtype)


def slow_grey(value: float, stretch: Stretch, band: int = 0) -> int:
    factor = {"linear": 0, "db10": 10, "db20": 20}[stretch.scale]
    if factor:
        value = factor * np.log10(value) if value > 0 else -np.inf
    share = (value - stretch.low[band]) / (stretch.high[band] - stretch.low[band])
    return int(np.floor(np.clip(share, 0, 1) * 255 + 0.5))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("sensor", ["optical", "sar", "infrared"])
def test_every_pixel_is_the_formula(dtype, sensor):
    scene = raster(values(dtype))
    stretch = scene_stretch(scene, sensor, None, PERCENTILE)
    picture = render(scene, stretch)
    assert picture.dtype == np.uint8
    expected = np.array([slow_grey(float(value), stretch) for value in scene.pixels.reshape(-1)])
    assert np.abs(picture.reshape(-1).astype(int) - expected).max() <= 1  # float32 against float64, at a rounding edge
    assert (picture.reshape(-1) == expected).mean() > 0.99


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 4), st.sampled_from(["uint8", "uint16", "float32"]))
def test_a_value_has_one_grey_in_all_tiles_of_a_scene(row, col, size, dtype):
    scene = raster(values(dtype, (3, 64, 64)))
    stretch = scene_stretch(scene, "optical", "dn", PERCENTILE)
    part = Raster(
        scene.pixels[:, row : row + size, col : col + size], scene.valid[row : row + size, col : col + size], scene.bands
    )
    assert np.array_equal(render(part, stretch), render(scene, stretch)[row : row + size, col : col + size])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([np.nan, -9999.0, 1e30, np.inf]), st.sampled_from(["optical", "sar", "infrared"]))
def test_fill_never_leaks_into_the_stretch_and_is_black(fill, sensor):
    pixels = values("float32", (3, 64, 64))
    valid = np.zeros((64, 64), bool)
    valid[20:50, 10:40] = True
    filled = np.where(valid, pixels, np.float32(fill))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stretch = scene_stretch(raster(filled, valid), sensor, None, PERCENTILE)
        picture = render(raster(filled, valid), stretch)
    assert stretch == scene_stretch(raster(np.where(valid, pixels, 0), valid), sensor, None, PERCENTILE)
    assert not picture[~valid].any()
    assert picture[valid].any()


def test_percentiles_are_the_settings():
    scene = raster(np.arange(10_000, dtype=np.uint16).reshape(1, 100, 100))
    stretch = scene_stretch(scene, "optical", "dn", Render(low_percent=10, high_percent=90))
    assert stretch.low[0] == pytest.approx(1000, abs=1)
    assert stretch.high[0] == pytest.approx(9000, abs=1)


def test_decibel_depends_on_the_unit_and_shows_the_same():
    amplitude = values("float32") + 1
    greys = {}
    for unit, pixels in (
        ("amplitude", amplitude),
        ("power", amplitude**2),
        ("db", 20 * np.log10(amplitude)),
        ("dn", amplitude),
    ):
        stretch = scene_stretch(raster(pixels), "sar", unit, PERCENTILE)
        assert stretch.scale == {"amplitude": "db20", "power": "db10", "db": "linear", "dn": "db20"}[unit]
        greys[unit] = render(raster(pixels), stretch).astype(int)
    for unit in greys:
        assert np.abs(greys[unit] - greys["amplitude"]).max() <= 1


def test_zero_and_negative_amplitude_are_black_and_do_not_set_the_stretch():
    pixels = values("float32") + 1
    stretch = scene_stretch(raster(pixels), "sar", None, PERCENTILE)
    pixels[0, :2] = (0, -1) * 32
    again = scene_stretch(raster(pixels), "sar", None, PERCENTILE)
    assert again.low[0] == pytest.approx(stretch.low[0], abs=1)
    assert not render(raster(pixels), again)[:2].any()


@pytest.mark.parametrize(
    "pixels", [np.full((1, 8, 8), 7, "uint16"), np.full((1, 8, 8), 0.25, "float32"), np.zeros((3, 8, 8), "int16")]
)
@pytest.mark.parametrize("sensor", ["optical", "sar"])
def test_flat_bands_are_safe_and_flat(pixels, sensor):
    stretch = scene_stretch(raster(pixels), sensor, None, PERCENTILE)
    assert all(high > low for low, high in zip(stretch.low, stretch.high, strict=True))
    assert len(np.unique(render(raster(pixels), stretch))) == 1


def test_a_scene_of_fill_alone_is_safe():
    scene = raster(np.zeros((3, 8, 8), np.uint16), np.zeros((8, 8), bool))
    for sensor in ("optical", "sar"):
        assert not render(scene, scene_stretch(scene, sensor, None, Render())).any()


def test_measured_bands_of_eight_bits_do_not_tint_the_picture():
    """As Landsat-5 delivers them: a file per band, blue far above red."""
    ground = values("uint8", (1, 64, 64)).astype(float) / 255
    measured = np.concatenate([20 + 25 * ground, 25 + 15 * ground, 60 + 40 * ground]).astype(np.uint8)
    stretch = scene_stretch(raster(measured), "optical", "dn", Render(), None, False, True)
    picture = render(raster(measured), stretch).astype(int)
    assert np.abs(picture - picture.mean(axis=2, keepdims=True)).mean() < 12
    assert picture.std() > 60
    # What may be a picture keeps its tint.
    tinted = render(raster(measured), scene_stretch(raster(measured), "optical", "dn", Render())).astype(int)
    assert (tinted[..., 2] - tinted[..., 0]).mean() > 40


def test_auto_keeps_what_uses_eight_bits_and_stretches_what_does_not():
    used = values("uint8", (3, 64, 64))
    dull = (used // 8 + np.array([100, 110, 120])[:, None, None]).astype(np.uint8)
    for scene, is_picture in ((used, False), (used, True), (dull, True)):
        stretch = scene_stretch(raster(scene), "optical", "dn", Render(), None, is_picture)
        assert np.array_equal(render(raster(scene), stretch), scene.transpose(1, 2, 0))
    stretch = scene_stretch(raster(dull), "optical", "dn", Render())
    assert len(set(stretch.low)) == len(set(stretch.high)) == 1  # colour keeps its balance
    assert np.ptp(render(raster(dull), stretch)) > 240


def test_none_maps_the_whole_range_of_the_type():
    none = Render(stretch="none")
    for pixels, expected in (
        (np.uint16([[[0, 65535]]]), [0, 255]),
        (np.float32([[[0, 1.0]]]), [0, 255]),
        (np.uint8([[[3, 9]]]), [3, 9]),
    ):
        stretch = scene_stretch(raster(pixels), "infrared", "dn", none)
        assert render(raster(pixels), stretch).tolist() == [expected]


def test_cloud_does_not_leave_the_land_in_the_dark():
    land = np.random.default_rng(0).integers(300, 1500, (3, 100, 100)).astype(np.uint16)
    cloudy = land.copy()
    cloudy[:, :20] = 9000
    clear = scene_stretch(raster(land), "optical", "dn", PERCENTILE)
    stretch = scene_stretch(raster(cloudy), "optical", "dn", PERCENTILE)
    assert stretch.high == pytest.approx(clear.high, rel=0.05)
    # Without cloud, and in other sensors, the percentiles stand as they are.
    assert scene_stretch(raster(cloudy), "infrared", "dn", PERCENTILE).high[0] == 9000


def test_which_bands_make_the_picture():
    assert picture_bands(("nir", "blue", "green", "red")) == RGB
    assert picture_bands(("nir", "blue", "green", "red"), ["nir", "red", "green"]) == ("nir", "red", "green")
    assert picture_bands(("band1", "band2", "band3")) == ("band1", "band2", "band3")
    assert picture_bands(("vv", "vh")) == ("vv",)
    with pytest.raises(ValueError, match="rgb names swir, but the bands are red, nir"):
        picture_bands(("red", "nir"), ["red", "nir", "swir"])


def test_bands_of_the_picture_follow_their_names_not_their_order():
    pixels = np.stack([np.full((4, 4), level, np.uint8) for level in (10, 20, 30, 250)])
    scene = raster(pixels, bands=("blue", "green", "red", "nir"))
    picture = render(scene, Stretch(RGB, (0.0,) * 3, (255.0,) * 3))
    assert picture[0, 0].tolist() == [30, 20, 10]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6),
    st.sampled_from(["linear", "db10", "db20"]),
)
def test_a_stretch_survives_being_written_down(numbers, scale):
    stretch = Stretch(RGB, tuple(numbers[:3]), tuple(numbers[3:]), scale)
    assert Stretch.from_json(stretch.to_json()) == stretch


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30))
def test_padding_adds_invalid_zeros_below_and_to_the_right(rows, cols, size):
    scene = raster(values("uint16", (2, rows, cols)))
    padded = pad_to(scene, size)
    assert padded.valid.shape == (max(rows, size), max(cols, size))
    assert np.array_equal(padded.pixels[:, :rows, :cols], scene.pixels)
    assert padded.valid.sum() == rows * cols
    assert not padded.pixels[:, ~padded.valid].any()


def landscape(offset=0.0, scale=1e-4, dtype="uint16"):
    """Vegetation, soil and water as reflectances under a blue haze, stored as counts: raster (red, green, blue)."""
    rng = np.random.default_rng(5)
    kinds = np.array([[0.04, 0.07, 0.03], [0.25, 0.18, 0.12], [0.02, 0.03, 0.04]])  # red, green, blue of each
    which = np.repeat([0, 0, 1, 2], 16)[:, None].repeat(64, axis=1)
    haze = np.array([0.03, 0.05, 0.08])
    values = (kinds[which] + haze) * rng.normal(1, 0.03, (64, 64, 1))
    stored = (values - offset) / scale
    pixels = (np.rint(stored) if dtype == "uint16" else stored).astype(dtype).transpose(2, 0, 1)
    return Raster(pixels, np.ones((64, 64), bool), ("red", "green", "blue")), which


def test_vegetation_is_green_under_haze():
    raster, which = landscape()
    picture = render(raster, scene_stretch(raster, "optical", None, Render()))
    red, green, blue = picture[which == 0].mean(axis=0)
    assert green > red
    assert green > 1.3 * blue
    spans = scene_stretch(raster, "optical", None, Render())
    assert np.ptp(np.subtract(spans.high, spans.low)) < 1e-3 * spans.high[0]


def test_counts_with_any_offset_and_reflectances_of_one_scene_are_the_same_picture():
    pictures = []
    for offset, scale, dtype in (
        (0.0, 1e-4, "uint16"),
        (-0.1, 1e-4, "uint16"),
        (-0.2, 2.75e-5, "uint16"),
        (0.0, 1.0, "float32"),
    ):
        raster, _ = landscape(offset, scale, dtype)
        stretch = scene_stretch(raster, "optical", None, Render(), calibration=[Calibration(scale, offset)] * 3)
        assert Stretch.from_json(stretch.to_json()) == stretch
        pictures.append(render(raster, stretch).astype(int))
    for other in pictures[1:]:
        assert np.abs(other - pictures[0]).max() <= 2


def test_fill_of_one_band_takes_no_part_in_its_limits():
    raster, _ = landscape(dtype="float32")
    whole = scene_stretch(raster, "optical", None, Render())
    pixels = raster.pixels.copy()
    pixels[0, :20] = -9999
    holed = scene_stretch(Raster(pixels, raster.valid, raster.bands), "optical", None, Render(), nodata=[-9999.0] * 3)
    assert holed.low[0] > 0
    assert holed.low[1:] == whole.low[1:]


def test_white_is_zero_shows_as_every_viewer_does():
    raster = Raster(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), np.ones((16, 16), bool), ("band1",))
    stretch = scene_stretch(raster, "optical", None, Render(), calibration=[Calibration(-1.0, 255.0)])
    assert np.array_equal(render(raster, stretch), 255 - raster.pixels[0])


def test_reflectance_shows_every_calibration_of_a_scene_alike():
    reflectance = np.random.default_rng(0).uniform(0, 0.5, (3, 32, 32)).astype(np.float32)
    counts = np.rint(reflectance * 10_000 + 1000).astype(np.uint16)
    fixed = Render(stretch="reflectance")
    of_floats = [Calibration(1.0, 0.0, "reflectance", "setting")] * 3
    of_counts = [Calibration(1e-4, -0.1, "reflectance", "MTD_MSIL2A.xml")] * 3
    pictures = []
    for pixels, how in ((reflectance, of_floats), (counts, of_counts)):
        scene = Raster(pixels, np.ones((32, 32), np.bool_), ("red", "green", "blue"))
        pictures.append(render(scene, scene_stretch(scene, "optical", "reflectance", fixed, calibration=how)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    expected = np.clip(reflectance[0] / 0.3558 * 255, 0, 255)
    assert np.abs(pictures[0][:, :, 0] - expected).max() <= 1


def test_reflectance_of_a_scene_without_any_is_refused_and_radar_is_shown_as_always():
    scene = Raster(np.ones((3, 8, 8), np.uint16), np.ones((8, 8), np.bool_), ("red", "green", "blue"))
    fixed = Render(stretch="reflectance")
    with pytest.raises(DataError, match="not known"):
        scene_stretch(scene, "optical", None, fixed)
    assert scene_stretch(scene, "sar", "amplitude", fixed) == scene_stretch(scene, "sar", "amplitude", Render())
