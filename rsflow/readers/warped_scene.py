"""A scene on the pixels of a ground grid: a reader over another reader, with the same contract.

One idea: everything above sees a scene whose map is the grid, so nothing else learns a second way to be a tile. A window of it
is read with one read of the scene's pixels around it and resampled by position (rsflow.cells): it equals the same window of the
whole warped scene bit for bit.

Resampling: `average` takes the mean of so many bilinear samples per pixel that no source pixel is passed over (one where the
source is no finer), `bilinear` always one, `nearest` the pixel under the middle; class bands always take the nearest. Where the
grid is coarser than the scene, the file's overviews are read, except for class bands and where fill may be blended into them
(rsflow.readers.geotiff.GeoTiff.coarser). Statistics are those of the scene as it is stored.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.crs import CRS

from rsflow.calibration import missing_values
from rsflow.cells import resample
from rsflow.cells.positions import affine_positions, sample_positions, source_pixels_per_pixel
from rsflow.cells.target_grid import TargetGrid
from rsflow.readers.contract import CLASS_BANDS, SceneInfo, SceneReader, check_inside
from rsflow.readers.georeferencing.georeference import map_georeference
from rsflow.readers.georeferencing.ground_mapping import GroundMapping, ground_mapping, inverse_affine, is_same_crs
from rsflow.records import Raster
from rsflow.spatial.geometry import FloatArray, Window

SEGMENTS = 4  # pieces of each side of a window's outline
MARGIN_PX = 1  # beside the outermost positions: the neighbours of bilinear sampling
MAX_READ_PX = 16_000_000  # of the scene, at a time
FACTOR_DIGITS = 6
SAME_SIZE = 1.05  # a source that is finer by less is sampled once


class WarpedScene(SceneReader):
    """`scene` as stored, on `grid`. Closes the scene."""

    def __init__(self, scene: SceneReader, grid: TargetGrid, resampling: str) -> None:
        self.scene = scene
        self.grid = grid
        self.mapping: GroundMapping = ground_mapping(scene, grid.crs)
        self._resampling = resampling
        self._place = map_georeference(CRS.from_user_input(grid.crs), grid.transform)
        self.locate = self._place.locate
        self.block_shape = (grid.cell_px, grid.cell_px)
        self._pixels, self._to_pixels, factor = self._source()
        own = self._pixels.info
        self._affine = inverse_affine(own.transform) if own.transform and is_same_crs(own, grid.crs) else None
        self._samples = max(1, math.ceil(factor / SAME_SIZE)) if resampling == "average" else 1
        self.info = warped_info(scene.info, grid)
        classes = [band in CLASS_BANDS for band in self.info.bands]
        self._has_classes = any(classes)
        self._votes = [not is_class or all(classes) for is_class in classes]  # of which bands make a pixel valid

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        pixels = np.empty((len(self.info.bands), window.height_px, window.width_px), self.info.dtype)
        valid = np.empty((window.height_px, window.width_px), np.bool_)
        self._fill(window, window, pixels, valid)
        return Raster(pixels, valid, self.info.bands)

    def overview(self, max_px: int) -> Raster:
        return self.scene.overview(max_px)

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        return self._place.footprint(window, SEGMENTS)

    def from_file_pixels(self, cols: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Columns and rows of the grid, of positions in the scene as it is stored."""
        return self.grid.pixels(*self.mapping.from_pixels(cols, rows))

    def close(self) -> None:
        if self._pixels is not self.scene:
            self._pixels.close()
        self.scene.close()

    def _source(self) -> tuple[SceneReader, GroundMapping, float]:
        """The pixels to read, their mapping, and how many of them a pixel of the grid is long."""
        factor = self._factor(self.mapping, self.scene.info)
        coarser = self.scene.coarser(factor) if self._resampling != "nearest" and factor > 1 else None
        if coarser is None:
            return self.scene, self.mapping, factor
        mapping = ground_mapping(coarser, self.grid.crs)
        return coarser, mapping, self._factor(mapping, coarser.info)

    def _factor(self, mapping: GroundMapping, info: SceneInfo) -> float:
        """In the grid's middle, or in the scene's where the grid's lies beyond it; 1 where neither has a place."""
        xs, ys = mapping.from_pixels(np.array([info.width_px / 2]), np.array([info.height_px / 2]))
        cols, rows = self.grid.pixels(xs, ys)
        for col, row in ((self.grid.width_px / 2, self.grid.height_px / 2), (float(cols[0]), float(rows[0]))):
            factor = source_pixels_per_pixel(self.grid, mapping.to_pixels, col, row)
            if math.isfinite(factor):
                return round(factor, FACTOR_DIGITS)
        return 1.0

    def _fill(self, part: Window, whole: Window, pixels: Any, valid: Any) -> None:
        """Write the part of a window into the arrays of the whole window; halves of it where it needs too much of the scene."""
        cols, rows = self._positions(part, self._samples)
        source = _around(cols, rows, self._pixels.info)
        if source and source.height_px * source.width_px > MAX_READ_PX and max(part.height_px, part.width_px) > 1:
            for half in halves(part, by_rows=part.height_px >= part.width_px):
                self._fill(half, whole, pixels, valid)
            return
        top, left = part.row_off - whole.row_off, part.col_off - whole.col_off
        inside = np.s_[top : top + part.height_px, left : left + part.width_px]
        found = self._resampled(part, source, cols, rows)
        pixels[:, *inside], valid[inside] = found.pixels, found.valid

    def _positions(self, window: Window, samples: int) -> tuple[FloatArray, FloatArray]:
        if self._affine:
            return affine_positions(self.grid, window, samples, self._affine)
        return sample_positions(self.grid, window, samples, self._to_pixels.to_pixels, self._to_pixels.max_error_px)

    def _resampled(self, part: Window, source: Window | None, cols: FloatArray, rows: FloatArray) -> Raster:
        info, shape = self.info, (part.height_px, part.width_px)
        pixels, valid = np.empty((len(info.bands), *shape), info.dtype), np.zeros(shape, np.bool_)
        fills = info.nodata or (None,) * len(info.bands)
        if source is None:
            nothing = np.zeros(shape)
            for i, fill in enumerate(fills):
                pixels[i] = resample.to_stored_type(nothing, valid, pixels.dtype, fill)
            return Raster(pixels, valid, info.bands)
        read = self._pixels.read(source)
        at = _neighbours(source, cols, rows)
        middles = _neighbours(source, *self._positions(part, 1)) if self._has_classes and self._samples > 1 else at
        for i, (band, fill) in enumerate(zip(info.bands, fills, strict=True)):
            good = present_pixels(read, i, fill)
            if band in CLASS_BANDS or self._resampling == "nearest":
                values, exists = resample.nearest(read.pixels[i], good, middles)
            else:
                values, exists = resample.mean_of_samples(*resample.bilinear(read.pixels[i], good, at), self._samples)
            pixels[i] = resample.to_stored_type(values, exists, pixels.dtype, fill)
            if self._votes[i]:
                valid |= exists
        return Raster(pixels, valid, info.bands)


def _neighbours(source: Window, cols: FloatArray, rows: FloatArray) -> resample.Neighbours:
    return resample.Neighbours(cols - source.col_off, rows - source.row_off, source.height_px, source.width_px)


def present_pixels(read: Raster, band: int, fill: float | None) -> npt.NDArray[np.bool_] | None:
    """Which pixels of a band have a value; None: all."""
    lost = missing_values(read.pixels[band], fill)
    if lost is not None:
        return read.valid & ~lost
    return None if read.valid.all() else read.valid


def warped_info(stored: SceneInfo, grid: TargetGrid) -> SceneInfo:
    """The facts of a scene on a grid; its footprint is still that of the scene."""
    return replace(
        stored,
        height_px=grid.height_px,
        width_px=grid.width_px,
        georeference="crs",
        crs=grid.crs,
        transform=grid.transform,
        gsd_m=grid.gsd_m,
        pixel_m=(grid.gsd_m, grid.gsd_m),
        georeference_error=None,
    )


def _around(cols: FloatArray, rows: FloatArray, info: SceneInfo) -> Window | None:
    """The pixels of the scene that the positions rest on; None where none lies in it."""
    with np.errstate(invalid="ignore"):
        inside_cols, inside_rows = (cols >= 0) & (cols < info.width_px), (rows >= 0) & (rows < info.height_px)
    if cols.shape == rows.shape:
        inside_cols = inside_rows = inside_cols & inside_rows
    if not (inside_cols.any() and inside_rows.any()):
        return None
    left, right = _extent(cols[inside_cols], info.width_px)
    top, bottom = _extent(rows[inside_rows], info.height_px)
    return Window(top, left, bottom - top, right - left)


def _extent(positions: FloatArray, extent_px: int) -> tuple[int, int]:
    start = max(0, math.floor(float(positions.min())) - MARGIN_PX)
    return start, min(extent_px, math.floor(float(positions.max())) + 1 + MARGIN_PX)


def halves(window: Window, by_rows: bool) -> tuple[Window, Window]:
    """The upper and lower (`by_rows`) or left and right half of a window."""
    row, col, height, width = window.row_off, window.col_off, window.height_px, window.width_px
    if by_rows:
        top = height // 2
        return Window(row, col, top, width), Window(row + top, col, height - top, width)
    left = width // 2
    return Window(row, col, height, left), Window(row, col + left, height, width - left)
