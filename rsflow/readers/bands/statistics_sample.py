"""How much of a scene is read to learn its statistics.

One idea: bounded reading. A scene that is small, or has overviews in its file, is decimated as a whole (nearest pixel, so that
no fill value is blended in). One that would have to be decoded entirely, more than `CHEAP_PX`, is read at 8 x 8 places spread
evenly over it instead, each a square of full-resolution pixels inside one block where it fits: the result is a mosaic, good
for statistics only. Which way is taken depends on the file alone, so every worker sees the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rsflow.records import Raster
from rsflow.spatial.geometry import Window

CHEAP_PX = 64_000_000
PLACES = 8  # along each side


def decimated_shape(height_px: int, width_px: int, max_px: int) -> tuple[int, int]:
    """(rows, cols) of the whole scene with its longer side at most `max_px`; its own shape where it is no larger."""
    scale = min(1.0, max_px / max(height_px, width_px))
    return max(1, round(height_px * scale)), max(1, round(width_px * scale))


def cell_starts(extent_px: int, cell_px: int, block_px: int) -> list[int]:
    """Where cells of `cell_px` start along a side: evenly spread, moved so as not to straddle two blocks where that can be."""
    last = max(0, extent_px - cell_px)
    starts = {last * i // (PLACES - 1) for i in range(PLACES)}
    if cell_px <= block_px:
        starts = {
            start if start // block_px == (start + cell_px - 1) // block_px else _next(start, block_px) for start in starts
        }
    return sorted({min(start, last) for start in starts})


def sample_cells(read: Callable[[Window], Raster], shape: tuple[int, int], block_shape: tuple[int, int], max_px: int) -> Raster:
    """A mosaic of full-resolution cells from all over a scene of `shape` (rows, cols); no side longer than `max_px`."""
    cell = max(1, max_px // PLACES)
    height, width = min(cell, shape[0]), min(cell, shape[1])
    tops, lefts = cell_starts(shape[0], height, block_shape[0]), cell_starts(shape[1], width, block_shape[1])
    rows = [[read(Window(top, left, height, width)) for left in lefts] for top in tops]
    return Raster(
        np.concatenate([np.concatenate([cell.pixels for cell in row], axis=2) for row in rows], axis=1),
        np.concatenate([np.concatenate([cell.valid for cell in row], axis=1) for row in rows], axis=0),
        rows[0][0].bands,
    )


def _next(start: int, block_px: int) -> int:
    return (start // block_px + 1) * block_px
