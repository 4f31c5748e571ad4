"""The values of a scene at positions between its pixels, band by band, without what has no value.

One idea: a value is the weighted mean of those of the four surrounding pixels that have one, and exists where the pixel under
the position has one; so no fill value is ever part of a mean, and the edge of what is known does not move. A target pixel is
the mean of its samples where at least half of them exist. Class bands take the nearest pixel. Every result depends on its own
position only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.spatial.geometry import FloatArray

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


def nearest(band: npt.NDArray[Any], good: Mask, cols: FloatArray, rows: FloatArray) -> tuple[npt.NDArray[Any], Mask]:
    """(values, where they exist) of the pixels under the positions; `cols` and `rows` broadcast against each other."""
    col, inside_cols = _pixel(cols, band.shape[1])
    row, inside_rows = _pixel(rows, band.shape[0])
    inside = inside_rows & inside_cols
    return band[row, col], inside & good[row, col]


def bilinear(band: npt.NDArray[Any], good: Mask, cols: FloatArray, rows: FloatArray) -> tuple[npt.NDArray[Any], Mask]:
    """(values as float, where they exist), between the middles of pixels; beyond the outermost middles the edge goes on."""
    exists = nearest(good, good, cols, rows)[1]
    kind = np.float32 if band.dtype.itemsize <= 2 else np.float64
    left, right, across = _taps(cols, band.shape[1])
    top, bottom, down = _taps(rows, band.shape[0])
    across, down = across.astype(kind), down.astype(kind)
    known = None if good.all() else good
    values = (band if known is None else np.where(known, band, 0)).astype(kind, copy=False)
    corners = ((top, left), (top, right), (bottom, left), (bottom, right))
    above, below = (_mix(values[first], values[second], across) for first, second in (corners[:2], corners[2:]))
    found = _mix(above, below, down)
    if known is not None:
        # Also where others lack a neighbour: a pixel that has all four is computed alike in every window.
        partial = exists & ~(known[top, left] & known[top, right] & known[bottom, left] & known[bottom, right])
        if partial.any():
            found[partial] = _mean_of_known(values, known, corners, across, down)[partial]
    return found, exists


def mean_of_samples(values: npt.NDArray[Any], exists: Mask, samples: int) -> tuple[npt.NDArray[Any], Mask]:
    """Blocks of `samples` x `samples` become one value each, the mean of those that exist, where at least half do."""
    if samples == 1:
        return values, exists
    counts = np.zeros((exists.shape[0] // samples, exists.shape[1] // samples), np.int64)
    sums = np.zeros(counts.shape)
    # One sample after the other, so that the order of the sum does not depend on the window.
    for part in np.ndindex(samples, samples):
        there = exists[part[0] :: samples, part[1] :: samples]
        counts += there
        sums += np.where(there, values[part[0] :: samples, part[1] :: samples], 0)
    return sums / np.maximum(counts, 1), 2 * counts >= samples**2


def stored(values: npt.NDArray[Any], exists: Mask, dtype: np.dtype[Any], fill: float | None) -> npt.NDArray[Any]:
    """Values in a band's own type, with its fill value (NaN of fractions, else 0) where none exists.

    A mean that happens to be the fill value is moved by the least step: it is a value.
    """
    is_whole = dtype.kind in "iu"
    found = (np.rint(values) if is_whole and values.dtype.kind == "f" else values).astype(dtype)
    if fill is None or (is_whole and not np.iinfo(dtype).min <= fill <= np.iinfo(dtype).max):
        found[~exists] = 0 if is_whole else np.nan
        return found
    equal = exists & (found == dtype.type(fill))
    if equal.any() and values.dtype.kind == "f":
        found[equal] = _beside(dtype, fill)
    found[~exists] = fill
    return found


def _beside(dtype: np.dtype[Any], fill: float) -> Any:
    """The value next to the fill value, towards 0 (1 for a fill value of 0)."""
    if dtype.kind in "iu":
        return dtype.type(fill + (1 if fill <= 0 else -1))
    return dtype.type(fill * (1 - 1e-5)) if fill else np.finfo(dtype).tiny


def _mean_of_known(
    values: npt.NDArray[Any], known: Mask, corners: tuple[tuple[Index, Index], ...], across: FloatArray, down: FloatArray
) -> npt.NDArray[Any]:
    """The mean of those of the four neighbours that have a value, by their bilinear weights."""
    weights = ((1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across)
    total = sum(weight * known[at] for weight, at in zip(weights, corners, strict=True))
    summed = sum(weight * values[at] for weight, at in zip(weights, corners, strict=True))
    return np.asarray(np.divide(summed, total, out=np.zeros_like(summed), where=total > 0))


def _mix(low: npt.NDArray[Any], high: npt.NDArray[Any], weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    mixed: npt.NDArray[Any] = low + (high - low) * weight
    return mixed


def _pixel(positions: FloatArray, extent_px: int) -> tuple[Index, Mask]:
    with np.errstate(invalid="ignore"):
        inside = (positions >= 0) & (positions < extent_px)
    return np.where(inside, positions, 0).astype(np.int64), inside


def _taps(positions: FloatArray, extent_px: int) -> tuple[Index, Index, FloatArray]:
    """The pixels before and after each position, and the weight of the one after."""
    centred = np.clip(np.nan_to_num(positions - 0.5), 0, extent_px - 1)
    low = np.floor(centred).astype(np.int64)
    return low, np.minimum(low + 1, extent_px - 1), centred - low
