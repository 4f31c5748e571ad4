"""What is measured of a tile, and what is thrown away for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config.settings import Screen
from rsflow.records import Raster
from rsflow.tiles.screen import Scores, measure_scores, reject_reason

SIZE = 128
ALL = np.ones((SIZE, SIZE), bool)


def speckle(mean: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).gamma(4.0, mean / 4, (SIZE, SIZE))).clip(0, 255).astype(np.uint8)


def land(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 150, (SIZE, SIZE, 3)).astype(np.uint8)


def with_cloud(share: float) -> np.ndarray:
    picture = land()
    picture[: int(SIZE * share)] = np.random.default_rng(1).integers(225, 250, (int(SIZE * share), SIZE, 1))
    return picture


def measured(**bands: np.ndarray) -> Raster:
    return Raster(np.stack(list(bands.values())), ALL, tuple(bands))


def test_sharpness_and_contrast_equal_a_slow_count():
    picture, valid = land(), ALL.copy()
    valid[40:60, 30:90] = False
    picture[~valid] = 0
    grey = (77 * picture[:, :, 0].astype(int) + 150 * picture[:, :, 1].astype(int) + 29 * picture[:, :, 2].astype(int)) // 256
    edges = [
        abs(4 * grey[r, c] - grey[r - 1, c] - grey[r + 1, c] - grey[r, c - 1] - grey[r, c + 1])
        for r in range(1, SIZE - 1)
        for c in range(1, SIZE - 1)
        if valid[r, c] and valid[r - 1, c] and valid[r + 1, c] and valid[r, c - 1] and valid[r, c + 1]
    ]
    found = measure_scores(picture, valid, None, "optical")
    assert found.valid_share == valid.mean()
    assert found.sharpness == pytest.approx(np.mean(edges))
    assert found.contrast == pytest.approx(np.subtract(*np.percentile(grey[valid], (98, 2))), abs=1)


def test_fill_does_not_count():
    picture, valid = land(), ALL.copy()
    valid[:, :64] = False
    changed = picture.copy()
    changed[~valid] = 255
    assert measure_scores(picture, valid, None, "optical") == measure_scores(changed, valid, None, "optical")


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75])
def test_cloud_share_is_that_of_the_planted_cloud(share):
    swir = measured(green=np.full((SIZE, SIZE), 0.3, np.float32), swir16=np.full((SIZE, SIZE), 0.3, np.float32))
    assert measure_scores(with_cloud(share), ALL, swir, "optical").cloud_share == pytest.approx(share, abs=0.02)


def test_without_a_band_that_can_tell_white_is_bright_and_the_tile_stays():
    found = measure_scores(with_cloud(0.75), ALL, None, "optical")
    assert found.cloud_share is None
    assert found.bright_share == pytest.approx(0.75, abs=0.02)
    assert reject_reason(found, Screen()) is None
    assert reject_reason(found, Screen(max_bright_share=0.7))[0] == "bright"


@pytest.mark.parametrize(("sensor", "share"), [("sar", 0), ("infrared", None)])
def test_radar_sees_through_clouds_and_infrared_cannot_tell(sensor, share):
    assert measure_scores(with_cloud(0.75), ALL, None, sensor).cloud_share == share


def test_bright_colours_and_single_bands_are_not_white():
    sand = np.full((SIZE, SIZE, 3), (250, 220, 170), np.uint8)
    assert measure_scores(sand, ALL, None, "optical").bright_share == 0
    assert measure_scores(np.full((SIZE, SIZE), 250, np.uint8), ALL, None, "optical").bright_share == 0


@pytest.mark.parametrize(
    ("surface", "cloudy"),
    [
        ({"red": 5000, "nir": 5200, "green": 5000, "swir1": 4500}, True),
        ({"red": 7000, "nir": 6500, "green": 7200, "swir1": 500}, False),  # snow: dark in the short-wave infrared
        ({"red": 4000, "nir": 4500, "green": 3600, "swir1": 6500}, False),  # bare rock and sand: brighter there
        ({"red": 300, "nir": 4500, "green": 500, "swir1": 2000}, False),  # vegetation that the stretch made white
        ({"red": 5000, "thermal": 250}, True),
        ({"red": 5000, "thermal": 310}, False),  # a hot bright roof
    ],
)
def test_other_bands_decide_what_white_is(surface, cloudy):
    white = np.full((SIZE, SIZE, 3), 240, np.uint8)
    for scale in (1.0, 1e-4):  # reflectance, or the same as whole numbers: ratios do not care
        bands = {
            name: np.full((SIZE, SIZE), value if name == "thermal" else value * scale, np.float32)
            for name, value in surface.items()
        }
        assert measure_scores(white, ALL, measured(**bands), "optical").cloud_share == float(cloudy)


@pytest.mark.parametrize(
    ("surface", "cloudy"),
    [
        ({"blue": 0.31, "green": 0.29, "red": 0.29, "nir": 0.40, "swir1": 0.25}, True),  # a scene that is all cloud
        ({"blue": 0.06, "green": 0.07, "red": 0.05, "nir": 0.30, "swir1": 0.15}, False),  # forest, however it is stretched
        ({"blue": 0.22, "green": 0.30, "red": 0.38, "nir": 0.45, "swir1": 0.50}, False),  # desert
        ({"blue": 0.80, "green": 0.80, "red": 0.78, "nir": 0.70, "swir1": 0.05}, False),  # snow
    ],
)
@pytest.mark.parametrize("grey", [90, 240])
def test_of_reflectances_cloud_is_told_whatever_the_picture_looks_like(surface, cloudy, grey):
    picture = np.full((SIZE, SIZE, 3), grey, np.uint8)
    bands = measured(**{name: np.full((SIZE, SIZE), value, np.float32) for name, value in surface.items()})
    assert measure_scores(picture, ALL, bands, "optical", "reflectance").cloud_share == float(cloudy)


def test_a_cloud_mask_is_believed():
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:32] = 1
    assert measure_scores(with_cloud(0.75), ALL, measured(cloud_mask=mask), "optical").cloud_share == 0.25


@pytest.mark.parametrize(
    ("band", "clear", "cloudy"),
    [("scl", (4, 5, 6, 11, 3), (8, 9, 10)), ("qa_pixel", (21824, 21952, 30048, 23888), (22280, 22018, 54596))],
)
def test_mask_bands_of_products_tell_cloud_from_snow_and_shadow(band, clear, cloudy):
    for dtype in (np.uint16, np.float32):
        for value, expected in [(each, 0) for each in clear] + [(each, 1) for each in cloudy]:
            mask = measured(**{band: np.full((SIZE, SIZE), value, dtype)})
            assert measure_scores(land(), ALL, mask, "optical").cloud_share == expected


def test_a_tile_without_valid_pixels_has_no_scores():
    assert measure_scores(land(), ~ALL, None, "optical") == Scores(0, None, 0, 0, 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_one_valid_pixel_is_enough_to_measure(row, col):
    valid = ~ALL
    valid[row, col] = True
    found = measure_scores(land(), valid, None, "optical")
    assert found.valid_share > 0
    assert found.contrast == found.sharpness == 0


@pytest.mark.parametrize(
    ("found", "reason", "detail"),
    [
        (Scores(0.0, 0.0, 0.0, 0.0, 0.0), "no_valid_pixels", "nodata"),
        (Scores(0.4, 0.9, 0.0, 0.0, 0.0), "little_valid", "0.400 is below 0.5"),
        (Scores(1.0, 0.9, 0.0, 0.0, 0.0), "cloudy", "0.900 is above 0.5"),
        (Scores(1.0, 0.1, 0.0, 9.0, 1.0), "flat", "1.00 is below 2"),
        (Scores(1.0, 0.1, 0.0, 0.4, 9.0), "blurred", "0.40 is below 0.5"),
    ],
)
def test_the_first_limit_passed_is_the_reason(found, reason, detail):
    assert reject_reason(found, Screen())[0] == reason
    assert detail in reject_reason(found, Screen())[1]


def test_scores_at_the_limits_are_kept():
    assert reject_reason(Scores(0.5, 0.5, 0.0, 0.5, 2.0), Screen()) is None


@pytest.mark.parametrize("mean", [5, 20, 120])
def test_calm_sea_in_radar_is_kept(mean):
    assert reject_reason(measure_scores(speckle(mean), ALL, None, "sar"), Screen()) is None


def test_a_smooth_slope_of_temperature_is_kept_and_one_grey_level_is_flat():
    slope = np.tile(np.linspace(60, 180, SIZE), (SIZE, 1)) + np.random.default_rng(0).normal(0, 1, (SIZE, SIZE))
    assert reject_reason(measure_scores(slope.astype(np.uint8), ALL, None, "infrared"), Screen()) is None
    assert reject_reason(measure_scores(np.full((SIZE, SIZE), 90, np.uint8), ALL, None, "infrared"), Screen())[0] == "flat"
