"""What identifies a picture: an exact digest, a 64-bit difference hash, and a small picture to confirm with.

The hash only finds candidates (two pictures a few bits apart may be the same), the 64 x 64 pictures decide. A hash
alone joins fields, runways and housing that merely look alike.

The difference hash is Neal Krawetz's: the picture shrunk to 9 x 8 grey values, and one bit for each two horizontal
neighbours (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html). Two choices are ours. The
shrinking is an exact area mean in whole numbers, so no library version or processor changes a bit. And a step counts only
above half a grey level: in calm sea, snow or nodata the steps are noise that every encoding rolls anew, and there the bits
stay 0. So pictures without content share signatures near 0 and say nothing; see `rsflow.curation.duplicates.deduplicate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.curation.hashing import combine_hashes

Picture = npt.NDArray[np.uint8]

THUMBNAIL_PX = 64

# Windows (top, left, side) of a thumbnail. Steps of 0, 2, 6 and 8 differ by 2, 4, 6 and 8, so of two pictures that are moved by
# any of these, down and to the right, two windows show the same.
_OFFSETS = (0, 2, 6, 8)
ANCHOR_WINDOWS = ((3, 3, 58), *((top, left, 56) for top in _OFFSETS for left in _OFFSETS))

_GREY = np.array([299, 587, 114], dtype=np.int64)  # thousandths: luma of ITU-R BT.601
_MIN_STEP = 500  # thousandths of a grey level


def signature(picture: Picture) -> int:
    """The difference hash of a picture (rows, cols) or (rows, cols, 3), in [0, 2**64).

    Bit 63 - (8 row + column) is set where, of the 8 x 9 area means, the one to the right is brighter by more than half a
    grey level. Raises ValueError for another shape or type, or an empty picture.
    """
    pixels = _check_picture(picture)
    return _rise_bits(_grey_sums(pixels, 8, 9), pixels)


def faint_signature(picture: Picture) -> int:
    """64 signs of random projections of the thumbnail's grey values without their mean: for pictures without content.

    Of two thumbnails that correlate by r, arccos(r) / pi of the bits differ on average (SimHash: Charikar,
    https://doi.org/10.1145/509907.509965). A picture of one shade correlates with nothing and has a hash of its pixels.
    """
    grey = thumbnail(picture).sum(axis=2, dtype=np.int64).ravel()
    centred = grey * len(grey) - grey.sum()
    if not centred.any():
        return int(pixels_digest(picture)[:16], 16)
    return _pack_bits(centred @ _projections() > 0)


@cache
def _projections() -> npt.NDArray[np.int64]:
    """(pixels of a thumbnail, 64) of -1 and 1."""
    hashes = combine_hashes(np.arange(THUMBNAIL_PX**2, dtype=np.uint64))
    signs: npt.NDArray[np.int64] = (hashes[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).astype(np.int64) * 2 - 1
    return signs


def orientation_signatures(picture: Picture) -> list[int]:
    """The signatures of the picture in all orientations, in their order: that of `oriented(picture, k)` at k.

    Area means turn with the picture, exactly, so two small grids of them say it all.
    """
    pixels = _check_picture(picture)
    grids = _grey_sums(pixels, 8, 9), _grey_sums(pixels, 9, 8)
    return [_rise_bits(apply_orientation(grids[orientation % 2], orientation), pixels) for orientation in range(ORIENTATIONS)]


def anchor_signatures(picture: Picture) -> list[int]:
    """The signatures of 17 windows of the thumbnail, in the order of ANCHORS: they find what is cropped, framed or moved.

    What one picture shows in one window, another one that is moved by up to an eighth of a side shows in some other.
    """
    small = thumbnail(picture)
    return [signature(np.ascontiguousarray(small[top : top + size, left : left + size])) for top, left, size in ANCHOR_WINDOWS]


def pixels_digest(picture: Picture) -> str:
    """SHA-256, in hexadecimal, of a decoded picture: its shape, then its bytes. Equal exactly where all pixels are equal."""
    pixels = np.ascontiguousarray(_check_picture(picture))
    digest = hashlib.sha256("x".join(map(str, pixels.shape)).encode() + b"\n")
    digest.update(pixels.data)
    return digest.hexdigest()


def thumbnail(picture: Picture) -> Picture:
    """The picture as (64, 64, 3), each pixel the rounded mean of the area it stands for; grey is repeated."""
    pixels = _check_picture(picture)
    whole = pixels.shape[0] * pixels.shape[1]
    means = (_area_sums(pixels, THUMBNAIL_PX, THUMBNAIL_PX) + whole // 2) // whole
    return np.broadcast_to(means.astype(np.uint8), (THUMBNAIL_PX, THUMBNAIL_PX, 3)).copy()


def region_thumbnail(picture: Picture, region: Sequence[float]) -> Picture:
    """The thumbnail of a part: left, top, right and bottom as shares of the picture's width and height, at least one pixel."""
    height, width = picture.shape[:2]
    (left, right), (top, bottom) = (
        (min(int(start * size + 0.5), size - 1), int(stop * size + 0.5))
        for start, stop, size in ((region[0], region[2], width), (region[1], region[3], height))
    )
    return thumbnail(picture[top : max(bottom, top + 1), left : max(right, left + 1)])


def mean_absolute_error(a: Picture, b: Picture) -> float:
    """Mean of |a - b| over two pictures of one shape, in grey levels."""
    if a.shape != b.shape:
        raise ValueError(f"the pictures differ in shape: {a.shape} and {b.shape}")
    return float(np.mean(np.maximum(a, b) - np.minimum(a, b), dtype=np.float64))


def _check_picture(picture: Picture) -> Picture:
    pixels = picture[:, :, None] if picture.ndim == 2 else picture
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"expected uint8 (rows, cols) or (rows, cols, 3), found {picture.dtype} {picture.shape}")
    return pixels


def _grey_sums(pixels: Picture, rows: int, cols: int) -> npt.NDArray[np.int64]:
    sums = _area_sums(pixels, rows, cols)
    return sums @ _GREY if sums.shape[2] == 3 else sums[:, :, 0] * 1000


def _rise_bits(grey: npt.NDArray[np.int64], pixels: Picture) -> int:
    return _pack_bits(np.diff(grey, axis=1) > _MIN_STEP * pixels.shape[0] * pixels.shape[1])


def _pack_bits(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _area_sums(pixels: Picture, rows: int, cols: int) -> npt.NDArray[np.int64]:
    """(rows, cols, channels): area means times the number of the picture's pixels, exact."""
    upright = _axis_sums(pixels, rows)
    return _axis_sums(np.ascontiguousarray(upright.swapaxes(0, 1)), cols).swapaxes(0, 1)


def _axis_sums(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """The first axis cut into `count` equal lengths: of each the sum, times `count`, with shares of the entries it cuts.

    In units of 1/count an entry is `count` long and a part as long as the axis, so all bounds are whole numbers.
    """
    size = values.shape[0]
    # The sum of 257 bytes fits into 16 bits, and narrow sums are several times faster.
    kind = np.uint16 if values.dtype == np.uint8 and size <= 257 * count else np.int64
    if size % count == 0:
        whole = values.reshape(count, size // count, *values.shape[1:]).sum(axis=1, dtype=kind)
        return np.asarray(whole.astype(np.int64) * count)
    entry, share = np.divmod(np.arange(count + 1) * size, count)
    sums = np.stack([values[start:stop].sum(axis=0, dtype=kind) for start, stop in pairwise(entry)]).astype(np.int64) * count
    # The last bound is the axis' end, whose share is 0: any entry may stand there.
    cut = values[np.minimum(entry, size - 1)].astype(np.int64) * share.reshape(-1, *[1] * (values.ndim - 1))
    sums += np.diff(cut, axis=0)
    return sums
