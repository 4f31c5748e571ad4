"""The eight ways in which one picture can lie: four quarter turns, each also as a mirror image.

An orientation is a number, 0 as it is, and `apply_orientation` is the only place that knows what it does to pixels. A
relation "a shows what b shows in orientation k" is read from the other side as "b shows what a shows in orientation
INVERSE[k]".
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)

ORIENTATIONS = 8
INVERSE_ORIENTATION = np.array([0, 3, 2, 1, 4, 5, 6, 7])  # a mirror image is its own inverse, also of a turned picture


def apply_orientation(picture: npt.NDArray[Number], orientation: int) -> npt.NDArray[Number]:
    """The picture (rows, cols, …) turned `orientation % 4` quarters against the clock; from 4 on, flipped sideways first."""
    flipped = picture[:, ::-1] if orientation >= 4 else picture
    return np.ascontiguousarray(np.rot90(flipped, orientation % 4))
