"""The raw bands of a written tile as physical values."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rsflow.calibration import Calibration, to_physical
from rsflow.lake.tile_files import RawBands
from rsflow.records import Raster


def physical_bands(tile: dict[str, Any], raw: RawBands) -> tuple[Raster, str]:
    """(raster, unit) of a TILES row with `raw` and what `read_raw` gave of it: NaN where a band has no value; the unit is empty
    where it is not known."""
    pixels = np.load(io.BytesIO(raw.bands), allow_pickle=False)
    valid = np.ones(pixels.shape[1] * pixels.shape[2], np.bool_)
    for start, stop in zip(raw.invalid[::2], raw.invalid[1::2], strict=True):
        valid[start:stop] = False
    known = tile["raw"]
    scales, offsets = known["scale"] or (), known["offset"] or ()
    how = [Calibration(scale, offset, known["unit"]) for scale, offset in zip(scales, offsets, strict=True)]
    raster = Raster(pixels, valid.reshape(pixels.shape[1:]), tuple(tile["bands"]))
    return to_physical(raster, how, known["nodata"] or ()), known["unit"] or ""
