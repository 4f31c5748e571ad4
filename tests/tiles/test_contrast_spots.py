"""Spots that stand out from their surroundings: where they are, by how much, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from rsflow.tiles.contrast_spots import LEAST_KELVIN, find_spots

SIZE = 100


def ground(noise: float = 0.3) -> np.ndarray:
    return 290 + np.random.default_rng(0).normal(0, noise, (SIZE, SIZE))


def test_a_warm_spot_is_found_with_its_contrast() -> None:
    values = ground()
    values[40:46, 60:68] += 9
    values[70:73, 20:24] += 5
    spots = find_spots(values, np.ones_like(values, bool), LEAST_KELVIN)
    assert [spot.box for spot in spots] == [(60, 40, 68, 46), (20, 70, 24, 73)]
    assert [spot.contrast for spot in spots] == pytest.approx([9, 5], abs=0.3)


def test_the_contrast_is_that_to_the_surroundings_and_not_to_the_tile() -> None:
    values = ground()
    values[20:70, 40:90] += 4  # warm ground of a quarter of the tile, and a warmer spot in it
    values[40:46, 60:68] += 5
    spread = find_spots(values, np.ones_like(values, bool), 6.0)
    assert spread == []  # 9 kelvin above the tile, 5 above what surrounds it


def test_what_is_small_large_at_the_edge_or_beside_fill_is_no_spot() -> None:
    values, valid = ground(), np.ones((SIZE, SIZE), bool)
    values[10, 50] += 9  # one pixel
    values[0:5, 0:5] += 9  # cut by the edge
    values[20:60, 20:60] += 9  # a field
    values[80:84, 80:84] += 9
    valid[70:95, 70:95] = False
    valid[80:84, 80:84] = True
    assert find_spots(values, valid, LEAST_KELVIN) == []
    assert find_spots(values, np.zeros_like(valid), LEAST_KELVIN) == []
