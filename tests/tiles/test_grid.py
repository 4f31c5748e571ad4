"""Laws of the grid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.config.settings import Tiles
from rsflow.spatial.geometry import Window
from rsflow.tiles.grid import CHUNK_TILES, chunk_index, cover_windows, group_windows, tile_windows

sides = st.integers(1, 120)
law = settings(max_examples=60, deadline=None)


@st.composite
def grids(draw):
    size = draw(st.integers(1, 90))
    step = draw(st.integers(max(1, size // 8), size))
    return draw(sides), draw(sides), size, size - step


@law
@given(grids())
def test_every_pixel_is_covered_by_windows_of_full_size_inside_the_scene(grid):
    height, width, size, _ = grid
    covered = np.zeros((height, width), bool)
    for window in cover_windows(*grid):
        assert (window.height_px, window.width_px) == (min(size, height), min(size, width))
        assert window.row_off >= 0
        assert window.col_off >= 0
        assert window.row_stop <= height
        assert window.col_stop <= width
        covered[window.row_off : window.row_stop, window.col_off : window.col_stop] = True
    assert covered.all()


@law
@given(grids())
def test_windows_are_distinct_in_row_order_and_no_more_than_needed(grid):
    height, width, size, overlap = grid
    cut = cover_windows(*grid)
    assert cut == sorted(set(cut))
    assert cut == cover_windows(*grid)

    def fewest(extent):
        return 1 if extent <= size else -(-(extent - size) // (size - overlap)) + 1

    assert len(cut) == fewest(height) * fewest(width)


@law
@given(grids())
def test_neighbours_share_at_least_the_overlap(grid):
    _, _, size, overlap = grid
    cols = sorted({window.col_off for window in cover_windows(*grid)})
    assert all(left + size - right >= overlap for left, right in pairwise(cols))


@law
@given(grids(), st.integers(1, 30), st.floats(0.00001, 0.5))
def test_groups_hold_every_window_once_in_order_and_within_the_limit(grid, pixel_bytes, unit_mb):
    cut = cover_windows(*grid)
    groups = group_windows(cut, pixel_bytes, unit_mb)
    assert [index for group in groups for index in group] == list(range(len(cut)))
    for group in groups:
        size = sum(cut[index].height_px * cut[index].width_px * pixel_bytes for index in group)
        assert len(group) == 1 or size <= unit_mb * 1e6
    # No two neighbouring groups would have fitted into one by their first window.
    for before, after in pairwise(groups):
        together = [*before, after[0]]
        assert sum(cut[index].height_px * cut[index].width_px * pixel_bytes for index in together) > unit_mb * 1e6


def test_no_windows_make_no_groups():
    assert group_windows([], 3, 96.0) == []


def test_a_small_scene_is_one_window_and_a_plain_picture_stays_whole():
    whole = Tiles(size_px=512, whole_up_to_px=1024)
    assert tile_windows(300, 200, whole, False) == [Window(0, 0, 300, 200)]
    assert tile_windows(300, 800, whole, False) == [Window(0, 0, 300, 512), Window(0, 288, 300, 512)]
    assert tile_windows(1024, 800, whole, True) == [Window(0, 0, 1024, 800)]
    assert len(tile_windows(1025, 800, whole, True)) == 6
    assert len(tile_windows(1024, 800, whole, False)) == 4
    assert tile_windows(300, 200, Tiles(small="pad"), False) == [Window(0, 0, 300, 200)]


@given(st.integers(0, 10_000))
def test_chunks_are_runs_of_neighbours(index):
    assert chunk_index(index + CHUNK_TILES) == chunk_index(index) + 1
    assert chunk_index(index) <= chunk_index(index + 1) <= chunk_index(index) + 1
