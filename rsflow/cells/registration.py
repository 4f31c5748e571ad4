"""How far two pictures of one place are shifted against each other, measured to a fraction of a pixel, with a confidence.

One idea: what two sensors or dates share is where things have edges and which way these run, not how bright they are. Each
picture becomes channels of oriented gradients, normalised in every pixel (CFOG, Ye et al. 2019,
https://doi.org/10.1109/TGRS.2019.2924684), and the shift is where the masked correlation of the channels, by FFT, is highest; a
parabola through its neighbours gives the fraction. It works between optical, radar and infrared pictures alike.

The confidence is what windows of the picture say one by one: the share of them, by the lower end of Wilson's interval, whose
own best shift is that of the whole within `AGREE_PX`. Where a picture has too little structure or valid ground, where windows
disagree, or where the best shift lies on the border of the search, the shift is not known and the confidence is 0: never a
shift of 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from rsflow.spatial.geometry import FloatArray

ORIENTATIONS = 8
SMOOTH_PX = 1.0  # sigma, before gradients and of the channels
EDGE_PX = 4  # beside what is not valid, where gradients are those of the mask
STRUCTURE_PERCENTILE = 20  # of gradients, up to which they count as noise
MIN_VALID = 0.5  # share of a window that both pictures must show
MIN_OVERLAP = 0.5  # of the pixels known in both pictures at the best overlap, for a shift to count
WINDOWS = 4  # along the shorter side; neighbours overlap by half
MIN_WINDOW_PX = 32
MIN_WINDOWS = 3  # with fewer, agreement proves nothing
AGREE_PX = 1.5
WILSON_Z = 1.0  # standard deviations of the interval
MIN_CONFIDENCE = 0.3  # below it the shift is not known

Mask = npt.NDArray[np.bool_]
Channels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shift:
    """A thing at column x, row y of the first picture is at x + dx_px, y + dy_px of the second. None: not known."""

    dx_px: float | None
    dy_px: float | None
    confidence: float

    @property
    def length_px(self) -> float | None:
        return None if self.dx_px is None or self.dy_px is None else math.hypot(self.dx_px, self.dy_px)


UNKNOWN_SHIFT = Shift(None, None, 0.0)


@dataclass(frozen=True, slots=True)
class Structure:
    """Oriented gradients (channels, rows, cols) of a picture, 0 where `good` (rows, cols) is not."""

    channels: Channels
    good: Mask

    def window(self, row: int, col: int, height: int, width: int) -> Structure:
        inside = np.s_[row : row + height, col : col + width]
        return Structure(self.channels[:, *inside], self.good[inside])


def structure(picture: npt.NDArray[Any], valid: Mask | None = None) -> Structure:
    """Of a picture (rows, cols) or (rows, cols, bands), of any scale and unit. What is not finite is not valid."""
    grey = picture.astype(np.float32).mean(axis=2) if picture.ndim == 3 else picture.astype(np.float32)
    known = np.isfinite(grey) if valid is None else valid & np.isfinite(grey)
    if not known.any():
        return Structure(np.zeros((ORIENTATIONS, *grey.shape), np.float32), known)
    low, high = np.percentile(grey[known], (1, 99))
    scaled = np.clip((grey - low) / max(float(high - low), 1e-9), 0, 1)
    smooth = ndimage.gaussian_filter(np.where(known, scaled, np.median(scaled[known])), SMOOTH_PX)
    down, right = ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)
    angles = np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS
    oriented = [ndimage.gaussian_filter(np.abs(right * np.cos(a) + down * np.sin(a)), SMOOTH_PX) for a in angles]
    good = known if known.all() else ndimage.binary_erosion(known, iterations=EDGE_PX, border_value=1)
    channels = np.stack(oriented)
    strength = np.sqrt((channels**2).sum(axis=0))
    noise = float(np.percentile(strength[good], STRUCTURE_PERCENTILE)) if good.any() else 0.0
    channels = channels / (strength + max(noise, 1e-6)) * good
    mean = channels.sum(axis=(1, 2), keepdims=True) / max(int(good.sum()), 1)
    return Structure(((channels - mean) * good).astype(np.float32), good)


def measure_shift(first: Structure, second: Structure, max_shift_px: int) -> Shift:
    """The shift between two pictures of one size, searched up to `max_shift_px` in both directions."""
    if first.good.shape != second.good.shape:
        raise ValueError(f"pictures of {first.good.shape} and {second.good.shape} pixels: give both the same size")
    if min((first.good & second.good).mean(), *(1.0 * bool(one.channels.any()) for one in (first, second))) == 0:
        return UNKNOWN_SHIFT
    best = _best_shift(first, second, max_shift_px)
    if best is None:
        return UNKNOWN_SHIFT
    found = [_best_shift(*pair, max_shift_px) for pair in _windows(first, second, max_shift_px)]
    agreeing = sum(each is not None and math.dist(each, best) <= AGREE_PX for each in found)
    confidence = wilson_lower(agreeing, len(found)) if len(found) >= MIN_WINDOWS else 0.0
    if confidence < MIN_CONFIDENCE:
        return UNKNOWN_SHIFT
    return Shift(round(best[0], 3), round(best[1], 3), round(confidence, 3))


def measure_common_shift(pairs: Iterable[tuple[Structure, Structure]], max_shift_px: int) -> tuple[Shift, float]:
    """(the shift that all pairs of windows have in common, the median distance in pixels of their own shifts from it).

    The confidence is the share of pairs that agree, as in `measure_shift`; the distance is that of those which do.
    """
    total, found = np.zeros((4, 2 * max_shift_px + 1, 2 * max_shift_px + 1)), []
    for first, second in pairs:
        products = _shift_products(first, second, max_shift_px)
        total += products
        found.append(_find_peak(_correlation(products, MIN_OVERLAP * products[3].max())))
    best = _find_peak(_correlation(total, MIN_OVERLAP * total[3].max())) if len(found) >= MIN_WINDOWS else None
    if best is None:
        return UNKNOWN_SHIFT, 0.0
    distances = [math.dist(each, best) for each in found if each is not None and math.dist(each, best) <= AGREE_PX]
    confidence = wilson_lower(len(distances), len(found))
    if confidence < MIN_CONFIDENCE:
        return UNKNOWN_SHIFT, 0.0
    return Shift(round(best[0], 3), round(best[1], 3), round(confidence, 3)), round(float(np.median(distances)), 3)


def wilson_lower(successes: int, trials: int) -> float:
    """The lower end of Wilson's score interval at WILSON_Z (https://doi.org/10.1080/01621459.1927.10502953); 0 of no trials."""
    if not trials:
        return 0.0
    share, z2 = successes / trials, WILSON_Z**2
    spread = WILSON_Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, (share + z2 / (2 * trials) - spread) / (1 + z2 / trials))


def _windows(first: Structure, second: Structure, max_shift_px: int) -> list[tuple[Structure, Structure]]:
    """Overlapping windows of both pictures that show enough ground for a search of this reach."""
    height, width = first.good.shape
    side = max(2 * min(height, width) // (WINDOWS + 1), MIN_WINDOW_PX, 3 * max_shift_px)
    found = []
    for row in range(0, max(height - side, 0) + 1, max(side // 2, 1)):
        for col in range(0, max(width - side, 0) + 1, max(side // 2, 1)):
            pair = (first.window(row, col, side, side), second.window(row, col, side, side))
            if min(one.good.mean() for one in pair) >= MIN_VALID and all(one.channels.any() for one in pair):
                found.append(pair)
    return found


def _best_shift(first: Structure, second: Structure, max_shift_px: int) -> tuple[float, float] | None:
    """(dx, dy) of the highest correlation; None where it lies on the border of the search or there is none."""
    return _find_peak(_correlation(_shift_products(first, second, max_shift_px), 0.25 * first.good.size * MIN_VALID))


def _find_peak(surface: FloatArray) -> tuple[float, float] | None:
    reach = surface.shape[0] // 2
    row, col = np.unravel_index(int(np.argmax(surface)), surface.shape)
    if not (0 < row < surface.shape[0] - 1 and 0 < col < surface.shape[1] - 1) or surface[row, col] <= 0:
        return None
    dy = float(row) - reach + _parabola_vertex(*surface[row - 1 : row + 2, col])
    return float(col) - reach + _parabola_vertex(*surface[row, col - 1 : col + 2]), dy


def _shift_products(first: Structure, second: Structure, reach: int) -> FloatArray:
    """(4, 2 reach + 1, 2 reach + 1) by shift, from (-reach, -reach) on: the product of the channels, the energy of the first
    and of the second where both pictures are known, and how many pixels that are. Those of several pairs can be added."""
    height, width = first.good.shape
    # Room for every shift up to the reach, also where that is more than the side of the picture.
    shape = [fft.next_fast_len(max(side, reach + 1) + reach, real=True) for side in (height, width)]

    def transformed(planes: Any) -> Any:
        return fft.rfft2(planes.astype(np.float32), shape)

    def by_shift(spectrum: Any) -> FloatArray:
        found = np.roll(fft.irfft2(spectrum, shape), (reach, reach), (0, 1))
        return np.asarray(found[: 2 * reach + 1, : 2 * reach + 1], np.float64)

    mask, other_mask = transformed(first.good), transformed(second.good)
    product = by_shift((np.conj(transformed(first.channels)) * transformed(second.channels)).sum(axis=0))
    energy = by_shift(np.conj(transformed((first.channels**2).sum(axis=0))) * other_mask)
    other_energy = by_shift(np.conj(mask) * transformed((second.channels**2).sum(axis=0)))
    return np.stack([product, energy, other_energy, by_shift(np.conj(mask) * other_mask)])


def _correlation(products: FloatArray, least_px: float) -> FloatArray:
    """Masked correlation by shift; -1 where fewer than `least_px` pixels are known in both pictures."""
    product, energy, other_energy, overlap = products
    scale = np.sqrt(np.maximum(energy, 0) * np.maximum(other_energy, 0))
    enough = (overlap >= least_px) & (scale > 1e-3)
    return np.where(enough, product / np.maximum(scale, 1e-3), -1.0)


def _parabola_vertex(before: float, at: float, after: float) -> float:
    """Where the parabola through three neighbours is highest, in steps from the middle one."""
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
