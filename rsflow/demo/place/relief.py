"""Smooth seeded noise on the ground, and the coast that is made of it.

One idea: noise belongs to the ground, not to a picture. Its random values sit on a lattice in metres, so that sensors of any
pixel size that look at the same point see the same value. Only elementwise arithmetic is used: no BLAS, whose sums depend on
the number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]
Axis = npt.NDArray[np.floating[Any]]


def smooth_noise(seed: int, side_m: float, scale_m: float, xs: Axis, ys: Axis) -> FloatImage:
    """Noise of mean 0 and variance near 1 at the points ys x xs (metres): an array (len(ys), len(xs)).

    Cubic B-spline through random lattice values `scale_m` apart; points must lie in [-side_m / 4, 5 side_m / 4].
    """
    margin = side_m / 4 + 2 * scale_m
    count = math.ceil((side_m + 2 * margin) / scale_m) + 4
    lattice = np.random.default_rng([seed, round(scale_m * 1000)]).standard_normal((count, count), dtype=np.float32)
    columns = np.ascontiguousarray(_spline((xs + margin) / scale_m, lattice.T).T)
    # Each axis keeps about 0.48 of the lattice's standard deviation (0.479 is the mean of the weights' sum of squares).
    return _spline((ys + margin) / scale_m, columns) / np.float32(0.479)


def _spline(at: Axis, values: FloatImage) -> FloatImage:
    """Interpolate the first axis of `values` (count, n) at lattice positions `at` (m,): (m, n)."""
    first = np.floor(at).astype(np.intp)
    t = (at - first).astype(np.float32)[:, None]
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    out = np.zeros((at.size, values.shape[1]), dtype=np.float32)
    for offset, weight in enumerate(weights):
        out += values[first + offset] * (weight / np.float32(6))
    return out


def fractal_noise(seed: int, side_m: float, scale_m: float, octaves: int, xs: Axis, ys: Axis) -> FloatImage:
    """Octaves of `smooth_noise`, each half as wide and half as strong; variance near 1."""
    total = np.zeros((ys.size, xs.size), dtype=np.float32)
    for octave in range(octaves):
        total += smooth_noise(seed + 101 * octave, side_m, scale_m / 2**octave, xs, ys) * np.float32(0.5**octave)
    return total / np.float32(math.sqrt(sum(0.25**octave for octave in range(octaves))))


def coast_distance(seed: int, side_m: float, xs: Axis, ys: Axis) -> FloatImage:
    """Roughly the distance from the coast in metres, positive on land: sea in the south-west, a lake in the south-east."""
    x, y = xs[None, :] / side_m, ys[:, None] / side_m
    slope = x - 0.22 * y - 0.27
    lake = 0.5 * np.exp(-((x - 0.8) ** 2 + (y - 0.8) ** 2) / 0.006)
    wiggle = fractal_noise(seed + 11, side_m, side_m / 5, 7, xs, ys)
    return ((slope - lake) * side_m).astype(np.float32) + wiggle * np.float32(0.055 * side_m)


def smoothstep(value: npt.NDArray[Any], low: float, high: float) -> FloatImage:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1).astype(np.float32)
    eased: FloatImage = t * t * (3 - 2 * t)
    return eased
