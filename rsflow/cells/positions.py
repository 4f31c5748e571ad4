"""Where the pixels of a target grid lie in the pixels of a scene.

One idea: the mapping from the grid's coordinates to the scene's pixels is computed at the nodes of a net that is fixed to the
lattice (every `NODE_PX` pixels) and interpolated between them; where that would miss by more than `max_error_px` in the middle
of a mesh, the mesh is computed pixel by pixel. A pixel's position depends on its own mesh only, never on the window that is
asked for: GDAL's warper approximates along the scanlines of each chunk, and gives one pixel several values.

Positions are rounded to `DIGITS` of a pixel, so that the noise of floating point decides no tie between two source pixels, and
a scene that already lies on the grid comes back unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rsflow.cells.target_grid import TargetGrid
from rsflow.spatial.geometry import FloatArray, Window

NODE_PX = 32
DIGITS = 6

# x and y of the grid's reference system to column and row of the scene (0 is the outer edge of the first pixel); not finite
# where the scene has no place for them.
Mapping = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


def sample_positions(
    grid: TargetGrid, window: Window, samples: int, mapping: Mapping, max_error_px: float
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows in the scene, each (rows, cols) of the window times `samples`: the middles of equal parts of each pixel.

    `samples` x `samples` such parts make a pixel; 1 gives the pixels' middles. `max_error_px`: of the scene, by interpolation.
    """
    rows = _part_middles(grid.row + window.row_off, window.height_px, samples)
    cols = _part_middles(grid.col + window.col_off, window.width_px, samples)
    first_row, first_col = int(rows[0] // NODE_PX), int(cols[0] // NODE_PX)
    mesh_rows, mesh_cols = int(rows[-1] // NODE_PX) + 1 - first_row, int(cols[-1] // NODE_PX) + 1 - first_col
    node_rows = NODE_PX * (first_row + np.arange(mesh_rows + 1.0))
    node_cols = NODE_PX * (first_col + np.arange(mesh_cols + 1.0))
    nodes = _map_nodes(grid, mapping, node_rows, node_cols)
    middles = _map_nodes(grid, mapping, node_rows[:-1] + NODE_PX / 2, node_cols[:-1] + NODE_PX / 2)
    found = _interpolate(nodes, rows / NODE_PX - first_row, cols / NODE_PX - first_col)
    exact = _find_inexact_meshes(nodes, middles, max_error_px)
    if exact.any():
        _compute_meshes(found, exact, grid, mapping, rows, cols, first_row, first_col)
    columns_of, rows_of = np.round(found, DIGITS)
    return columns_of, rows_of


def affine_positions(
    grid: TargetGrid, window: Window, samples: int, to_pixels: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """The same for a scene in the grid's own reference system. `to_pixels`: a, b, c, d, e, f from x, y to column, row.

    Without rotation the columns are (1, cols) and the rows (rows, 1).
    """
    rows = _part_middles(grid.row + window.row_off, window.height_px, samples)
    cols = _part_middles(grid.col + window.col_off, window.width_px, samples)
    xs, ys = grid.coordinates(cols[None, :], rows[:, None])
    a, b, c, d, e, f = to_pixels
    columns_of = a * xs + c if b == 0 else a * xs + b * ys + c
    rows_of = e * ys + f if d == 0 else d * xs + e * ys + f
    return np.round(columns_of, DIGITS), np.round(rows_of, DIGITS)


def source_pixels_per_pixel(grid: TargetGrid, mapping: Mapping, col: float, row: float) -> float:
    """How many of the scene's pixels a pixel of the grid is long, in the direction in which it is most, about a position."""
    right, down = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    columns_of, rows_of = mapping(*grid.coordinates(grid.col + col + right, grid.row + row + down))
    sides = np.hypot(columns_of[1:] - columns_of[0], rows_of[1:] - rows_of[0])
    return float(sides.max())


def _part_middles(first: int, count: int, samples: int) -> FloatArray:
    """Middles of the parts of so many pixels, in pixels of the lattice."""
    return (np.arange(first * samples, (first + count) * samples) + 0.5) / samples


def _map_nodes(grid: TargetGrid, mapping: Mapping, rows: FloatArray, cols: FloatArray) -> FloatArray:
    """(2, rows, cols): column and row in the scene of the points of a net."""
    xs, ys = grid.coordinates(*np.meshgrid(cols, rows))
    found = np.stack(mapping(xs.ravel(), ys.ravel())).reshape(2, *xs.shape)
    found[:, ~np.isfinite(found).all(axis=0)] = np.nan
    return found


def _interpolate(nodes: FloatArray, rows: FloatArray, cols: FloatArray) -> FloatArray:
    """Bilinear between nodes, at positions in meshes."""
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    down, right = (rows - i)[:, None], cols - j
    left, after = nodes[:, :, j], nodes[:, :, j + 1]
    across = left + (after - left) * right
    found: FloatArray = across[:, i] + (across[:, i + 1] - across[:, i]) * down
    return found


def _find_inexact_meshes(nodes: FloatArray, middles: FloatArray, max_error_px: float) -> npt.NDArray[np.bool_]:
    """(mesh rows, mesh cols): where interpolation misses, or a corner or the middle has no place."""
    mean = (nodes[:, :-1, :-1] + nodes[:, 1:, :-1] + nodes[:, :-1, 1:] + nodes[:, 1:, 1:]) / 4
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(mean - middles).max(axis=0) <= max_error_px))


def _compute_meshes(
    found: FloatArray,
    exact: npt.NDArray[np.bool_],
    grid: TargetGrid,
    mapping: Mapping,
    rows: FloatArray,
    cols: FloatArray,
    first_row: int,
    first_col: int,
) -> None:
    """Replace the positions in the meshes that are `exact` by what the mapping gives for each."""
    mesh_of_row = (rows // NODE_PX).astype(int) - first_row
    mesh_of_col = (cols // NODE_PX).astype(int) - first_col
    which = exact[mesh_of_row[:, None], mesh_of_col[None, :]]
    i, j = np.nonzero(which)
    found[:, i, j] = np.stack(mapping(*grid.coordinates(cols[j], rows[i])))
