"""Stored numbers become physical values; gaps stay gaps, each in its own band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.calibration import Calibration, equals_fill, to_physical
from rsflow.records import Raster


def raster(*bands, dtype="uint16"):
    pixels = np.array(bands, dtype)[:, None, :]
    return Raster(pixels, np.ones(pixels.shape[1:], bool), tuple(f"b{i}" for i in range(len(bands))))


def test_values_are_scale_times_stored_plus_offset_and_fill_is_nan_in_its_band_alone():
    values = to_physical(raster([0, 2000], [500, 0]), [Calibration(1e-4, -0.1), Calibration()], [0.0, None])
    assert np.isnan(values.pixels[0, 0, 0])
    assert values.pixels[0, 0, 1] == pytest.approx(0.1)
    assert values.pixels[1, 0].tolist() == [500, 0]
    assert values.valid.all()


def test_where_nothing_is_known_the_raster_itself_comes_back():
    same = raster([1, 2], [3, 4])
    assert to_physical(same) is same
    assert to_physical(same, [Calibration(), Calibration()], [None, 9.0]) is same


@given(st.floats(1e-6, 1e3), st.floats(-1e3, 1e3), st.integers(0, 65535))
def test_counts_and_reflectances_of_one_scene_are_the_same_values(scale, offset, stored):
    counts = to_physical(raster([stored]), [Calibration(scale, offset)]).pixels
    assert counts.ravel()[0] == pytest.approx(scale * stored + offset, rel=1e-5, abs=1e-2)


@pytest.mark.parametrize(
    ("dtype", "fill", "values", "expected"),
    [
        ("float32", -3.40282e38, [np.finfo(np.float32).min, -3.4e38, 0.0], [True, True, False]),
        ("float32", -9999.9, [-9999.9, -9999.0, 9999.9], [True, False, False]),
        ("float64", 0.1, [np.float32(0.1), 0.1, 0.1001], [True, True, False]),
        ("float32", 0.0, [0.0, 1e-30, np.nan], [True, False, False]),
        ("int16", -28672.0, [-28672, 0, 1], [True, False, False]),
    ],
)
def test_fill_is_compared_as_precisely_as_it_was_written(dtype, fill, values, expected):
    assert equals_fill(np.array(values, dtype), fill).tolist() == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_impossible_numbers_are_told(number):
    assert not Calibration(number).possible
    assert not Calibration(1.0, number).possible
    assert not Calibration(0.0).possible
