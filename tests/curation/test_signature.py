"""The signature is an exact area mean in whole numbers, stable under what does not change a picture."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rsflow.curation.duplicates.pictures.image_signature import (
    ANCHOR_WINDOWS,
    anchor_signatures,
    mean_absolute_error,
    orientation_signatures,
    pixels_digest,
    signature,
    thumbnail,
)
from rsflow.curation.duplicates.pictures.orientations import INVERSE_ORIENTATION, ORIENTATIONS, apply_orientation

Picture = npt.NDArray[np.uint8]


def noise(rows: int, cols: int, seed: int = 0, channels: int = 3) -> Picture:
    """Smooth structure, so that encodings change it little, with every grey level in use."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, channels), dtype=np.uint8)
    planes = [Image.fromarray(small[:, :, c]).resize((cols, rows), Image.Resampling.BICUBIC) for c in range(channels)]
    return np.stack([np.asarray(plane) for plane in planes], axis=2)


def plain_area_sums(picture: Picture, rows: int, cols: int) -> npt.NDArray[np.int64]:
    """The definition: every pixel cut into rows x cols equal pieces, which fall whole into one target pixel."""
    height, width, channels = picture.shape
    upright = np.repeat(picture.astype(np.int64), rows, axis=0).reshape(rows, height, width, channels).sum(axis=1)
    return np.repeat(upright, cols, axis=1).reshape(rows, cols, width, channels).sum(axis=2)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_signature_is_the_definition(rows: int, cols: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    grey = plain_area_sums(picture, 8, 9) @ [299, 587, 114]
    level = 1000 * rows * cols
    bits = "".join("1" if Fraction(int(row[k + 1] - row[k]), level) > Fraction(1, 2) else "0" for row in grey for k in range(8))
    assert signature(picture) == int(bits, 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3]), st.integers(0, 2**32))
def test_signatures_are_those_of_the_turned_pictures(rows: int, cols: int, channels: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (rows, cols, channels), dtype=np.uint8)
    views = [apply_orientation(picture, orientation) for orientation in range(ORIENTATIONS)]
    assert orientation_signatures(picture) == [signature(view) for view in views]
    for orientation, view in enumerate(views):
        assert (thumbnail(view) == apply_orientation(thumbnail(picture), orientation)).all()
        assert (apply_orientation(view, int(INVERSE_ORIENTATION[orientation])) == picture).all()


@pytest.mark.parametrize("shape", [(64, 64), (100, 130), (30, 200)])
def test_thumbnail_is_the_rounded_area_mean(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 1), dtype=np.uint8)
    whole = shape[0] * shape[1]
    expected = (2 * plain_area_sums(picture, 64, 64) + whole) // (2 * whole)
    np.testing.assert_array_equal(thumbnail(picture[:, :, 0]), np.repeat(expected, 3, axis=2))


def test_large_parts_do_not_overflow() -> None:
    white = np.full((2100, 2400, 3), 255, dtype=np.uint8)  # a part of 263 rows: beyond 16-bit sums
    assert signature(white) == 0
    assert (thumbnail(np.full((64 * 260, 64, 3), 255, dtype=np.uint8)) == 255).all()


def test_signature_is_pinned() -> None:
    # It is stored in lakes: another value for the same picture would make old and new tiles strangers.
    rows, cols = np.mgrid[0:100, 0:90]
    assert signature(((rows * cols) % 251).astype(np.uint8)) == 0xD4AAD5A8D29BC8A6


def test_grey_and_its_rgb_copy_agree() -> None:
    grey = noise(200, 300, channels=1)[:, :, 0]
    assert signature(grey) == signature(np.repeat(grey[:, :, None], 3, axis=2))
    assert pixels_digest(grey) != pixels_digest(np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("seed", range(5))
def test_encoding_and_halving_stay_close_and_others_do_not(seed: int) -> None:
    picture = noise(512, 512, seed)
    image = Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    for again in (Image.open(file), image.resize((256, 256), Image.Resampling.LANCZOS)):
        copy = np.asarray(again)
        assert (signature(copy) ^ signature(picture)).bit_count() <= 3
        assert mean_absolute_error(thumbnail(copy), thumbnail(picture)) < 2
    other = noise(512, 512, seed + 100)
    assert (signature(other) ^ signature(picture)).bit_count() > 10
    assert mean_absolute_error(thumbnail(other), thumbnail(picture)) > 10


def test_noise_without_content_sets_no_bit() -> None:
    sea = np.random.default_rng(2).normal(60, 4, (512, 512, 3)).clip(0, 255).astype(np.uint8)
    assert signature(sea) == 0


def test_digest_counts_pixels_and_shape() -> None:
    picture = noise(20, 30)
    assert pixels_digest(picture) == hashlib.sha256(b"20x30x3\n" + picture.tobytes()).hexdigest()
    assert pixels_digest(picture) == pixels_digest(np.asfortranarray(picture))
    assert pixels_digest(picture) != pixels_digest(picture.reshape(30, 20, 3))


def test_mean_absolute_error_is_the_plain_one() -> None:
    a, b = noise(8, 8, 1), noise(8, 8, 2)
    assert mean_absolute_error(a, b) == pytest.approx(np.abs(a.astype(float) - b.astype(float)).mean())
    with pytest.raises(ValueError, match="differ in shape"):
        mean_absolute_error(a, b[:4])


@pytest.mark.parametrize("shape", [(0, 5), (5,), (5, 5, 2), (5, 5, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        signature(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize(("down", "right"), [(8, 8), (16, 0), (24, 32), (0, 32)])
def test_pictures_moved_by_eighths_of_an_eighth_share_a_window(down: int, right: int) -> None:
    whole = noise(320, 320)
    first, second = (
        anchor_signatures(np.ascontiguousarray(whole[y : y + 256, x : x + 256])) for y, x in ((0, 0), (down, right))
    )
    assert len(first) == len(ANCHOR_WINDOWS)
    assert set(first) & set(second)
    assert signature(whole[:256, :256]) != signature(whole[down : down + 256, right : right + 256])
