"""Rasters on grids of their own, read on the grid of a tile.

Values are sampled (nearest neighbour) at the middles of the tile's pixels; where the raster is finer, at those of equal
parts of them, at most `MOST_PARTS` along an axis, so that shares follow the raster's own pixels. Where several files
hold a place, the first has it. Places without a value in any file, or with its nodata value, are invalid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject
from rasterio.windows import Window as RasterWindow

from rsflow.errors import ConfigError, DataError
from rsflow.ground.scene_grid import SceneGrid, project_box, transformer
from rsflow.readers import gdal
from rsflow.spatial.geometry import Box, Window, boxes_overlap

MOST_PARTS = 8
STRIP_PIXELS = 1 << 24  # read at a time for a digest

Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RasterFile:
    """`crs` as PROJ spells it; `transform` a, b, c, d, e, f from (column, row) to its coordinates; `bounds` in these."""

    path: str
    crs: str
    transform: tuple[float, float, float, float, float, float]
    bounds: Box


def describe_raster(path: str, band: int, crs: str | None, where: str) -> RasterFile:
    """ConfigError where it is no raster with such a band and a place on the ground."""
    try:
        with gdal.environment(path), gdal.translate_errors(path), rasterio.open(gdal.gdal_path(path)) as source:
            own = crs or (source.crs.to_wkt() if source.crs else None)
            count, bounds, transform = source.count, tuple(source.bounds), tuple(source.transform)[:6]
    except DataError as error:
        raise ConfigError(f"{where}: {error.detail}") from error
    if band > count:
        raise ConfigError(f"{where}: {path} has {count} bands, options.band asks for {band}")
    if own is None or transform == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
        problem = (
            "names no coordinate reference system: state it with options.crs" if own is None else "has no place on the ground"
        )
        raise ConfigError(f"{where}: {path} {problem}")
    left, bottom, right, top = bounds
    return RasterFile(path, own, transform, (min(left, right), min(bottom, top), max(left, right), max(bottom, top)))


def read_band_tags(file: RasterFile, band: int) -> tuple[float | None, str]:
    """(the value that stands for none, the unit of the values, empty where it is not stated), as the file has them."""
    with gdal.environment(file.path), gdal.translate_errors(file.path), rasterio.open(gdal.gdal_path(file.path)) as source:
        return source.nodatavals[band - 1], (source.units[band - 1] or "").strip()


def sample_tile(
    files: Sequence[RasterFile], band: int, grid: SceneGrid, window: Window, nodata: float | None = None
) -> tuple[Values, Mask, int]:
    """(values, valid, k): arrays (k * rows, k * cols) of samples, k * k to a pixel of the tile. `nodata` beats the files' own.

    DataError for a damaged file.
    """
    parts = _samples_per_pixel(files[0], grid, window) if files else 1
    a, b, c, d, e, f = grid.transform
    target = Affine(a, b, c, d, e, f) @ Affine.translation(window.col_off, window.row_off) @ Affine.scale(1 / parts)
    shape = (window.height_px * parts, window.width_px * parts)
    found, valid = np.zeros(shape), np.zeros(shape, np.bool_)
    for file in files:
        values, exists = _warp(file, band, grid.crs, target, shape, nodata)
        fresh = exists & ~valid
        found[fresh] = values[fresh]
        valid |= exists
    return found, valid, parts


def _warp(
    file: RasterFile, band: int, crs: str, target: Affine, shape: tuple[int, int], nodata: float | None
) -> tuple[Values, Mask]:
    with gdal.environment(file.path), gdal.translate_errors(file.path):
        source = _open_raster(file.path)
        values = np.full(shape, np.nan)
        reproject(
            rasterio.band(source, band),
            values,
            src_crs=file.crs,
            dst_crs=crs,
            dst_transform=target,
            src_nodata=source.nodatavals[band - 1] if nodata is None else nodata,
            dst_nodata=np.nan,
            resampling=Resampling.nearest,
        )
        scale, offset = source.scales[band - 1], source.offsets[band - 1]
    valid = np.isfinite(values)
    return np.where(valid, values * scale + offset, 0.0), valid


@lru_cache(maxsize=16)
def _open_raster(path: str) -> Any:
    return rasterio.open(gdal.gdal_path(path))


def raster_pixels(file: RasterFile, grid: SceneGrid, window: Window) -> float:
    """How many pixels of the raster the window is as large as; 0 where the raster's projection has no place for it."""
    across, down = _pixel_spans(file, grid, window)
    return across * window.width_px * down * window.height_px if math.isfinite(across * down) else 0.0


def _samples_per_pixel(file: RasterFile, grid: SceneGrid, window: Window) -> int:
    """How many samples a pixel of the tile needs along an axis: as many as it spans pixels of the raster."""
    spans = _pixel_spans(file, grid, window)
    return min(MOST_PARTS, max(1, math.ceil(max(spans) - 0.01))) if all(map(math.isfinite, spans)) else 1


def _pixel_spans(file: RasterFile, grid: SceneGrid, window: Window) -> tuple[float, float]:
    """Width and height of the pixel in the window's middle, in pixels of the raster."""
    col, row = (window.col_off + window.col_stop) / 2, (window.row_off + window.row_stop) / 2
    xs, ys = grid.coordinates(np.array([col, col + 1, col]), np.array([row, row, row + 1]))
    xs, ys = transformer(grid.crs, file.crs).transform(xs, ys)
    cols, rows = SceneGrid(file.crs, file.transform).pixels(xs, ys)
    return math.hypot(cols[1] - cols[0], rows[1] - rows[0]), math.hypot(cols[2] - cols[0], rows[2] - rows[0])


def files_around(files: Sequence[RasterFile], grid: SceneGrid, window: Box) -> list[RasterFile]:
    """Those whose extent meets a window of a scene, in their order."""
    near = grid.bounds(window)
    return [file for file in files if any(boxes_overlap(file.bounds, box) for box in project_box(file.crs, near, grid.crs))]


def values_around(file: RasterFile, band: int, grid: SceneGrid, window: Box) -> Any:
    """Strips of stored values (rows, cols) of the raster's own pixels that a window of a scene may show, from the top."""
    boxes = project_box(file.crs, grid.bounds(window), grid.crs)
    with ExitStack() as stack:
        stack.enter_context(gdal.environment(file.path))
        stack.enter_context(gdal.translate_errors(file.path))
        source = stack.enter_context(rasterio.open(gdal.gdal_path(file.path)))
        for box in boxes:
            x0, y0, x1, y1 = (
                max(box[0], file.bounds[0]),
                max(box[1], file.bounds[1]),
                min(box[2], file.bounds[2]),
                min(box[3], file.bounds[3]),
            )
            if x0 < x1 and y0 < y1:
                yield from _strips(source, band, file, (x0, y0, x1, y1))


def _strips(source: Any, band: int, file: RasterFile, box: Box) -> Any:
    x0, y0, x1, y1 = box
    cols, rows = SceneGrid(file.crs, file.transform).pixels(np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1]))
    left, right = max(0, math.floor(cols.min())), min(source.width, math.ceil(cols.max()))
    top, bottom = max(0, math.floor(rows.min())), min(source.height, math.ceil(rows.max()))
    step = max(1, STRIP_PIXELS // max(1, right - left))
    for start in range(top, bottom, step):
        yield source.read(band, window=RasterWindow(left, start, right - left, min(step, bottom - start)))
