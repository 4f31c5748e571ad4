"""How well two small pictures correlate once one is moved, scaled and turned a little onto the other.

One idea: Gauss-Newton image alignment (Lucas and Kanade,
https://www.ri.cmu.edu/pub_files/pub3/baker_simon_2004_1/baker_simon_2004_1.pdf) of shift, scale and rotation on a pyramid of
grey pictures that are normalised to mean 0 and deviation 1, so that gain and offset do not count; then the correlation of what
both show. The margin of a picture does not count, so a border is no other picture. What would need a larger change than
`MAX_SCALE_CHANGE`, `MAX_ROTATION` and `MAX_SHIFT` is not the same picture, however well it correlates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Grey = npt.NDArray[np.float64]

MARGIN = 5 / 64  # of a side, on every side
MAX_SCALE_CHANGE = 0.15  # relative
MAX_ROTATION = 0.1  # radians, 5.7 degrees
MAX_SHIFT = 0.16  # of a side

_LEVELS = (4, 2, 1)  # a pixel of a level is the mean of so many times so many
_STEPS = (8, 6, 5)
_OCCLUDED = 0.05  # of the pixels: what a text or a logo may hide
_MIN_STRUCTURE = 0.6
_GRADIENT_PX = 9  # of 32 or so: a slope that is longer is light, not structure
_MIN_COMMON = 0.7  # of the pixels within the margin that both must show


def aligned_correlation(pictures: Grey, others: Grey) -> Grey:
    """Of each pair of square pictures (n, size, size) the correlation after alignment; 0 where none within the limits fits.

    0 too where only a gradient is alike: what is left without it has to correlate by `_STRUCTURE` at least.
    """
    if not len(pictures):
        return np.empty(0)
    change = np.zeros((len(pictures), 4))  # scale and turn as a complex number less 1, then right and down in sides
    for block, steps in zip(_LEVELS, _STEPS, strict=True):
        own, other = _block_means(pictures, block), _block_means(others, block)
        grid = _Grid(own.shape[1])
        for _ in range(steps):
            change = _clip_change(change + grid.step(own, other, change))
    last = _Grid(pictures.shape[1])
    moved, weight = last.moved(others, change)
    correlation = _correlation(pictures[:, *last.inner], moved, weight)
    fits = (weight.mean(axis=(1, 2)) >= _MIN_COMMON) & (np.abs(change) < _LIMITS).all(axis=1)
    return np.where(fits, correlation, 0.0)


def has_same_structure(pictures: Grey, others: Grey) -> npt.NDArray[np.bool_]:
    """Of each pair of square pictures (n, size, size) whether more than a gradient is alike, as they lie."""
    if not len(pictures):
        return np.empty(0, dtype=np.bool_)
    own, other = _block_means(pictures, 2), _block_means(others, 2)
    found: npt.NDArray[np.bool_] = _structure_correlation(own, other, np.ones_like(own)) >= _MIN_STRUCTURE
    return found


def _correlation(pictures: Grey, moved: Grey, weight: Grey) -> Grey:
    """Of means of 2 x 2 pixels, which resampling does not change, without the `_COVERED` that differ most, as under a text."""
    own, other, weight = (_block_means(some, 2) for some in (pictures, moved, weight))
    weight = np.floor(weight)
    wrong = np.abs(_normalise(own, weight) - _normalise(other, weight)) * weight
    weight = weight * (wrong <= np.quantile(wrong, 1 - _OCCLUDED, axis=(1, 2), keepdims=True))
    return np.where(_structure_correlation(own, other, weight) >= _MIN_STRUCTURE, _mean_product(own, other, weight), 0.0)


def _mean_product(own: Grey, other: Grey, weight: Grey) -> Grey:
    both = _normalise(own, weight) * _normalise(other, weight) * weight
    mean: Grey = both.sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1.0)
    return mean


def _structure_correlation(own: Grey, other: Grey, weight: Grey) -> Grey:
    """The correlation of what stands out from its surroundings: two calm surfaces under one slope of light have none.

    Near the edges the surroundings are not whole and leave some of the slope, so they do not count.
    """
    edge = _GRADIENT_PX // 2
    inner = (slice(None), slice(edge, -edge), slice(edge, -edge))
    return _mean_product(_remove_gradient(own)[inner], _remove_gradient(other)[inner], weight[inner])


def _remove_gradient(pictures: Grey) -> Grey:
    structure: Grey = pictures - ndimage.uniform_filter(pictures, (1, _GRADIENT_PX, _GRADIENT_PX), mode="nearest")
    return structure


_LIMITS = np.array([MAX_SCALE_CHANGE, MAX_ROTATION, MAX_SHIFT, MAX_SHIFT])


def _clip_change(change: Grey) -> Grey:
    return np.clip(change, -_LIMITS, _LIMITS)


class _Grid:
    """The pixels of a square picture that are within the margin, and where a change takes them."""

    def __init__(self, size: int) -> None:
        self.size = size
        cut = round(MARGIN * size)
        self.inner = (slice(cut, size - cut), slice(cut, size - cut))
        axis = np.arange(cut, size - cut) - (size - 1) / 2
        self.y, self.x = np.meshgrid(axis, axis, indexing="ij")

    def moved(self, pictures: Grey, change: Grey) -> tuple[Grey, Grey]:
        """(what each picture shows there, bilinear; 1 where that is within the picture, else 0)."""
        scale, turn, right, down = (change[:, k, None, None] for k in range(4))
        middle, most = (self.size - 1) / 2, self.size - 1
        x = (1 + scale) * self.x - turn * self.y + right * self.size + middle
        y = turn * self.x + (1 + scale) * self.y + down * self.size + middle
        within = (x >= 0) & (x <= most) & (y >= 0) & (y <= most)
        x, y = np.clip(x, 0, most), np.clip(y, 0, most)
        left, top = np.minimum(x.astype(np.int64), most - 1), np.minimum(y.astype(np.int64), most - 1)
        flat = pictures.reshape(len(pictures), -1)
        at = (top * self.size + left).reshape(len(pictures), -1)
        corners = [np.take_along_axis(flat, at + k, axis=1).reshape(x.shape) for k in (0, 1, self.size, self.size + 1)]
        x, y = x - left, y - top
        upper, lower = corners[0] * (1 - x) + corners[1] * x, corners[2] * (1 - x) + corners[3] * x
        return upper * (1 - y) + lower * y, within.astype(np.float64)

    def step(self, pictures: Grey, others: Grey, change: Grey) -> Grey:
        """By how much the change must grow, to first order."""
        moved, weight = self.moved(others, change)
        own, moved = _normalise(pictures[:, *self.inner], weight), _normalise(moved, weight)
        down, right = (np.gradient((own + moved) / 2, axis=axis) for axis in (1, 2))
        slopes = [right * self.x + down * self.y, down * self.x - right * self.y, right * self.size, down * self.size]
        steep = np.stack([slope * weight for slope in slopes], axis=1).reshape(len(own), 4, -1)
        normal = steep @ steep.transpose(0, 2, 1)
        normal += np.eye(4) * (1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 4 + 1e-9)
        wrong = ((own - moved) * weight).reshape(len(own), -1, 1)
        grown: Grey = np.linalg.solve(normal, steep @ wrong)[:, :, 0]
        return grown


def _block_means(pictures: Grey, block: int) -> Grey:
    size = pictures.shape[1] // block
    means: Grey = pictures.reshape(len(pictures), size, block, size, block).mean(axis=(2, 4))
    return means


def _normalise(pictures: Grey, weight: Grey) -> Grey:
    """With mean 0 and deviation 1 where `weight` is 1; flat pictures are 0."""
    count = np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1.0)
    level = pictures - (pictures * weight).sum(axis=(1, 2), keepdims=True) / count
    spread = np.sqrt((level**2 * weight).sum(axis=(1, 2), keepdims=True) / count)
    normalised: Grey = level / np.maximum(spread, 1e-9)
    return normalised
