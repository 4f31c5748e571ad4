"""GeoTIFF, COG and whatever else GDAL opens as one file of bands.

One idea: one open handle, windows read as they are stored. A window equals rasterio's own read bit for bit, and costs no more:
fill is recognised in the pixels already read, and a mask is read only where the file has one.

Fill is given by the source's `nodata`, else by the file: mask, alpha band, nodata tag. What is not finite is always
fill. Zero is fill only where one of these says so, or in radar amplitude and power of more than 8 bits: no echo is exactly 0,
the border of a scene is. As with rasterio's `dataset_mask`, a pixel is valid where any of its bands has a value: one band at
the fill value, or one that is empty, takes nothing from the others. The alpha band is not a band of the result.

A colour table is looked up: the bands are then red, green and blue. Refused: complex pixels (radar before detection).
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.enums import MaskFlags, Resampling
from rasterio.windows import Window as RasterioWindow

from rsflow.calibration import UNCALIBRATED, missing_values
from rsflow.errors import DataError, UnavailableError
from rsflow.files.storage import is_remote
from rsflow.readers import gdal
from rsflow.readers.bands.band_selection import alpha_index, check_colour_table, common_dtype, select_bands
from rsflow.readers.bands.band_tags import (
    NO_FILL,
    band_metadata,
    is_zero_fill,
    read_calibration,
    resolve_fill_value,
    shared_unit,
)
from rsflow.readers.bands.colour_table import keeps_colours, read_colour_table
from rsflow.readers.bands.statistics_sample import CHEAP_PX, decimated_shape, sample_cells
from rsflow.readers.contract import CLASS_BANDS, SceneInfo, SceneReader, check_inside, resolve_pixel_size
from rsflow.readers.georeferencing.georeference import read_georeference
from rsflow.readers.georeferencing.position_error import position_error_m
from rsflow.readers.listing.acquisition_time import find_acquisition_time
from rsflow.readers.listing.mosaic_sources import check_sources
from rsflow.records import Raster, SceneFiles
from rsflow.sensors import SensorName
from rsflow.spatial.geometry import Window

SCENE_SEGMENTS, WINDOW_SEGMENTS = 16, 4  # pieces of each side of an outline


def open_geotiff(files: SceneFiles) -> GeoTiff:
    """Open the one file of a scene. Raises DataError("missing_file" | "unreadable" | "unsupported" | "missing_band", ...)."""
    if list(files.files) != [""]:
        raise DataError("unsupported", f"{files.scene_id}: has files {sorted(files.files)}, the geotiff reader takes one file")
    return open_with_retries(files.files[""], files.options, files.sensor, bool(files.sidecars))


def open_with_retries(
    place: str,
    options: dict[str, Any],
    sensor: SensorName = "optical",
    has_sidecars: bool = False,
    band: str | None = None,
    overview: int | None = None,
) -> GeoTiff:
    """The file, or one of its overviews, opened; tried again where the network fails."""
    return gdal.with_retries(place, lambda: GeoTiff(place, options, sensor, has_sidecars, band, overview))


class GeoTiff(SceneReader):
    """One open file. `options` are the source's scene settings.

    `has_sidecars`: other files belong to it (see SceneFiles). `band`: what the source calls its one band, where a scene is a
    file per band. `overview`: the one that is read instead of the file's own pixels, from 0.
    """

    def __init__(
        self,
        place: str,
        options: dict[str, Any],
        sensor: SensorName = "optical",
        has_sidecars: bool = False,
        band: str | None = None,
        overview: int | None = None,
    ) -> None:
        self.place = place
        self._overview = overview
        self._sensor = sensor
        self._band = band
        self._options = options if band is None else {**options, "bands": None}
        self._sidecars = has_sidecars
        self._env = gdal.environment(place, has_sidecars) if is_remote(place) else nullcontext()
        check_sources(place, options.get("folders_up", 0), options.get("allow_outside", False))
        self._dataset = gdal.open_dataset(place, has_sidecars, overview)
        try:
            with gdal.translate_errors(place), self._env:
                self._colours = None if band else read_colour_table(self._dataset, options.get("bands"))
                self._indexes, bands = self._chosen(band)
                self._dtype = common_dtype(self._dataset, self._indexes, place)
                self._read_tags(bands, sensor)
                self.block_shape = self._dataset.block_shapes[0]
                self._place = read_georeference(self._dataset, options.get("stated_georeference", {}).get(band or ""))
                self.locate = self._place.locate
                self.info = self._facts(self._colours.bands if self._colours else bands)
                gdal.set_cache(self.bytes_in_use)
        except (DataError, UnavailableError):
            self.close()
            raise

    def _chosen(self, band: str | None) -> tuple[list[int], tuple[str, ...]]:
        """Numbers from 1 and names of the bands that are read."""
        if self._colours:
            return [self._colours.index], ("band1",)
        if band is None:
            return select_bands(self._dataset, self._options.get("bands"), self.place)
        alpha = self._alpha_of()
        indexes = [index for index in self._dataset.indexes if index != alpha]
        if (number := self._options.get("band_numbers", {}).get(band)) is not None:
            indexes, _ = select_bands(self._dataset, {band: number}, self.place)
        if len(indexes) != 1:
            raise DataError("grid_mismatch", f"{self.place}: has {len(indexes)} bands, expected one band per file")
        check_colour_table(self._dataset, {band: indexes[0]}, self.place)
        return indexes, (band,)

    def _alpha_of(self) -> int | None:
        """The band that marks valid pixels: tagged as alpha, or the second of two where the product says so."""
        if self._options.get("data_mask") and self._dataset.count == 2:
            return 2
        return alpha_index(self._dataset)

    def _read_tags(self, bands: tuple[str, ...], sensor: SensorName) -> None:
        """Masks, fill values and calibrations of the bands that are read."""
        options = self._options
        # GDAL's tools call the fourth band of any 8-bit file alpha; a source that names it as a band knows better.
        alpha = self._alpha_of()
        self._alpha = None if alpha in self._indexes else alpha
        flags = self._dataset.mask_flag_enums
        self._masked = alpha is None and MaskFlags.per_dataset in flags[0]
        # A mask of its own that is made of neither fill values nor an alpha band has no flag at all.
        self._masked_bands = [i for i in self._indexes if not flags[i - 1]]
        numbered = list(zip(self._indexes, bands, strict=True))
        # Where there is a mask, GDAL takes the nodata tag for no more than what the mask was made from.
        tags = [None if self._masked else tag for tag in self._dataset.nodatavals]
        for i, band in numbered:
            stated = band_metadata(options.get("metadata") or {}, "nodata", band, i)
            if stated is not None and not self._masked:
                tags[i - 1] = None if stated == NO_FILL else stated
        self._nodata = [resolve_fill_value(tags[i - 1], band, options, self._dtype) for i, band in numbered]
        silent = not self._masked and self._alpha is None and all(tag is None for tag in tags)
        if silent and is_zero_fill(sensor, options, self._dtype):
            self._nodata = [None if band in CLASS_BANDS else 0.0 for band in bands]
        self._voters = [i for i, band in enumerate(bands) if band not in CLASS_BANDS] or list(range(len(bands)))
        self._calibration = tuple(read_calibration(self._dataset, i, band, options, self.place) for i, band in numbered)

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        part = RasterioWindow(window.col_off, window.row_off, window.width_px, window.height_px)
        return self._read(window=part)

    def decimated(self, height_px: int, width_px: int) -> Raster:
        """The whole scene at another size, by nearest pixel, through the file's overviews."""
        return self._read(size=(height_px, width_px), resampling=Resampling.nearest)

    @property
    def is_cheap_to_decimate(self) -> bool:
        """Whether a view of the whole needs little reading: the scene is small, or has overviews."""
        coarsest = max(self._dataset.overviews(self._indexes[0]), default=1)
        return self.info.height_px * self.info.width_px <= CHEAP_PX * coarsest**2

    def overview(self, max_px: int) -> Raster:
        shape = (self.info.height_px, self.info.width_px)
        return (
            self.decimated(*decimated_shape(*shape, max_px))
            if self.is_cheap_to_decimate
            else sample_cells(self.read, shape, self.block_shape, max_px)
        )

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        return self._place.footprint(window, WINDOW_SEGMENTS)

    def pixel_m_of(self, window: Window) -> tuple[float, float] | None:
        return resolve_pixel_size(self._options, self._place.pixel_m(window))

    def position_error_m(self) -> float | None:
        with gdal.translate_errors(self.place), self._env:
            return position_error_m(self._dataset)

    def coarser(self, factor: float) -> GeoTiff | None:
        """Not of class bands, whose numbers cannot be averaged, not where overviews mix the numbers of a colour table, and not
        where what is fill is known from settings or the sensor only: who made the overviews did not know it, so fill is
        blended in."""
        factors = self._dataset.overviews(self._indexes[0])
        level = max((i for i, each in enumerate(factors) if each <= factor), default=None)
        is_stated = bool(self._options.get("stated_georeference"))  # of the pixels of the file itself
        if level is None or is_stated or not CLASS_BANDS.isdisjoint(self.info.bands) or not self._is_fill_in_file():
            return None
        found = open_with_retries(self.place, self._options, self._sensor, self._sidecars, self._band, level)
        if self._colours is None or keeps_colours(found._dataset, self._colours.index):
            return found
        found.close()
        return None

    def _is_fill_in_file(self) -> bool:
        tags = [self._dataset.nodatavals[i - 1] for i in self._indexes]
        return all(
            fill is None or (tag is not None and (fill == tag or (math.isnan(fill) and math.isnan(tag))))
            for fill, tag in zip(self._nodata, tags, strict=True)
        )

    @property
    def has_fill_in_values(self) -> bool:
        """Whether a pixel's own number marks it as without a value, in every band that holds amounts."""
        return self._dtype.kind == "f" or all(self._nodata[i] is not None for i in self._voters)

    def close(self) -> None:
        self._dataset.close()

    def _read(self, size: tuple[int, int] | None = None, **how: Any) -> Raster:
        return gdal.with_retries(self.place, lambda: self._read_once(size, **how))

    def _read_once(self, size: tuple[int, int] | None = None, **how: Any) -> Raster:
        if self._dataset.closed:
            self._dataset = gdal.open_dataset(self.place, self._sidecars, self._overview)
        indexes = self._indexes if self._alpha is None else [*self._indexes, self._alpha]
        mask: npt.NDArray[Any] | None = None
        band_masks: npt.NDArray[Any] | None = None
        try:
            with gdal.translate_errors(self.place), self._env:
                shape = None if size is None else (len(indexes), *size)
                pixels = self._dataset.read(indexes, out_shape=shape, out_dtype=self._dtype, **how)
                if self._masked:
                    mask = self._dataset.read_masks(1, out_shape=size, **how)
                if self._masked_bands:
                    shape = None if size is None else (len(self._indexes), *size)
                    band_masks = self._dataset.read_masks(self._indexes, out_shape=shape, **how)
        except (DataError, UnavailableError):
            # A damaged block may now be in GDAL's cache, from where it would come as good: a new handle starts afresh.
            self._dataset.close()
            raise
        if self._alpha is not None:
            pixels, mask = pixels[:-1], pixels[-1]
        if band_masks is not None:
            pixels, mask = self._without_masked(pixels, band_masks), np.asarray(band_masks[self._voters].any(axis=0))
        valid = self._valid(pixels, mask)
        if self._colours is not None:
            pixels, valid = self._colours.apply(pixels[0], valid)
        return Raster(pixels, valid, self.info.bands)

    def _without_masked(self, pixels: npt.NDArray[Any], masks: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The pixels with NaN, or the band's fill value, where the band's own mask says that it has none."""
        for band, mask, fill in zip(pixels, masks, self._nodata, strict=True):
            if fill is not None or band.dtype.kind == "f":
                band[mask == 0] = np.nan if fill is None else fill
        return pixels

    def _valid(self, pixels: npt.NDArray[Any], mask: npt.NDArray[Any] | None) -> npt.NDArray[np.bool_]:
        valid = np.ones(pixels.shape[1:], np.bool_) if mask is None else mask != 0
        lost: npt.NDArray[np.bool_] | None = None
        for i in self._voters:
            band = missing_values(pixels[i], self._nodata[i])
            if band is None:
                return valid
            lost = band if lost is None else lost & band
        return valid if lost is None else valid & ~lost

    def _facts(self, bands: tuple[str, ...]) -> SceneInfo:
        height, width, place = self._dataset.height, self._dataset.width, self._place
        tags = (self._dataset.tags(ns="IMAGERY").get("ACQUISITIONDATETIME"), self._dataset.tags().get("TIFFTAG_DATETIME"))
        whole = Window(0, 0, height, width)
        pixel_m = resolve_pixel_size(self._options, place.pixel_m(whole))
        looked_up = self._colours is not None
        return SceneInfo(
            bands,
            "uint8" if looked_up else str(self._dtype),
            height,
            width,
            place.kind,
            place.crs,
            place.transform,
            place.footprint(whole, SCENE_SEGMENTS),
            math.sqrt(pixel_m[0] * pixel_m[1]) if pixel_m else None,
            find_acquisition_time(self._options.get("acquired_at"), self.place, tags),
            (None,) * len(bands) if looked_up else tuple(self._nodata),
            (UNCALIBRATED,) * len(bands) if looked_up else self._calibration,
            None if looked_up else shared_unit(self._calibration),
            pixel_m,
            place.fault,
        )

    @property
    def bytes_in_use(self) -> int:
        """Two rows of blocks, all bands: what windows in row order touch again."""
        rows, cols = self.block_shape
        across = math.ceil(self.info.width_px / cols) * cols
        return int(2 * max(rows, 512) * across * self._dataset.count * self._dtype.itemsize)
