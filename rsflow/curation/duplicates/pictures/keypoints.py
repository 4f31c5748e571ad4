"""Keypoints of a picture: blobs of several sizes with a binary code of their surroundings, which a crop of the picture shares.

Centre-surround box filters (CenSurE: Agrawal, Konolige, Blas, https://doi.org/10.1007/978-3-540-88693-8_8). Their
local extremes are found again in a picture that is cropped, rescaled, encoded anew or otherwise exposed. A code says, for
6 x 6 cells around the blob, which of two neighbouring cells is brighter; flips and quarter turns permute its bits
(`orient_codes`).

Sums over boxes are whole numbers, so no processor's rounding decides.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.curation.duplicates.pictures.image_signature import Picture
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation

WORKING_PX = 256  # pictures with a longer side are reduced by a whole factor, to at most this
SCALES = (2, 3, 4, 6, 8, 11, 16)  # half sides of blobs in working pixels

_CELLS = 6  # along each side of the square that a code covers; a cell is as wide as the blob
_COMPARISONS = 2 * _CELLS * (_CELLS - 1)
_POLARITY_BITS = np.uint64(0xF) << np.uint64(_COMPARISONS)  # set for bright blobs: other polarity, four more bits apart
_MIN_CONTRAST = 2.0  # grey levels between a blob and its surround
_BLOCKS = 4  # keypoints are spread over 4 x 4 parts of the picture
_PER_BLOCK = 4  # of small blobs, and as many of those from `_COARSE` on
_COARSE = 4
_RED, _GREEN, _BLUE = (np.uint32(share) for share in (299, 587, 114))  # thousandths: luma of ITU-R BT.601

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]


def find_keypoints(picture: Picture) -> tuple[Integers, Codes]:
    """(positions (n, 3): column, row and half side of each blob in working pixels; codes (n,)), at most 128, possibly none.

    `picture`: uint8 (rows, cols) or (rows, cols, 3). A working pixel is `working_factor(rows, cols)` pixels wide.
    """
    sums = _integral(_working_grey(picture))
    blobs = np.concatenate([_find_blobs(sums, scale) for scale in SCALES])
    blobs = _strongest_per_block(blobs, sums.shape[0] - 1, sums.shape[1] - 1)
    positions = blobs[:, :3].astype(np.int64)
    return positions, _encode(sums, positions) | np.where(blobs[:, 3] > 0, _POLARITY_BITS, np.uint64(0))


def working_factor(rows: int, cols: int) -> int:
    """By how much a picture of this size is reduced before keypoints are looked for."""
    return -(-max(rows, cols) // WORKING_PX)


def pack_positions(positions: Integers) -> npt.NDArray[np.int32]:
    """Positions as one number each: 9 bits for the column, 9 for the row, the rest for the scale."""
    packed: npt.NDArray[np.int32] = (positions @ np.array([1, 1 << 9, 1 << 18])).astype(np.int32)
    return packed


def unpack_positions(packed: npt.NDArray[np.int32]) -> Integers:
    """The inverse of `pack_positions`."""
    return np.stack([packed & 511, packed >> 9 & 511, packed >> 18], axis=-1).astype(np.int64)


def orient_codes(codes: Codes, orientation: int) -> Codes:
    """The codes that the same keypoints have in the picture in another orientation."""
    source, negated = _bit_moves()[orientation]
    bits = (codes[:, None] >> np.arange(_COMPARISONS, dtype=np.uint64) & np.uint64(1)).astype(np.bool_)
    return _pack_bits(bits[:, source] ^ negated) | (codes & _POLARITY_BITS)


def _working_grey(picture: Picture) -> npt.NDArray[np.uint32]:
    """Grey values in thousandths, summed over the pixels of each working pixel; what does not fill one is cut off."""
    wide = picture.astype(np.uint32)
    grey = (
        wide @ np.array([_RED, _GREEN, _BLUE]) if wide.ndim == 3 and wide.shape[2] == 3 else wide.reshape(wide.shape[:2]) * 1000
    )
    factor = working_factor(*grey.shape)
    rows, cols = (size // factor for size in grey.shape)
    blocks = grey[: rows * factor, : cols * factor].reshape(rows, factor, cols, factor)
    reduced: npt.NDArray[np.uint32] = blocks.sum(axis=(1, 3), dtype=np.uint32) // np.uint32(factor * factor)
    return reduced


def _integral(grey: npt.NDArray[np.uint32]) -> Integers:
    return np.pad(grey.cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))


def _find_blobs(sums: Integers, scale: int) -> npt.NDArray[np.float64]:
    """(n, 4): column, row, scale and contrast of the extremes of one scale, where a code fits into the picture."""
    reach, stride = _CELLS * scale, max(1, scale // 2)
    rows, cols = (np.arange(reach, size - 1 - reach, stride) for size in sums.shape)
    if not len(rows) or not len(cols):
        return np.empty((0, 4))
    inner, outer = (2 * scale + 1) ** 2, (4 * scale + 1) ** 2
    centre, both = (_box_sums(sums, rows, cols, half) for half in (scale, 2 * scale))
    # Mean of the blob less mean of the ring around it: the only division, of exact numbers.
    contrast = (centre * outer - both * inner) / float(1000 * inner * (outer - inner))
    strength = np.abs(contrast)
    extreme = (strength == ndimage.maximum_filter(strength, 3, mode="constant")) & (strength > _MIN_CONTRAST)
    row, col = np.nonzero(extreme)
    return np.stack([cols[col], rows[row], np.full(len(row), scale), contrast[row, col]], axis=1)


def _box_sums(sums: Integers, rows: Integers, cols: Integers, half: int) -> Integers:
    band = sums[rows + half + 1] - sums[rows - half]
    return band[:, cols + half + 1] - band[:, cols - half]


def _strongest_per_block(blobs: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    """The small and the large blobs of most contrast in each part of the picture."""
    block = blobs[:, 1] * _BLOCKS // height * _BLOCKS + blobs[:, 0] * _BLOCKS // width
    block = block * 2 + (blobs[:, 2] >= _COARSE)  # speckle must not crowd out larger blobs
    order = np.lexsort((*blobs.T[:3], -np.abs(blobs[:, 3]), block))
    block = block[order]
    rank = np.arange(len(block)) - np.searchsorted(block, block)
    return blobs[order[rank < _PER_BLOCK]]


def _encode(sums: Integers, positions: Integers) -> Codes:
    """Per keypoint which cell of two neighbours is brighter; cells overlap by a pixel, so that they lie evenly around it."""
    col, row, scale = positions.T[:, :, None]
    start = (2 * np.arange(_CELLS) - _CELLS) * scale
    left, top, size = col + start, row + start, 2 * scale + 1
    bands = [sums[y[:, :, None], (left + size)[:, None]] - sums[y[:, :, None], left[:, None]] for y in (top, top + size)]
    cells = bands[1] - bands[0]
    across, down = cells[:, :, 1:] > cells[:, :, :-1], cells[:, 1:] > cells[:, :-1]
    half = _COMPARISONS // 2
    return _pack_bits(np.concatenate([across.reshape(-1, half), down.reshape(-1, half)], axis=1))


def _pack_bits(bits: npt.NDArray[np.bool_]) -> Codes:
    codes: Codes = (bits.astype(np.uint64) << np.arange(_COMPARISONS, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    return codes


@cache
def _bit_moves() -> list[tuple[Integers, npt.NDArray[np.bool_]]]:
    """Per orientation: for each bit of a code the bit that it comes from, and whether that is negated on the way."""
    cells = np.arange(_CELLS**2).reshape(_CELLS, _CELLS)
    bit = {pair: number for number, pair in enumerate(_compared(cells))}
    moves = []
    for orientation in range(ORIENTATIONS):
        pairs = _compared(apply_orientation(cells, orientation))
        source = np.array([bit[pair] if pair in bit else bit[pair[::-1]] for pair in pairs], dtype=np.int64)
        moves.append((source, np.array([pair not in bit for pair in pairs], dtype=np.bool_)))
    return moves


def _compared(cells: Integers) -> list[tuple[int, int]]:
    """The (darker, brighter) cells of each set bit."""
    across = zip(cells[:, :-1].ravel().tolist(), cells[:, 1:].ravel().tolist(), strict=True)
    down = zip(cells[:-1].ravel().tolist(), cells[1:].ravel().tolist(), strict=True)
    return [*across, *down]
