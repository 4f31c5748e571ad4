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
Index = npt.NDArray[np.intp]


class Neighbours:
    """The pixels of a band (rows, cols) around positions, found once for all bands.

    `cols` and `rows` have one shape, or are (1, cols) and (rows, 1) where the scene is not turned against the grid. `inside`:
    which positions lie in the band; what is gathered for others has no meaning.
    """

    def __init__(self, cols: FloatArray, rows: FloatArray, height_px: int, width_px: int) -> None:
        self._width = width_px
        self._is_turned = cols.shape == rows.shape
        inside_cols, inside_rows = _within(cols, width_px), _within(rows, height_px)
        self.inside: Mask = inside_rows & inside_cols
        self._col, self._row = _pixel_index(cols, inside_cols), _pixel_index(rows, inside_rows)
        self._lefts, self.across = _neighbour_indices(cols, width_px)
        self._tops, self.down = _neighbour_indices(rows, height_px)
        self._block = None if self._is_turned else (_as_slice(self._row.ravel()), _as_slice(self._col.ravel()))
        self._flat = [[top * width_px + left for left in self._lefts] for top in self._tops] if self._is_turned else None

    @property
    def are_pixels(self) -> bool:
        """Whether all positions are the middles of pixels."""
        return not (self.across.any() or self.down.any())

    def under(self, band: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The pixels under the positions; a view where these are a block of the band."""
        if self._block and None not in self._block:
            return band[self._block]
        return self._gathered(band, self._row, self._col, None)

    def corner(self, band: npt.NDArray[Any], below: int, after: int) -> npt.NDArray[Any]:
        """Of the four pixels whose middles surround a position the upper (0) or lower (1), left (0) or right (1) one."""
        flat = self._flat[below][after] if self._flat else None
        return self._gathered(band, self._tops[below], self._lefts[after], flat)

    def _gathered(self, band: npt.NDArray[Any], row: Index, col: Index, flat: Index | None) -> npt.NDArray[Any]:
        if self._is_turned:
            return band.ravel().take(row * self._width + col if flat is None else flat)
        return band.take(row.ravel(), 0).take(col.ravel(), 1)


def nearest(band: npt.NDArray[Any], good: Mask | None, at: Neighbours) -> tuple[npt.NDArray[Any], Mask]:
    """(values, where they exist) of the pixels under the positions. `good`: which pixels have a value; None: all."""
    return at.under(band), at.inside if good is None else at.inside & at.under(good)


def bilinear(band: npt.NDArray[Any], good: Mask | None, at: Neighbours) -> tuple[npt.NDArray[Any], Mask]:
    """(values, where they exist), between the middles of pixels as float, of middles as they are; beyond the outermost middles
    the edge goes on."""
    if at.are_pixels:
        return nearest(band, good, at)
    kind = np.float32 if band.dtype.itemsize <= 2 else np.float64
    values = (band if good is None else np.where(good, band, 0)).astype(kind, copy=False)
    across, down = at.across.astype(kind), at.down.astype(kind)
    above = _interpolate_in_place(at.corner(values, 0, 0), at.corner(values, 0, 1), across)
    found = _interpolate_in_place(above, _interpolate_in_place(at.corner(values, 1, 0), at.corner(values, 1, 1), across), down)
    if good is None:
        return found, at.inside
    exists = at.inside & at.under(good)
    corners = [(below, after, at.corner(good, below, after)) for below in (0, 1) for after in (0, 1)]
    # Also where others lack a neighbour: a pixel that has all four is computed alike in every window.
    partial = exists & ~np.logical_and.reduce([known for _, _, known in corners])
    if partial.any():
        found[partial] = _mean_of_known(at, values, corners, across, down)[partial]
    return found, exists


def mean_of_samples(values: npt.NDArray[Any], exists: Mask, samples: int) -> tuple[npt.NDArray[Any], Mask]:
    """Blocks of `samples` x `samples` become one value each, the mean of those that exist, where at least half do."""
    if samples == 1:
        return values, exists
    counts = np.zeros((exists.shape[0] // samples, exists.shape[1] // samples), np.int64)
    sums = np.zeros(counts.shape)
    # One sample after the other, so that the order of the sum does not depend on the window.
    for part in np.ndindex(samples, samples):
        part_exists = exists[part[0] :: samples, part[1] :: samples]
        counts += part_exists
        sums += np.where(part_exists, values[part[0] :: samples, part[1] :: samples], 0)
    return sums / np.maximum(counts, 1), 2 * counts >= samples**2


def to_stored_type(values: npt.NDArray[Any], exists: Mask, dtype: np.dtype[Any], fill: float | None) -> npt.NDArray[Any]:
    """Values in a band's own type, with its fill value (NaN of fractions, else 0) where none exists.

    A mean that happens to be the fill value is moved by the least step: it is a value.
    """
    is_whole = dtype.kind in "iu"
    found = (np.rint(values) if is_whole and values.dtype.kind == "f" else values).astype(dtype)
    if fill is None or (is_whole and not np.iinfo(dtype).min <= fill <= np.iinfo(dtype).max):
        found[~exists] = 0 if is_whole else np.nan
        return found
    if values.dtype.kind == "f" and (equal := exists & (found == dtype.type(fill))).any():
        found[equal] = _adjacent_value(dtype, fill)
    found[~exists] = fill
    return found


def _adjacent_value(dtype: np.dtype[Any], fill: float) -> Any:
    """The value next to the fill value, towards 0 (1 for a fill value of 0)."""
    if dtype.kind in "iu":
        return dtype.type(fill + (1 if fill <= 0 else -1))
    return dtype.type(fill * (1 - 1e-5)) if fill else np.finfo(dtype).tiny


def _mean_of_known(
    at: Neighbours,
    values: npt.NDArray[Any],
    corners: list[tuple[int, int, Mask]],
    across: npt.NDArray[Any],
    down: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """The mean of those of the four neighbours that have a value, by their bilinear weights."""
    total, summed = np.zeros(at.inside.shape, values.dtype), np.zeros(at.inside.shape, values.dtype)
    for below, after, known in corners:
        weight = (down if below else 1 - down) * (across if after else 1 - across) * known
        total += weight
        summed += weight * at.corner(values, below, after)
    return np.asarray(np.divide(summed, total, out=np.zeros_like(summed), where=total > 0))


def _interpolate_in_place(low: npt.NDArray[Any], high: npt.NDArray[Any], weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """low + (high - low) * weight, in the memory of `high`."""
    high -= low
    high *= weight
    high += low
    return high


def _within(positions: FloatArray, extent_px: int) -> Mask:
    with np.errstate(invalid="ignore"):
        return (positions >= 0) & (positions < extent_px)


def _pixel_index(positions: FloatArray, inside: Mask) -> Index:
    return (positions if inside.all() else np.where(inside, positions, 0)).astype(np.intp)


def _as_slice(index: Index) -> slice | None:
    """The slice of these positions, where each is one after the one before."""
    return slice(int(index[0]), int(index[-1]) + 1) if bool((np.diff(index) == 1).all()) else None


def _neighbour_indices(positions: FloatArray, extent_px: int) -> tuple[tuple[Index, Index], FloatArray]:
    """The pixels before and after each position, and the weight of the one after."""
    centred = np.clip(positions - 0.5, 0, extent_px - 1)
    if np.isnan(centred).any():
        centred = np.nan_to_num(centred)
    low = centred.astype(np.intp)
    return (low, np.minimum(low + 1, extent_px - 1)), centred - low
