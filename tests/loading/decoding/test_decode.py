"""Decoding beside Pillow as an oracle; into given memory; resized with its boxes."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
import torch
from PIL import Image

from rsflow.loading.decoding.decode import as_tensor, decode_into, decode_picture, resize


def smooth(height_px: int, width_px: int, channels: int = 3, seed: int = 0) -> Any:
    """A picture with structure at several scales."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 6, channels), np.uint8)
    big = Image.fromarray(small[..., 0] if channels == 1 else small).resize((width_px, height_px), Image.Resampling.BICUBIC)
    return np.array(big).reshape(height_px, width_px, channels)


def encoded(pixels: Any, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
        stream, kind, **({"quality": 92} if kind == "JPEG" else {})
    )
    return stream.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(64, 64), (41, 77), (1, 1)])
def test_png_is_exact_and_grey_has_three_equal_channels(channels: int, size: tuple[int, int]) -> None:
    pixels = smooth(*size, channels)
    found = decode_picture(encoded(pixels, "PNG"))
    assert found.shape == (*size, 3)
    assert np.array_equal(found, np.broadcast_to(pixels, (*size, 3)))


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_what_pillow_reads(channels: int) -> None:
    data = encoded(smooth(96, 130, channels), "JPEG")
    oracle = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    found = decode_picture(data)
    assert found.shape == oracle.shape
    assert np.abs(found - oracle).max() <= 3  # two builds of libjpeg-turbo may round chroma differently


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_any_memory_that_holds_a_picture_is_read(kind: str) -> None:
    data = encoded(smooth(48, 32), kind)
    assert np.array_equal(decode_picture(memoryview(bytearray(data))), decode_picture(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_written_to_given_memory(kind: str) -> None:
    data = encoded(smooth(48, 32), kind)
    batch = np.zeros((3, 48, 32, 3), np.uint8)
    assert decode_into(data, batch[1]) == (48, 32)
    assert np.array_equal(batch[1], decode_picture(data))
    assert not batch[0].any()
    assert not batch[2].any()
    small = np.zeros((20, 30, 3), np.uint8)
    assert decode_into(data, small) == (48, 32)
    assert np.array_equal(small, resize(decode_picture(data), 20, 30))
    turned = np.zeros((32, 48, 3), np.uint8).transpose(1, 0, 2)  # no decoder may write this as if it were contiguous
    decode_into(data, turned)
    assert np.array_equal(turned, decode_picture(data))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_jpeg_at_a_part_of_its_size_is_nearer_to_the_picture_than_a_resized_one(factor: int, channels: int) -> None:
    """Beside the means of the pixels, before they were a JPEG, that each pixel covers. In a picture with detail, that is: of a
    smooth one both are as near as rounding lets them be."""
    detail = np.random.default_rng(1).normal(0, 12, (256, 320, 1))
    pixels = (smooth(256, 320, channels) + detail).clip(0, 255).astype(np.uint8)
    data = encoded(pixels, "JPEG")
    size = 256 // factor, 320 // factor
    means = pixels.reshape(size[0], factor, size[1], factor, channels).mean(axis=(1, 3))
    out = np.zeros((*size, 3), np.uint8)
    assert decode_into(data, out) == (256, 320)
    assert np.abs(out - means).mean() < 0.8 * np.abs(resize(decode_picture(data), *size) - means).mean()
    strided = np.zeros((size[1], size[0], 3), np.uint8).transpose(1, 0, 2)
    assert decode_into(data, strided) == (256, 320)
    assert np.array_equal(strided, resize(decode_picture(data), *size))


@pytest.mark.parametrize("size", [(128, 159), (100, 125), (64, 160)])
def test_other_sizes_are_resized_from_the_whole(size: tuple[int, int]) -> None:
    data, out = encoded(smooth(256, 320), "JPEG"), np.zeros((*size, 3), np.uint8)
    decode_into(data, out)
    assert np.array_equal(out, resize(decode_picture(data), *size))


@pytest.mark.parametrize("size", [(24, 24), (224, 224), (65, 301)])
def test_resizing_is_pillows_bilinear(size: tuple[int, int]) -> None:
    pixels = smooth(130, 97)
    oracle = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(resize(pixels, *size) - oracle).max() <= 1
    assert resize(pixels, 130, 97) is pixels


def test_a_tensor_is_a_view() -> None:
    pixels = smooth(8, 9).copy()
    tensor = as_tensor(pixels)
    pixels[2, 3] = (1, 2, 3)
    assert tensor.shape == (3, 8, 9)
    assert tensor[:, 2, 3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        encoded(smooth(40, 40), "JPEG")[:20],
        encoded(smooth(40, 40), "PNG")[:200],
        encoded(np.zeros((4, 4, 4), np.uint8), "PNG"),
    ],
    ids=["empty", "gif", "cut jpeg", "cut png", "rgba"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_picture(data)


def test_a_real_picture_and_the_decoder_is_the_faster_one(test_data: Path) -> None:
    path = next(iter(sorted(test_data.rglob("*.jpg"))))
    data = path.read_bytes()
    oracle = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(decode_picture(data) - oracle).mean() < 1

    def best(call: Any) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: decode_picture(data)) < best(lambda: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert simplejpeg.is_jpeg(data)
    assert torch.equal(as_tensor(decode_picture(data)), as_tensor(np.asarray(simplejpeg.decode_jpeg(data))))
