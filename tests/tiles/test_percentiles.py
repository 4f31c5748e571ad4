"""Percentiles from histograms are numpy's, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rsflow.tiles.percentiles import percentiles


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.float32]), st.integers(1, 300), elements=st.integers(0, 255)
    ),
    st.lists(st.floats(0, 100), min_size=1, max_size=3),
)
def test_they_equal_numpys(values: np.ndarray, percents: list[float]) -> None:
    assert percentiles(values, percents) == [float(value) for value in np.percentile(values, percents)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_of_one_value_all_are_that_value(dtype: type) -> None:
    assert percentiles(np.array([7], dtype), (0, 2, 50, 100)) == [7.0, 7.0, 7.0, 7.0]
