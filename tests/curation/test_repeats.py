"""Laws of repeat factors: as LVIS has them on average, whole, by hash; more for a larger threshold, never beyond the most."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config.select_settings import Repeat
from rsflow.curation.balance.repeat_factors import repeat_factors
from rsflow.curation.connected_components import Indices


def repeats(items: list[set[str]], threshold: float, most: int = 100) -> Indices:
    codes = {name: number for number, name in enumerate("abcd")}
    pairs = [(row, codes[name]) for row, names in enumerate(items) for name in sorted(names)]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    ids = pa.chunked_array([pa.array([f"t{k}" for k in range(len(items))], pa.string())])
    return repeat_factors(ids, rows[:, 0], rows[:, 1], Repeat(threshold, most))


def test_a_category_is_shown_as_often_as_lvis_says() -> None:
    items = [{"a"}] * 9000 + [{"a", "b"}] * 900 + [{"c"}] * 100
    found = repeats(items, 0.25)
    for rows, share in ((slice(0, 9000), 0.99), (slice(9000, 9900), 0.09), (slice(9900, 10_000), 0.01)):
        expected = max(1.0, math.sqrt(0.25 / share))
        assert found[rows].mean() == pytest.approx(expected, rel=0.05)
        assert set(found[rows].tolist()) <= {math.floor(expected), math.ceil(expected)}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=40), st.floats(1e-4, 1), st.floats(1e-4, 1), st.integers(1, 4))
def test_laws(items: list[set[str]], one: float, other: float, most: int) -> None:
    low, high = repeats(items, min(one, other), most), repeats(items, max(one, other), most)
    assert (low <= high).all()
    assert ((low >= 1) & (high <= most)).all()
    assert all(shown == 1 for shown, names in zip(high.tolist(), items, strict=True) if not names)


def test_added_data_changes_the_number_of_few() -> None:
    items = [{"a"}] * 4000 + [{"b"}] * 40
    before, after = repeats(items, 0.05), repeats([*items, *[{"a"}] * 100], 0.05)[: len(items)]
    assert (before != after).sum() <= 3
