"""What is moved, scaled, turned or framed a little correlates once it is aligned; what differs does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from rsflow.curation.duplicates.deduplicate import is_same_picture
from rsflow.curation.duplicates.pictures.alignment import aligned_correlation
from rsflow.curation.duplicates.pictures.image_signature import Picture, thumbnail

Change = Callable[[Picture], Picture]


def land(seed: int) -> Picture:
    """256 x 256 px of fields, with detail at several scales."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(random.random((side, side)).astype(np.float32)).resize((256, 256), Image.Resampling.BICUBIC))
        for side in (4, 8, 16, 32)
    ]
    grey = np.sum(layers, axis=0)
    grey = (grey - grey.min()) / (grey.max() - grey.min()) * 200 + 20
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def correlation(one: Picture, other: Picture) -> float:
    grey = [thumbnail(picture).mean(axis=2)[None] for picture in (one, other)]
    return float(aligned_correlation(grey[0], grey[1])[0])


def framed(picture: Picture) -> Picture:
    result = np.zeros_like(picture)
    result[10:-10, 10:-10] = picture[10:-10, 10:-10]
    return result


def marked(picture: Picture) -> Picture:
    result = picture.copy()
    result[16:56, 180:230] = 255
    return result


CHANGES: list[Change] = [
    lambda picture: np.roll(picture, (13, -9), axis=(0, 1)),
    lambda picture: picture[12:-14, 15:-11],
    lambda picture: np.asarray(Image.fromarray(picture).rotate(-2.5, Image.Resampling.BICUBIC)),
    lambda picture: (255 * (picture / 255.0) ** 1.4).astype(np.uint8),
    lambda picture: (picture // 2 + 40).astype(np.uint8),
    framed,
    marked,
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_small_changes_are_aligned(number: int) -> None:
    for seed in range(4):
        assert correlation(land(seed), CHANGES[number](land(seed))) > 0.95


def test_different_ground_stays_apart() -> None:
    every = np.stack([thumbnail(land(seed)).mean(axis=2) for seed in range(24)])
    one, other = np.triu_indices(len(every), 1)
    assert aligned_correlation(every[one], every[other]).max() < 0.9


def test_what_is_moved_by_a_third_is_another_picture() -> None:
    assert correlation(land(0), np.roll(land(0), 85, axis=1)) < 0.9


def test_flat_pictures_and_no_pictures_have_no_correlation() -> None:
    flat = np.full((2, 64, 64), 7.0)
    assert aligned_correlation(flat, flat).tolist() == [0.0, 0.0]
    assert aligned_correlation(flat[:0], flat[:0]).tolist() == []


def test_two_calm_surfaces_under_one_slope_of_light_are_not_one_picture() -> None:
    random = np.random.default_rng(4)
    slopes = [np.linspace(low, 180, 64)[None, :, None] * np.ones((64, 64, 3)) for low in (40, 90)]
    pictures = [np.clip(slope + random.normal(0, 4, slope.shape), 0, 255).astype(np.uint8) for slope in slopes]
    grey = np.stack([picture.sum(axis=2) / 3 for picture in pictures])
    assert np.corrcoef(grey[0].ravel(), grey[1].ravel())[0, 1] > 0.95  # what a correlation alone would join
    thumbnails = np.stack([thumbnail(picture) for picture in pictures])
    assert not is_same_picture(thumbnails, np.array([[0, 1, 0]]), 3.0).any()
    same = np.stack([thumbnail(pictures[0]), thumbnail(np.clip(pictures[0] * 0.9 + 20, 0, 255).astype(np.uint8))])
    assert is_same_picture(same, np.array([[0, 1, 0]]), 3.0).all()
