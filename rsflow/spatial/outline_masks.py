"""Masks of outlines: a pixel belongs to an area where its middle is inside, under the even-odd rule over all rings.

Outlines traced along the edges of pixels come back pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def rasterise_rings(rings: Iterable[Sequence[float]], rows: int, cols: int, scale: tuple[float, float] = (1.0, 1.0)) -> Mask:
    """(rows, cols), True inside the rings x0, y0, x1, y1, …, whose x and y are first multiplied by `scale`."""
    mask = np.zeros((rows, cols), dtype=np.bool_)
    for ring in rings:
        mask ^= _inside(np.asarray(ring, dtype=np.float64).reshape(-1, 2) * np.array(scale), rows, cols)
    return mask


def _inside(points: npt.NDArray[np.float64], rows: int, cols: int) -> Mask:
    """(rows, cols): where the middle of a pixel is inside the ring of `points` (n, 2), by the crossings to its left."""
    following = np.roll(points, -1, axis=0)
    crossings = np.zeros((rows, cols + 1), dtype=np.int64)
    for (x0, y0), (x1, y1) in zip(points, following, strict=True):
        if y0 == y1:
            continue
        top, bottom = sorted((y0, y1))
        hit = np.arange(max(0, int(np.ceil(top - 0.5))), min(rows, int(np.ceil(bottom - 0.5))))
        at = x0 + (hit + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        first = np.clip(np.ceil(at - 0.5), 0, cols).astype(np.int64)  # the first pixel whose middle is right of the crossing
        np.add.at(crossings, (hit, first), 1)
    inside: Mask = crossings[:, :cols].cumsum(axis=1) % 2 == 1
    return inside
