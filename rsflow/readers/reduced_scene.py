"""A scene at a coarser scale: a reader over another reader, with the same contract.

One idea: a pixel of the reduced scene is the mean of `factor` x `factor` pixels of the scene as it is stored, counted from its
upper left corner, so a box at one scale is the same box at the other, divided by the factor; the last row and column stand for
what is left. The file's overviews are read where they can be trusted (`SceneReader.coarser`), else the stored pixels, piece by
piece. A window equals the same window of the whole reduced scene.

Only pixels with a value enter a mean, and a pixel has a value where at least half of what it covers has; class bands take the
pixel under the middle. Statistics are those of the scene as it is stored.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.cells import resample
from rsflow.readers.contract import CLASS_BANDS, SceneInfo, SceneReader, check_inside
from rsflow.readers.warped_scene import halves, present_pixels
from rsflow.records import Raster
from rsflow.spatial.geometry import FloatArray, Window

MAX_READ_PX = 4_000_000  # of the source, at a time
EDGE_DIGITS = 6  # of the places where pixels begin in the source: hides the error of a ratio


class ReducedScene(SceneReader):
    """`scene` as stored, `factor` times coarser. Closes the scene."""

    def __init__(self, scene: SceneReader, factor: int) -> None:
        self.scene = scene
        self.factor = factor
        self._source = scene.coarser(float(factor)) or scene
        stored, source = scene.info, self._source.info
        # An overview may hold a fraction of a pixel more than its own factor says.
        self._row_step = factor * source.height_px / stored.height_px
        self._col_step = factor * source.width_px / stored.width_px
        self.info = reduced_info(stored, factor)
        self.block_shape = scene.block_shape
        if (locate := scene.locate) is not None:
            self.locate = lambda cols, rows: locate(cols * factor, rows * factor)
        classes = [band in CLASS_BANDS for band in self.info.bands]
        self._votes = [not is_class or all(classes) for is_class in classes]  # of which bands make a pixel valid

    @property
    def reads_overview(self) -> bool:
        """Whether pixels come from an overview of the scene's files."""
        return self._source is not self.scene

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        pixels = np.empty((len(self.info.bands), window.height_px, window.width_px), self.info.dtype)
        valid = np.zeros((window.height_px, window.width_px), np.bool_)
        self._fill(window, window, pixels, valid)
        return Raster(pixels, valid, self.info.bands)

    def overview(self, max_px: int) -> Raster:
        return self.scene.overview(max_px)

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        return self.scene.footprint_of(self.stored_window(window))

    def pixel_m_of(self, window: Window) -> tuple[float, float] | None:
        size = self.scene.pixel_m_of(self.stored_window(window))
        return (size[0] * self.factor, size[1] * self.factor) if size else None

    def position_error_m(self) -> float | None:
        return self.scene.position_error_m()

    def stored_window(self, window: Window) -> Window:
        """The pixels of the stored scene that a window stands for."""
        row, col = window.row_off * self.factor, window.col_off * self.factor
        height = min(window.height_px * self.factor, self.scene.info.height_px - row)
        return Window(row, col, height, min(window.width_px * self.factor, self.scene.info.width_px - col))

    def close(self) -> None:
        if self._source is not self.scene:
            self._source.close()
        self.scene.close()

    def _fill(self, part: Window, whole: Window, pixels: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> None:
        """Write the part of a window into the arrays of the whole; halves of it where it needs too much of the source."""
        rows = _edges(part.row_off, part.height_px, self._row_step, self._source.info.height_px)
        cols = _edges(part.col_off, part.width_px, self._col_step, self._source.info.width_px)
        if (rows[-1] - rows[0]) * (cols[-1] - cols[0]) > MAX_READ_PX and max(part.height_px, part.width_px) > 1:
            is_striped = self._source.block_shape[1] >= self._source.info.width_px
            for half in halves(part, by_rows=part.height_px > 1 and (is_striped or part.height_px >= part.width_px)):
                self._fill(half, whole, pixels, valid)
            return
        top, left = part.row_off - whole.row_off, part.col_off - whole.col_off
        inside = np.s_[top : top + part.height_px, left : left + part.width_px]
        self._reduce(rows, cols, pixels[:, *inside], valid[inside])

    def _reduce(self, rows: FloatArray, cols: FloatArray, pixels: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> None:
        """Fill `pixels` (bands, rows, cols) and `valid` (rows, cols) from what lies between these edges in the source."""
        top, left = math.floor(rows[0]), math.floor(cols[0])
        read = self._source.read(Window(top, left, math.ceil(rows[-1]) - top, math.ceil(cols[-1]) - left))
        rows, cols = rows - top, cols - left
        areas = np.diff(rows)[:, None] * np.diff(cols)[None, :]
        fills = self.info.nodata or (None,) * len(self.info.bands)
        for i, (band, fill) in enumerate(zip(self.info.bands, fills, strict=True)):
            present = present_pixels(read, i, fill)
            if band in CLASS_BANDS:
                values, exists = _middles(read.pixels[i], present, rows, cols)
            else:
                values, exists = _means(read.pixels[i], present, rows, cols, areas)
            pixels[i] = resample.to_stored_type(values, exists, pixels.dtype, fill)
            if self._votes[i]:
                valid |= exists


def reduced_info(stored: SceneInfo, factor: int) -> SceneInfo:
    """The facts of a scene that is `factor` times coarser; its footprint is still that of the scene."""
    scales = (factor, factor, 1, factor, factor, 1)  # of a, b, c, d, e, f: columns and rows count in longer steps
    return replace(
        stored,
        height_px=math.ceil(stored.height_px / factor),
        width_px=math.ceil(stored.width_px / factor),
        transform=tuple(a * scale for a, scale in zip(stored.transform, scales, strict=True)) if stored.transform else None,
        gsd_m=stored.gsd_m * factor if stored.gsd_m else None,
        pixel_m=(stored.pixel_m[0] * factor, stored.pixel_m[1] * factor) if stored.pixel_m else None,
    )


def _edges(start: int, count: int, step: float, extent_px: int) -> FloatArray:
    """Where `count` pixels of `step` source pixels begin, and where the last ends, in the source."""
    return np.minimum(np.round(np.arange(start, start + count + 1) * step, EDGE_DIGITS), extent_px)


def _means(
    band: npt.NDArray[Any], present: npt.NDArray[np.bool_] | None, rows: FloatArray, cols: FloatArray, areas: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """(means of what is present between the edges, where they exist)."""
    if present is None:
        return _area_sums(band.astype(np.float64), rows, cols) / areas, np.ones(areas.shape, np.bool_)
    sums = _area_sums(np.where(present, band, 0).astype(np.float64), rows, cols)
    known = _area_sums(present.astype(np.float64), rows, cols)
    exists = 2 * known >= areas
    return np.divide(sums, known, out=np.zeros_like(sums), where=exists), exists


def _middles(
    band: npt.NDArray[Any], present: npt.NDArray[np.bool_] | None, rows: FloatArray, cols: FloatArray
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """(pixels under the middles between the edges, where they exist)."""
    at = np.ix_(*(((edges[:-1] + edges[1:]) / 2).astype(np.intp) for edges in (rows, cols)))
    values = band[at]
    return values, np.ones(values.shape, np.bool_) if present is None else present[at]


def _area_sums(values: FloatArray, rows: FloatArray, cols: FloatArray) -> FloatArray:
    """The values summed between the edges; of a pixel that an edge cuts, its share."""
    return _sums(_sums(values, rows).T, cols).T


def _sums(values: FloatArray, edges: FloatArray) -> FloatArray:
    """The sums of rows between the edges. Each is added up by itself, so that it does not depend on what else is read."""
    starts = np.floor(edges).astype(np.intp)
    inner = np.minimum(starts, len(values) - 1)
    sums = np.add.reduceat(values[: starts[-1]], starts[:-1], axis=0)
    parts = (edges - starts)[:, None]
    if parts.any():
        cut = parts * values[inner]
        sums += cut[1:] - cut[:-1]
    return np.asarray(sums)
