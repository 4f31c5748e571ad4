from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rsflow.errors import DataError
from rsflow.tiles.encode import decode, encode


def picture(*shape: int) -> np.ndarray:
    slope = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    return (
        np.stack([slope % 200 + i * 20 for i in range(3)], axis=-1).astype(np.uint8)
        if len(shape) == 3
        else slope.astype(np.uint8)
    )


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (17, 5, 3), (1, 1)])
def test_png_gives_the_picture_back(shape):
    data = encode(picture(*shape), "png")
    assert data[:4] == b"\x89PNG"
    assert np.array_equal(decode(data), picture(*shape))


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (17, 5, 3), (1, 1)])
def test_jpeg_is_close_and_other_decoders_see_the_same(shape):
    data = encode(picture(*shape), "jpg", 95)
    back = decode(data)
    assert back.shape == picture(*shape).shape
    assert np.abs(back.astype(int) - picture(*shape)).mean() < 4
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.mode == ("L" if len(shape) == 2 else "RGB")
        assert np.abs(np.asarray(image).astype(int) - back).max() <= 3


@pytest.mark.parametrize("format", ["jpg", "png"])
def test_same_picture_same_bytes_whatever_its_layout(format):
    plain = picture(40, 60, 3)
    strided = np.asfortranarray(plain)
    assert encode(plain, format) == encode(plain.copy(), format) == encode(strided, format)


def test_quality_matters():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert len(encode(noise, "jpg", 50)) < len(encode(noise, "jpg", 95))


@pytest.mark.parametrize("format", ["jpg", "png"])
def test_damaged_bytes_are_told(format):
    data = encode(picture(200, 200, 3), format)
    for bad in (b"", data[: len(data) // 2], b"junk"):
        with pytest.raises(DataError) as caught:
            decode(bad)
        assert caught.value.reason == "unreadable"
