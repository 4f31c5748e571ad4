"""The raw bands of a written tile, as stored and as physical values."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rsflow.calibration import Calibration, to_physical
from rsflow.lake.tile_files import RawBands, read_raw
from rsflow.records import Raster


def read_stored(root: str, tile: dict[str, Any]) -> Raster:
    """The stored numbers of a TILES row with raw bands, and which of its pixels are no fill."""
    return stored_raster(tile, read_raw(root, [tile])[tile["tile_id"]])


def read_physical(root: str, tile: dict[str, Any]) -> Raster:
    """The values of a TILES row with raw bands in their unit: NaN where a band has no value."""
    return as_physical(read_stored(root, tile), tile["raw"])


def stored_raster(tile: dict[str, Any], raw: RawBands) -> Raster:
    """The stored numbers of a TILES row from what `read_raw` gave of it."""
    pixels = np.load(io.BytesIO(raw.bands), allow_pickle=False)
    valid = np.ones(pixels.shape[1] * pixels.shape[2], np.bool_)
    for start, stop in zip(raw.invalid[::2], raw.invalid[1::2], strict=True):
        valid[start:stop] = False
    return Raster(pixels, valid.reshape(pixels.shape[1:]), tuple(tile["bands"]))


def as_physical(raster: Raster, known: dict[str, Any]) -> Raster:
    """Stored numbers as values in the unit of the column `raw` (`known`); NaN where a band has no value."""
    scales = zip(known["scale"] or (), known["offset"] or (), strict=True)
    return to_physical(raster, [Calibration(scale, offset, known["unit"]) for scale, offset in scales], known["nodata"] or ())
