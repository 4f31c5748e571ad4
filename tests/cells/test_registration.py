"""Shifts that were put in are found, and where none can be known none is stated."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from scipy import ndimage

from rsflow.cells.registration import UNKNOWN_SHIFT, Shift, measure_common_shift, measure_shift, structure, wilson_lower

Picture = npt.NDArray[np.float32]


def texture(height: int = 260, width: int = 260, seed: int = 0) -> Picture:
    """Blobs and edges at several scales."""
    rng = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(rng.normal(size=(height, width)), sigma) * sigma for sigma in (2, 5, 11)]
    return np.asarray(sum(np.where(layer > 0.2, layer + 1, layer) for layer in layers), np.float32)


def moved(picture: Picture, dx: float, dy: float) -> Picture:
    """What was at x, y is at x + dx, y + dy."""
    return np.asarray(ndimage.shift(picture, (dy, dx), order=3, mode="nearest"), np.float32)


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (3.0, 0.0), (0.0, -3.0), (2.5, -1.25), (-7.3, 6.6)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(dx: float, dy: float) -> None:
    picture = texture()
    found = measure_shift(structure(picture[:256, :256]), structure(moved(picture, dx, dy)[:256, :256]), 12)
    assert found.dx_px == pytest.approx(dx, abs=0.15)
    assert found.dy_px == pytest.approx(dy, abs=0.15)
    assert found.confidence > 0.8


def test_brightness_does_not_matter_only_where_edges_are() -> None:
    picture = texture()
    other = moved(-picture * 40 + 7 + np.random.default_rng(1).gamma(1.0, 1.0, picture.shape).astype(np.float32), 3, -2)
    found = measure_shift(structure(picture), structure(other), 12)
    assert found.dx_px == pytest.approx(3, abs=0.5)
    assert found.dy_px == pytest.approx(-2, abs=0.5)


def test_what_is_not_valid_does_not_hold_the_pictures_in_place() -> None:
    picture = texture()
    other, valid = moved(picture, 4, 3), np.ones(picture.shape, np.bool_)
    valid[:80], valid[:, 200:] = False, False
    one, two = (np.where(valid, each, 0) for each in (picture, other))
    found = measure_shift(structure(one, valid), structure(two, valid), 12)
    assert (found.dx_px, found.dy_px) == (pytest.approx(4, abs=0.2), pytest.approx(3, abs=0.2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (texture(), texture(seed=1)),  # other ground
        (texture(), np.rot90(texture())),
        (texture(), np.zeros((260, 260), np.float32)),  # nothing to be seen
        (np.zeros((260, 260), np.float32), np.zeros((260, 260), np.float32)),
        (texture(), np.full((260, 260), np.nan, np.float32)),
        (texture(), moved(texture(), 20, 0)),  # beyond the search
        (texture(20, 20), texture(20, 20)),  # too small to ask several windows
        (*np.random.default_rng(0).normal(size=(2, 260, 260)).astype(np.float32),),
    ],
)
def test_a_shift_that_cannot_be_known_is_not_stated(one: Picture, other: Picture) -> None:
    assert measure_shift(structure(one), structure(np.ascontiguousarray(other)), 12) == UNKNOWN_SHIFT
    assert Shift(None, None, 0.0) == UNKNOWN_SHIFT
    assert UNKNOWN_SHIFT.length_px is None


def test_stripes_are_known_across_and_not_along() -> None:
    stripes = np.tile(np.sign(np.sin(np.arange(260) ** 1.3 / 4)), (260, 1)).astype(np.float32)
    found = measure_shift(structure(stripes), structure(moved(stripes, 3, 0)), 12)
    assert found.dy_px is None or abs(found.dy_px) < 0.5


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        measure_shift(structure(texture(64, 64)), structure(texture(64, 65)), 4)


def test_few_windows_are_less_certain_than_many() -> None:
    assert wilson_lower(0, 0) == 0.0
    assert wilson_lower(1, 1) == pytest.approx(0.5)
    assert wilson_lower(1, 1) < wilson_lower(4, 4) < wilson_lower(16, 16) < 1
    assert wilson_lower(2, 16) < 0.3


def _read(path: Path, bands: list[int]) -> tuple[Picture, npt.NDArray[np.bool_]]:
    with rasterio.open(path) as stored:
        pixels = stored.read(bands).astype(np.float32)
    valid = np.isfinite(pixels).all(axis=0) & ~(pixels == 0).all(axis=0)
    return np.asarray(np.nan_to_num(pixels).mean(axis=0), np.float32), valid


def _injected(first: Any, second: Any, dx: int, dy: int) -> list[Shift]:
    """The measured shift before and after the second picture was moved."""
    (one, known), (other, there) = first, second
    height, width = min(one.shape[0], other.shape[0]), min(one.shape[1], other.shape[1])
    inside, base = np.s_[:height, :width], structure(one[:height, :width], known[:height, :width])
    after = np.roll(there[inside], (dy, dx), (0, 1))
    after[dy:] = False
    after[:, :dx] = False
    pairs = [(other[inside], there[inside]), (np.roll(other[inside], (dy, dx), (0, 1)), after)]
    return [measure_shift(base, structure(*pair), 12) for pair in pairs]


def _check(before: Shift, after: Shift, limit: float) -> None:
    assert before.dx_px is not None
    assert before.dy_px is not None
    assert after.dx_px is not None
    assert after.dy_px is not None
    assert np.hypot(after.dx_px - 3, after.dy_px + 2) < limit
    assert np.hypot(after.dx_px - before.dx_px - 3, after.dy_px - before.dy_px + 2) < 0.1
    assert min(before.confidence, after.confidence) > 0.5


OPTICAL = {
    "naip": ("multidate/naip_m_4709963_se", "*.tif", [1, 2, 3]),
    "amazon": ("multidate/landsat_timelapse_amazon_river", "*.tif", [1, 2, 3]),
    "madagascar": ("multidate/landsat8_madagascar", "*/*_B04.tiff", [1]),
}


@pytest.mark.parametrize("name", OPTICAL)
def test_a_shift_of_3_pixels_between_real_dates_is_found_within_half_a_pixel(test_data: Path, name: str) -> None:
    folder, pattern, bands = OPTICAL[name]
    dates = [_read(path, bands) for path in sorted((test_data / folder).glob(pattern))]
    assert len(dates) >= 2
    for first, second in (*itertools.pairwise(dates), (dates[0], dates[-1])):  # the nearest dates, and the farthest two
        _check(*_injected(first, second, 3, -2), limit=0.6)  # NAIP's dates themselves are up to 0.5 pixels apart


@pytest.mark.parametrize("bands", [[2, 3, 4], [8], [12]])
@pytest.mark.parametrize("polarisation", [[1], [2]])
def test_a_shift_of_3_pixels_between_real_optical_and_radar_pictures_is_found(
    test_data: Path, bands: list[int], polarisation: list[int]
) -> None:
    folder = test_data / "multisensor/sen1floods11_spain"
    optical, radar = _read(folder / "Spain_7370579_S2Hand.tif", bands), _read(folder / "Spain_7370579_S1Hand.tif", polarisation)
    _check(*_injected(optical, radar, 3, -2), limit=1.5)


@pytest.mark.parametrize("band", [3, 5, 7])
def test_a_shift_of_3_pixels_between_real_optical_and_thermal_pictures_is_found(test_data: Path, band: int) -> None:
    folder = test_data / "infrared/landsat5_tm_thermal"
    name = "LT52240631988227CUB02_B{}.TIF"
    _check(*_injected(_read(folder / name.format(band), [1]), _read(folder / name.format(6), [1]), 3, -2), limit=1.0)


@pytest.mark.parametrize("disturbed", ["clouds", "fill", "speckle"])
def test_fractions_of_a_pixel_between_optical_and_radar_survive_clouds_fill_and_speckle(
    test_data: Path, disturbed: str
) -> None:
    folder, rng = test_data / "multisensor/sen1floods11_spain", np.random.default_rng(3)
    optical, radar = _read(folder / "Spain_7370579_S2Hand.tif", [2, 3, 4]), _read(folder / "Spain_7370579_S1Hand.tif", [1])
    own = measure_shift(structure(*optical), structure(*radar), 12)
    (picture, valid), (other, there) = optical, (moved(radar[0], 2.5, -3.75), radar[1].copy())
    there[-4:], there[:, :3] = False, False
    if disturbed == "clouds":
        field = ndimage.gaussian_filter(rng.normal(size=picture.shape), 20)
        picture = np.where(field > np.quantile(field, 0.8), np.percentile(picture, 99.5), picture)
    elif disturbed == "fill":
        there &= np.indices(there.shape).sum(axis=0) > 400
        other = np.where(there, other, 0)
    else:
        other = (other - other.min() + 1) * rng.gamma(4, 0.25, other.shape)
    found = measure_shift(structure(picture, valid), structure(other, there), 12)
    assert found.confidence > 0.5
    assert (found.dx_px, found.dy_px) == (
        pytest.approx((own.dx_px or 0) + 2.5, abs=0.3),
        pytest.approx((own.dy_px or 0) - 3.75, abs=0.3),
    )


@pytest.mark.parametrize("degrees", [3, 20])
def test_real_pictures_that_are_turned_have_no_shift(test_data: Path, degrees: float) -> None:
    folder, pattern, bands = OPTICAL["madagascar"]
    picture, valid = _read(sorted((test_data / folder).glob(pattern))[0], bands)
    picture, valid = picture[:384, :384], valid[:384, :384]
    turned = ndimage.rotate(picture, degrees, reshape=False, order=1, mode="reflect")
    assert measure_shift(structure(picture, valid), structure(turned, valid), 12) == UNKNOWN_SHIFT


@pytest.mark.parametrize(("height", "width", "reach"), [(48, 48, 52), (64, 64, 64), (40, 200, 64), (200, 33, 64)])
def test_a_picture_may_be_smaller_than_the_search(height: int, width: int, reach: int) -> None:
    pairs = []
    for seed in range(3):
        picture = texture(height + 8, width + 8, seed)
        pairs.append((structure(picture[4:-4, 4:-4]), structure(moved(picture, 3, -2)[4:-4, 4:-4])))
    found, _ = measure_common_shift(pairs, reach)
    assert found.dx_px == pytest.approx(3, abs=0.3)
    assert found.dy_px == pytest.approx(-2, abs=0.3)
