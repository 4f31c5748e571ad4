"""Which windows a scene is cut into.

One idea: every pixel is in a window, every window has the full size (those at the far edges are moved inward and so overlap
their neighbours), and the order is by rows, so that windows follow the blocks of the file. A scene that is smaller than a tile
in a direction has one window of its own size there. All of it follows from the numbers given, never from content.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.config.settings import Tiles
from rsflow.spatial.geometry import Window

CHUNK_TILES = 16
MB = 1_000_000


def cover_windows(height_px: int, width_px: int, size_px: int, overlap_px: int = 0) -> list[Window]:
    """The fewest windows of `size_px` that cover the scene with at least `overlap_px` in common, by rows."""
    height, width = min(size_px, height_px), min(size_px, width_px)
    cols = _starts(width_px, size_px, overlap_px)
    return [Window(row, col, height, width) for row in _starts(height_px, size_px, overlap_px) for col in cols]


def tile_windows(height_px: int, width_px: int, settings: Tiles, is_picture: bool) -> list[Window]:
    """A scene's windows by the settings; a plain picture of at most `whole_up_to_px` stays whole.

    `settings.small` does not matter here: "pad" gives the same window, filled up after reading (rsflow.tiles.render.pad_to).
    """
    if is_picture and max(height_px, width_px) <= settings.whole_up_to_px:
        return [Window(0, 0, height_px, width_px)]
    return cover_windows(height_px, width_px, settings.size_px, settings.overlap_px)


def group_windows(cut: Sequence[Window], bytes_per_pixel: int, unit_mb: float) -> list[list[int]]:
    """Positions of windows in runs of neighbours whose pixels fill at most `unit_mb` million bytes (one window at least)."""
    groups: list[list[int]] = []
    room = 0.0
    for index, window in enumerate(cut):
        need = window.height_px * window.width_px * bytes_per_pixel
        if need > room or not groups:
            groups.append([])
            room = unit_mb * MB
        groups[-1].append(index)
        room -= need
    return groups


def chunk_index(index: int) -> int:
    """The group of neighbouring tiles that a scene's tile number `index` belongs to."""
    return index // CHUNK_TILES


def _starts(extent_px: int, size_px: int, overlap_px: int) -> list[int]:
    last = extent_px - size_px
    return [*range(0, last, size_px - overlap_px), last] if last > 0 else [0]
