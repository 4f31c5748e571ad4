"""Crops of tiles that are smaller than they."""

from __future__ import annotations

import numpy as np
import pytest

from rsflow.labeller_training.crops import Example, random_crop


@pytest.mark.parametrize("grey", [1, 30, 250])
def test_black_is_the_padding_of_a_small_tile_and_nothing_else(grey: int) -> None:
    """However it is lit: networks leave black out where they standardise a picture."""
    tile = Example(np.full((20, 30, 3), grey, np.uint8), ())
    for seed in range(20):
        shown = random_crop(tile, 64, np.random.default_rng(seed)).picture.any(axis=2)
        assert 0 < shown.sum() < shown.size
        assert shown.sum() == shown.any(axis=0).sum() * shown.any(axis=1).sum()
