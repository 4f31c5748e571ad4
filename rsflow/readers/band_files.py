"""Scenes that are delivered as one file per band, possibly with different pixel sizes (Sentinel-2, Landsat).

One idea: the finest band's grid is the scene's. A coarser band is interpolated (bilinear) at the ground position of every
pixel centre, from that pixel's place in the scene alone, so a pixel has the same value in whatever window it is read: tiles
have no seams. Bands on the scene's own grid come unchanged. Masks and class bands take the nearest pixel.

A band's pixel is good where all source pixels that it rests on are, else it becomes the band's fill value (NaN of fractions). A
pixel is valid where any band is good, so that a gap in one band, or an empty band, does not invalidate the others. A band whose
values do not show what is missing (a mask without a fill value, an edge beyond which it does not reach) makes it invalid
instead. Class bands do not count. Refused: bands in different map projections or turned against each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.calibration import Calibration
from rsflow.errors import DataError, UnavailableError
from rsflow.readers import gdal
from rsflow.readers.bands.band_tags import shared_unit
from rsflow.readers.bands.statistics_sample import decimated_shape, sample_cells
from rsflow.readers.contract import CLASS_BANDS, SceneInfo, SceneReader, ViewAngles, check_inside
from rsflow.readers.geotiff import GeoTiff, open_with_retries
from rsflow.readers.products import PRODUCTS, Decoder, describe_product
from rsflow.records import Raster, SceneFiles
from rsflow.spatial.geometry import Window


@dataclass(frozen=True, slots=True)
class Axis:
    """How one axis of the scene maps to a band's: position = scale * (scene pixel's centre) + offset, in band pixels."""

    scale: float
    offset: float
    extent_px: int

    @property
    def is_identity(self) -> bool:
        return self.scale == 1.0 and self.offset == 0.0

    def taps(self, start: int, stop: int, nearest: bool) -> Taps:
        """What scene pixels [start, stop) rest on. A position more than half a band pixel outside has no neighbour."""
        centre = (np.arange(start, stop) + 0.5) * self.scale + self.offset
        position = np.clip(centre - 0.5, 0, self.extent_px - 1)
        low = (np.floor(centre) if nearest else np.floor(position)).clip(0, self.extent_px - 1).astype(np.int64)
        weight = np.zeros(len(low)) if nearest else position - low
        # Where the weight is 0 the second tap is the first: an unused neighbour that is fill must not spoil the pixel.
        high = np.where(weight > 0, low + 1, low)
        slack = max(self.scale, 1.0) * 0.5 + 1e-6
        return Taps(low, high, weight, (centre > -slack) & (centre < self.extent_px + slack))


@dataclass(frozen=True, slots=True)
class Taps:
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    inside: npt.NDArray[np.bool_]


def open_bands(files: SceneFiles) -> BandFiles:
    """Open every file of a scene. Raises DataError, also "missing_band" and "grid_mismatch"."""
    requested = list(files.options.get("bands") or files.files)
    decoders: Mapping[str, Decoder] = {}
    if kind := files.options.get("product"):
        files, decoders = describe_product(PRODUCTS[kind], files)
    if not requested:
        place = next(iter(files.sidecars), files.scene_id)
        raise DataError("missing_file", f"{place}: no file of any band lies beside it: download the whole product")
    absent = [band for band in requested if band not in files.files]
    if absent:
        missing = ", ".join(absent)
        raise DataError("missing_band", f"{files.scene_id}: no file for {missing}; has {_listed(files.files)}")
    readers: dict[str, GeoTiff] = {}
    try:
        for band in requested:
            has_sidecars = any(sidecar.startswith(files.files[band] + ".") for sidecar in files.sidecars)
            readers[band] = open_with_retries(files.files[band], files.options, files.sensor, has_sidecars, band)
        return BandFiles(readers, decoders, ViewAngles(**files.options.get("angles", {})))
    except (DataError, UnavailableError):
        for reader in readers.values():
            reader.close()
        raise


class BandFiles(SceneReader):
    """Open band files, one data band each, on the grid of the finest."""

    def __init__(
        self,
        readers: dict[str, GeoTiff],
        decoders: Mapping[str, Decoder] | None = None,
        angles: ViewAngles = ViewAngles(),  # noqa: B008 (frozen)
    ) -> None:
        self._readers = readers
        self._decoders = decoders or {}
        # min keeps the first of equals, so the order of the source's bands decides.
        self._finest = min(readers.values(), key=_pixel_area)
        self._axes = {band: self._axes_of(reader) for band, reader in readers.items()}
        each = [self._band_info(band, reader.info) for band, reader in readers.items()]
        dtype = np.result_type(*(info.dtype for info in each))
        calibration = tuple(how for info in each for how in info.calibration)
        self.info = replace(
            self._finest.info,
            bands=tuple(readers),
            dtype=str(dtype),
            nodata=tuple(fill for info in each for fill in info.nodata),
            calibration=calibration,
            angles=angles,
            unit=shared_unit(tuple(how for band, how in zip(readers, calibration, strict=True) if band not in CLASS_BANDS)),
        )
        self._voters = [band for band in readers if band not in CLASS_BANDS] or list(readers)
        self.block_shape = self._finest.block_shape
        self.locate = self._finest.locate
        gdal.set_cache(sum(reader.bytes_in_use for reader in readers.values()))

    def read(self, window: Window) -> Raster:
        check_inside(window, self.info)
        return self._stack({band: self._read_band(band, window) for band in self._readers})

    def overview(self, max_px: int) -> Raster:
        shape = (self.info.height_px, self.info.width_px)
        if self._one_extent() and all(reader.is_cheap_to_decimate for reader in self._readers.values()):
            size = decimated_shape(*shape, max_px)
            return self._stack({band: self._decimated(band, *size) for band in self._readers})
        return sample_cells(self.read, shape, self.block_shape, max_px)

    def footprint_of(self, window: Window) -> tuple[float, ...] | None:
        return self._finest.footprint_of(window)

    def pixel_m_of(self, window: Window) -> tuple[float, float] | None:
        return self._finest.pixel_m_of(window)

    def position_error_m(self) -> float | None:
        return self._finest.position_error_m()

    def coarser(self, factor: float) -> BandFiles | None:
        """Each band from its own overviews; bands that need decoding, and class bands, are read as they are stored."""
        if self._decoders or not CLASS_BANDS.isdisjoint(self._readers):
            return None
        scales = {band: math.sqrt(rows.scale * cols.scale) for band, (rows, cols) in self._axes.items()}
        found = {band: reader.coarser(factor * scales[band]) for band, reader in self._readers.items()}
        if not all(found[band] for band, scale in scales.items() if math.isclose(scale, 1.0, abs_tol=1e-6)):
            for opened in found.values():
                if opened:
                    opened.close()
            return None
        return BandFiles({band: found[band] or reader for band, reader in self._readers.items()}, angles=self.info.angles)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _stack(self, parts: dict[str, Raster]) -> Raster:
        shape = next(iter(parts.values())).valid.shape
        pixels = np.empty((len(parts), *shape), self.info.dtype)
        for row, (band, part), fill in zip(pixels, parts.items(), self.info.nodata, strict=True):
            row[...] = part.pixels[0]
            if self._readers[band].has_fill_in_values and not part.valid.all():
                row[~part.valid] = np.nan if fill is None else fill
        return Raster(pixels, self._valid({band: parts[band].valid for band in self._voters}), self.info.bands)

    def _valid(self, good: dict[str, npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
        by_value = [valid for band, valid in good.items() if self._readers[band].has_fill_in_values]
        by_mask = [valid for band, valid in good.items() if not self._readers[band].has_fill_in_values]
        found = np.logical_or.reduce(by_value) if by_value else np.ones(next(iter(good.values())).shape, np.bool_)
        return np.asarray(np.logical_and.reduce([found, *by_mask]))

    def _read_band(self, band: str, window: Window) -> Raster:
        reader, (rows, cols) = self._readers[band], self._axes[band]
        if rows.is_identity and cols.is_identity:
            # Files of one grid may still differ by a pixel in size; what is not there is taken from the edge below.
            extent = reader.info
            if window.row_stop <= extent.height_px and window.col_stop <= extent.width_px:
                return self._decoded(band, reader.read(window), window)
        nearest = band in CLASS_BANDS
        row_taps = rows.taps(window.row_off, window.row_stop, nearest)
        col_taps = cols.taps(window.col_off, window.col_stop, nearest)
        top, left = int(row_taps.low.min()), int(col_taps.low.min())
        source = Window(top, left, int(row_taps.high.max()) + 1 - top, int(col_taps.high.max()) + 1 - left)
        return interpolate(self._decoded(band, reader.read(source), source), _moved(row_taps, top), _moved(col_taps, left))

    def _band_info(self, band: str, info: SceneInfo) -> SceneInfo:
        decoder = self._decoders.get(band)
        if decoder is None:
            return info
        how = Calibration(1.0, 0.0, decoder.unit, decoder.origin)
        return replace(info, dtype="float32", nodata=(None,), calibration=(how,), unit=None)

    def _decimated(self, band: str, height_px: int, width_px: int) -> Raster:
        info = self._readers[band].info
        return self._decode(
            band,
            self._readers[band].decimated(height_px, width_px),
            _centres(0, height_px) * (info.height_px / height_px),
            _centres(0, width_px) * (info.width_px / width_px),
        )

    def _decoded(self, band: str, stored: Raster, window: Window) -> Raster:
        rows, cols = _centres(window.row_off, window.row_stop), _centres(window.col_off, window.col_stop)
        return self._decode(band, stored, rows, cols)

    def _decode(self, band: str, stored: Raster, rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64]) -> Raster:
        """Physical values where the band has a decoder, NaN where it has none."""
        decoder = self._decoders.get(band)
        if decoder is None:
            return stored
        values = decoder(stored.pixels[0], rows, cols)
        values[~stored.valid] = np.nan
        return Raster(values[None], stored.valid & np.isfinite(values), stored.bands)

    def _axes_of(self, reader: GeoTiff) -> tuple[Axis, Axis]:
        info, finest = reader.info, self._finest.info
        if info.crs != finest.crs:
            raise DataError("grid_mismatch", f"{reader.place}: is in {info.crs}, but {self._finest.place} in {finest.crs}")
        if info.transform is None or finest.transform is None:
            # Without a map, files of a scene are taken to show the same ground edge to edge.
            rows, cols = info.height_px / finest.height_px, info.width_px / finest.width_px
            return Axis(rows, 0.0, info.height_px), Axis(cols, 0.0, info.width_px)
        a, b, c, d, e, f = _between(finest.transform, info.transform)
        if b or d or a <= 0 or e <= 0:
            raise DataError("grid_mismatch", f"{reader.place}: its grid is turned against that of {self._finest.place}")
        return Axis(e, f, info.height_px), Axis(a, c, info.width_px)

    def _one_extent(self) -> bool:
        """Whether all bands end where the scene does, to half a pixel, so that shrinking each gives the same view."""
        shape = (self.info.height_px, self.info.width_px)
        return all(
            abs(axis.offset) <= 0.5 and abs(axis.offset + axis.scale * extent - axis.extent_px) <= 0.5
            for axes in self._axes.values()
            for axis, extent in zip(axes, shape, strict=True)
        )


def interpolate(source: Raster, rows: Taps, cols: Taps) -> Raster:
    """Bilinear values at the taps, (1, rows, cols) in the source's type; each depends on its own taps only."""
    kind = np.float32 if source.pixels.dtype.itemsize <= 2 else np.float64
    band = np.where(source.valid, source.pixels[0], 0).astype(kind)
    # Columns first: they are done on the source's few rows.
    across = _mix(band[:, cols.low], band[:, cols.high], cols.weight.astype(kind)[None, :])
    mixed = _mix(across[rows.low], across[rows.high], rows.weight.astype(kind)[:, None])
    pixels = (np.rint(mixed) if source.pixels.dtype.kind in "iu" else mixed).astype(source.pixels.dtype)
    valid = rows.inside[:, None] & cols.inside[None, :]
    if not source.valid.all():
        good = source.valid[:, cols.low] & source.valid[:, cols.high]
        valid &= good[rows.low] & good[rows.high]
    return Raster(pixels[None], valid, source.bands)


def _centres(start: int, stop: int) -> npt.NDArray[np.float64]:
    return np.arange(start, stop, dtype=np.float64) + 0.5


def _mix(low: npt.NDArray[Any], high: npt.NDArray[Any], weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    mixed: npt.NDArray[Any] = low + (high - low) * weight
    return mixed


def _moved(taps: Taps, start: int) -> Taps:
    return replace(taps, low=taps.low - start, high=taps.high - start)


def _between(scene: tuple[float, ...], band: tuple[float, ...]) -> list[float]:
    """The affine map from the scene's pixels to the band's: inverse(band) after scene."""
    a, b, c, d, e, f = band
    area = a * e - b * d
    inverse = (e / area, -b / area, -d / area, a / area)
    east, south = scene[2] - c, scene[5] - f
    columns = ((scene[0], scene[3]), (scene[1], scene[4]), (east, south))
    first = [inverse[0] * x + inverse[1] * y for x, y in columns]
    second = [inverse[2] * x + inverse[3] * y for x, y in columns]
    return [_neat(value) for value in (*first, *second)]


def _neat(value: float) -> float:
    """The whole number that rounding errors of the two maps hide, else the value."""
    return float(round(value)) if abs(value - round(value)) < 1e-6 else value


def _pixel_area(reader: GeoTiff) -> float:
    info = reader.info
    if info.transform is None:
        return 1.0 / (info.height_px * info.width_px)
    a, b, _, d, e, _ = info.transform
    return abs(a * e - b * d)


def _listed(files: dict[str, str]) -> str:
    return ", ".join(f"{band}: {path}" for band, path in files.items()) or "none"
