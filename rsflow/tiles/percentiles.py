"""Percentiles of pixels: numpy's own, and for numbers of up to 16 bits the same from a histogram, in a quarter of the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def percentiles(values: npt.NDArray[Any], percents: Sequence[float]) -> list[float]:
    """What `numpy.percentile` gives by its linear method, bit for bit. `values`: (n,), at least one."""
    if values.dtype not in (np.uint8, np.uint16):
        return [float(value) for value in np.percentile(values, percents)]
    ends = np.cumsum(np.bincount(values))
    return [_interpolate(ends, percent) for percent in percents]


def _interpolate(ends: npt.NDArray[np.int64], percent: float) -> float:
    """A percentile between the two values next to it in order. `ends`: how many values are at most 0, 1, 2 ..."""
    last = int(ends[-1]) - 1
    position = last * (percent / 100)
    before = int(position)
    share = position - before
    low, high = (float(np.searchsorted(ends, min(each, last), side="right")) for each in (before, before + 1))
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)  # as numpy rounds
