"""Tiles of one scene that show mostly the same pixels, found by their windows.

A scene slightly larger than a tile is covered by tiles that are shifted inward and nearly equal. The best tile of such a group
is kept, and each dropped tile shares its pixels with one that is kept; a chain of overlaps, as along a narrow scene, drops
nothing that is not covered.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from rsflow.curation.connected_components import Indices
from rsflow.curation.value_codes import value_codes

MIN_SHARED_AREA = 0.8  # of a tile's pixels that another one shows too: then one of the two is enough

_BLOCK = 1 << 17


def overlapping_tiles(tiles: pa.Table, best_first: Indices) -> Indices:
    """(row that stays, row that it covers): of one scene, the windows share at least `MIN_SHARED_AREA` of either's pixels.

    `tiles` has scene_id, row_off, col_off, height_px and width_px. Every row is covered once at most, none that covers is.
    """
    windows = np.stack([_as_floats(tiles[name]) for name in ("col_off", "row_off", "width_px", "height_px")], axis=1)
    pairs = _overlapping_pairs(windows, value_codes(tiles["scene_id"]))
    rank = np.empty(len(best_first), dtype=np.int64)
    rank[best_first] = np.arange(len(best_first))
    ranks = np.sort(rank[pairs], axis=1)
    covered: set[int] = set()
    found = []
    for better, worse in np.unique(ranks, axis=0).tolist():
        if better not in covered and worse not in covered:
            covered.add(worse)
            found.append((better, worse))
    return best_first[np.array(found, dtype=np.int64).reshape(-1, 2)]


def _overlapping_pairs(windows: np.ndarray[tuple[int, int], np.dtype[np.float64]], scenes: Indices) -> Indices:
    """Pairs of rows of one scene whose windows share that much."""
    rows = np.flatnonzero((np.bincount(scenes)[scenes] > 1) & ~np.isnan(windows).any(axis=1))
    if not len(rows):
        return np.empty((0, 2), dtype=np.int64)
    left, top, width, height = windows[rows].T
    # Scenes lie side by side on one plane, far enough apart that no two meet.
    middle_x, middle_y = left + width / 2 + scenes[rows] * 2.0 * (np.max(left + width) + 1), top + height / 2
    tree = shapely.STRtree(shapely.points(middle_x, middle_y))
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        across, down = (1 - MIN_SHARED_AREA) * width[part], (1 - MIN_SHARED_AREA) * height[part]
        x, y = middle_x[part], middle_y[part]
        a, b = tree.query(shapely.box(x - across, y - down, x + across, y + down))
        found.append(np.stack([a + start, b], axis=1)[a + start < b])
    pairs = np.concatenate(found)
    a, b = pairs.T
    shared = _shared_length(left, width, a, b) * _shared_length(top, height, a, b)
    larger = np.maximum((width * height)[a], (width * height)[b])
    covering: Indices = rows[pairs[shared >= MIN_SHARED_AREA * larger]]
    return covering


def _shared_length(
    start: np.ndarray[tuple[int], np.dtype[np.float64]],
    size: np.ndarray[tuple[int], np.dtype[np.float64]],
    a: Indices,
    b: Indices,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shared: np.ndarray[tuple[int], np.dtype[np.float64]] = np.clip(
        np.minimum((start + size)[a], (start + size)[b]) - np.maximum(start[a], start[b]), 0, None
    )
    return shared


def _as_floats(values: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(values.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
