"""The class of each pixel of a tile, from the class rasters that lie on its scene's ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rsflow.changes.cover_changes import ClassMap
from rsflow.ground.files.raster_files import RasterFile, sample_tile
from rsflow.ground.raster_layer import RasterLayer
from rsflow.ground.scene_grid import SceneGrid, transformer
from rsflow.spatial.geometry import Window


def read_class_map(layer: RasterLayer, grid: SceneGrid, window: Window) -> ClassMap:
    """The classes at the middles of a window's pixels. What the legend gives no name is not known."""
    values, known, parts = sample_tile(layer.files, layer.band, grid, window, layer.nodata)
    middle = np.s_[parts // 2 :: parts, parts // 2 :: parts]
    names = tuple(sorted({name for _, name in layer.legend if name}))
    codes = np.full((window.height_px, window.width_px), -1, np.int16)
    for value, name in layer.legend:
        if name:
            codes[known[middle] & (values[middle] == value)] = names.index(name)
    return ClassMap(codes, names, max(_pixel_px(file, grid, window) for file in layer.files), layer.name)


def different_maps(before: Sequence[RasterLayer], after: Sequence[RasterLayer]) -> tuple[RasterLayer, RasterLayer] | None:
    """The first class rasters of two dates that are not the same files; None where both dates have the same maps."""
    shared = {_file_paths(layer) for layer in before} & {_file_paths(layer) for layer in after}
    mine, theirs = (
        [one for one in layers if one.kind == "cover" and _file_paths(one) not in shared] for layers in (before, after)
    )
    return (mine[0], theirs[0]) if mine and theirs else None


def _file_paths(layer: RasterLayer) -> tuple[str, ...]:
    return tuple(sorted(file.path for file in layer.files))


def _pixel_px(file: RasterFile, grid: SceneGrid, window: Window) -> float:
    """The longer side of a raster's pixel in pixels of the tile, in the middle of the window."""
    col, row = window.col_off + window.width_px / 2, window.row_off + window.height_px / 2
    own = SceneGrid(file.crs, file.transform)
    xs, ys = grid.coordinates(np.array([col]), np.array([row]))
    cols, rows = own.pixels(*transformer(grid.crs, file.crs).transform(xs, ys))
    steps = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    xs, ys = own.coordinates(cols + steps[0], rows + steps[1])
    px, py = grid.pixels(*transformer(file.crs, grid.crs).transform(xs, ys))
    return float(max(math.hypot(px[1] - px[0], py[1] - py[0]), math.hypot(px[2] - px[0], py[2] - py[0])))
