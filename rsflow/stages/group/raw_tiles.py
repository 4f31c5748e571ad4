"""The raw bands of a tile, as stored and as physical values."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rsflow.calibration import Calibration, to_physical
from rsflow.lake.tile_files import read_raw
from rsflow.records import Raster


def read_stored(root: str, row: dict[str, Any]) -> Raster:
    """The stored numbers of a tile with raw bands, and which of its pixels are no fill."""
    kept = read_raw(root, [row])[row["tile_id"]]
    stored = np.load(io.BytesIO(kept.bands), allow_pickle=False)
    valid = np.ones(stored.shape[1] * stored.shape[2], np.bool_)
    for start, stop in zip(kept.invalid[::2], kept.invalid[1::2], strict=True):
        valid[start:stop] = False
    return Raster(stored, valid.reshape(stored.shape[1:]), tuple(row["bands"]))


def as_physical(raster: Raster, raw: dict[str, Any]) -> Raster:
    """Stored numbers as values in `raw["unit"]`."""
    known = [Calibration(*each) for each in zip(raw["scale"], raw["offset"], strict=True)]
    return to_physical(raster, known, raw["nodata"])


def read_physical(root: str, row: dict[str, Any]) -> Raster:
    """The values of a tile in the unit of its raw bands."""
    return as_physical(read_stored(root, row), row["raw"])
