"""GeoTIFF, COG and whatever else GDAL opens as one file of bands.

One idea: one open handle, windows read as they are stored. A window equals rasterio's own read bit for bit, and costs no more:
what is fill is told from the pixels already read, and a mask is read only where the file has one.

Fill is what the file says (nodata tag, alpha band, internal mask, NaN) or, where it is silent, the source's `nodata`. Zero is
not fill unless one of these says so. A pixel is valid where all its bands are. The alpha band is not a band of the result.

Refused: complex pixels (radar before detection) and colour tables, whose numbers would make no picture.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window as RasterioWindow

from rsflow.errors import DataError, UnavailableError
from rsflow.geometry import Window
from rsflow.readers import gdal
from rsflow.readers.acquired import acquired_at
from rsflow.readers.place import place_of
from rsflow.readers.sampling import CHEAP_PX, decimated_shape, sampled
from rsflow.readers.scene import CLASS_BANDS, SceneInfo, SceneReader, check_inside
from rsflow.records import Raster, SceneFiles
from rsflow.storage import is_remote

SCENE_SEGMENTS, WINDOW_SEGMENTS = 16, 4  # pieces of each side of an outline


def open_geotiff(files: SceneFiles) -> GeoTiff:
    """Open the one file of a scene. Raises DataError("missing_file" | "unreadable" | "unsupported" | "missing_band", ...)."""
    if list(files.files) != [""]:
        raise DataError("unsupported", f"{files.scene_id}: has files {sorted(files.files)}, the geotiff reader takes one file")
    return opened(files.files[""], files.options)


def opened(place: str, options: dict[str, Any]) -> GeoTiff:
    """The file, opened; tried again where the network fails."""
    return gdal.attempted(place, lambda: GeoTiff(place, options))


class GeoTiff(SceneReader):
    """One open file. `options` are the source's scene settings (see SceneFiles)."""

    def __init__(self, place: str, options: dict[str, Any]) -> None:
        self.place = place
        self._env = gdal.environment(place) if is_remote(place) else nullcontext()
        self._dataset = _open(place)
        try:
            with gdal.told(place), self._env:
                self._indexes, bands = _bands(self._dataset, options.get("bands"), place)
                self._dtype = _dtype(self._dataset, self._indexes, place)
                self._nodata = [
                    # The source's fill value is for amounts: class 0 of a cloud mask is "clear".
                    _fill(self._dataset.nodatavals[i - 1], None if band in CLASS_BANDS else options.get("nodata"), self._dtype)
                    for i, band in zip(self._indexes, bands, strict=True)
                ]
                # GDAL's tools call the fourth band of any 8-bit file alpha; a source that names it as a band knows better.
                alpha = _alpha_index(self._dataset)
                self._alpha = None if alpha in self._indexes else alpha
                self._masked = alpha is None and MaskFlags.per_dataset in self._dataset.mask_flag_enums[0]
                self.block_shape = self._dataset.block_shapes[0]
                self._place = place_of(self._dataset)
                self.info = self._facts(bands, options)
                gdal.set_cache(self.bytes_in_use)
        except (DataError, UnavailableError):
            self.close()
            raise

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        part = RasterioWindow(window.col_off, window.row_off, window.width_px, window.height_px)
        return self._read(window=part)

    def decimated(self, height_px: int, width_px: int) -> Raster:
        """The whole scene at another size, by nearest pixel, through the file's overviews."""
        return self._read(size=(height_px, width_px), resampling=Resampling.nearest)

    @property
    def cheap(self) -> bool:
        """Whether a view of the whole needs little reading: the scene is small, or has overviews."""
        coarsest = max(self._dataset.overviews(self._indexes[0]), default=1)
        return self.info.height_px * self.info.width_px <= CHEAP_PX * coarsest**2

    def overview(self, max_px: int) -> Raster:
        shape = (self.info.height_px, self.info.width_px)
        return (
            self.decimated(*decimated_shape(*shape, max_px))
            if self.cheap
            else sampled(self.read, shape, self.block_shape, max_px)
        )

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        return self._place.ring(window, WINDOW_SEGMENTS)

    def close(self) -> None:
        self._dataset.close()

    def _read(self, size: tuple[int, int] | None = None, **how: Any) -> Raster:
        return gdal.attempted(self.place, lambda: self._read_once(size, **how))

    def _read_once(self, size: tuple[int, int] | None = None, **how: Any) -> Raster:
        if self._dataset.closed:
            self._dataset = _open(self.place)
        indexes = self._indexes if self._alpha is None else [*self._indexes, self._alpha]
        mask: npt.NDArray[Any] | None = None
        try:
            with gdal.told(self.place), self._env:
                shape = None if size is None else (len(indexes), *size)
                pixels = self._dataset.read(indexes, out_shape=shape, out_dtype=self._dtype, **how)
                if self._masked:
                    mask = self._dataset.read_masks(1, out_shape=size, **how)
        except (DataError, UnavailableError):
            # A damaged block may now be in GDAL's cache, from where it would come as good: a new handle starts afresh.
            self._dataset.close()
            raise
        if self._alpha is not None:
            pixels, mask = pixels[:-1], pixels[-1]
        return Raster(pixels, self._valid(pixels, mask), self.info.bands)

    def _valid(self, pixels: npt.NDArray[Any], mask: npt.NDArray[Any] | None) -> npt.NDArray[np.bool_]:
        valid = np.ones(pixels.shape[1:], np.bool_) if mask is None else mask != 0
        for band, fill in zip(pixels, self._nodata, strict=True):
            if fill is not None:
                valid &= band != fill
            if self._dtype.kind == "f":
                valid &= np.isfinite(band)
        return valid

    def _facts(self, bands: tuple[str, ...], options: dict[str, Any]) -> SceneInfo:
        height, width, place = self._dataset.height, self._dataset.width, self._place
        tags = (self._dataset.tags(ns="IMAGERY").get("ACQUISITIONDATETIME"), self._dataset.tags().get("TIFFTAG_DATETIME"))
        return SceneInfo(
            bands,
            str(self._dtype),
            height,
            width,
            place.kind,
            place.crs,
            place.transform,
            place.ring(Window(0, 0, height, width), SCENE_SEGMENTS),
            place.gsd_m(height, width) or options.get("gsd_m"),
            acquired_at(options.get("acquired_at"), self.place, tags),
            tuple(None if fill is None else float(fill) for fill in self._nodata),
        )

    @property
    def bytes_in_use(self) -> int:
        """Two rows of blocks, all bands: what windows in row order touch again."""
        rows, cols = self.block_shape
        across = math.ceil(self.info.width_px / cols) * cols
        return int(2 * max(rows, 512) * across * self._dataset.count * self._dtype.itemsize)


def _open(place: str) -> Any:
    if not is_remote(place) and not os.path.exists(place.removeprefix("file://")):
        raise DataError("missing_file", f"{place}: there is no such file")
    with gdal.told(place), gdal.environment(place), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(gdal.address(place))


def _bands(dataset: Any, wanted: dict[str, int] | None, place: str) -> tuple[list[int], tuple[str, ...]]:
    """Band numbers from 1 and their names: as the source says, else as the file does, else band1, band2 …"""
    if wanted:
        absent = {name: index for name, index in wanted.items() if not _is_band(dataset, index)}
        if absent:
            raise DataError("missing_band", f"{place}: has bands 1 to {dataset.count}, the source asks for {absent}")
        return [int(index) for index in wanted.values()], tuple(wanted)
    indexes = [index for index in dataset.indexes if index != _alpha_index(dataset)]
    if not indexes:
        raise DataError("missing_band", f"{place}: has no band beside its alpha band")
    colours = [dataset.colorinterp[index - 1].name for index in indexes]
    named = [_word(dataset.descriptions[index - 1]) for index in indexes]
    if {"red", "green", "blue"} <= set(colours):
        named = [colour if colour in _COLOURS else name for colour, name in zip(colours, named, strict=True)]
    names = tuple(name or f"band{index}" for name, index in zip(named, indexes, strict=True))
    return indexes, names if len(set(names)) == len(names) else tuple(f"band{index}" for index in indexes)


_COLOURS = {"red", "green", "blue", "nir"}


def _is_band(dataset: Any, index: Any) -> bool:
    return str(index).isdigit() and 1 <= int(index) <= dataset.count


def _word(description: str | None) -> str:
    return re.sub(r"\W+", "_", (description or "").strip().lower()).strip("_")


def _alpha_index(dataset: Any) -> int | None:
    colours = list(dataset.colorinterp)
    return colours.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in colours else None


def _dtype(dataset: Any, indexes: list[int], place: str) -> np.dtype[Any]:
    names = [dataset.dtypes[index - 1] for index in indexes]
    if any("complex" in name for name in names):
        raise DataError("unsupported", f"{place}: has complex pixels ({names[0]}); give the amplitude or power instead")
    if ColorInterp.palette in {dataset.colorinterp[index - 1] for index in indexes}:
        raise DataError("unsupported", f"{place}: has a colour table, expected measured values or red, green and blue bands")
    return np.result_type(*names)


def _fill(tag: float | None, option: float | None, dtype: np.dtype[Any]) -> Any:
    """The fill value as a number of the pixels' type; None where there is none, or no pixel of that type can equal it."""
    value = option if tag is None else tag
    if value is None or np.isnan(value):
        return None
    if dtype.kind == "f":
        return dtype.type(value)
    limits = np.iinfo(dtype)
    return dtype.type(int(value)) if float(value).is_integer() and limits.min <= value <= limits.max else None
