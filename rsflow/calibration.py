"""From stored numbers to physical values: one value per band and pixel, with its unit and where the numbers came from.

One idea: readers give pixels as the file stores them and, per band, a Calibration; everything that measures takes the values
that `to_physical` computes from both. Where nothing is known of a band its stored numbers stand as they are
and `origin` is empty: they have no physical meaning. A band's missing values (fill, NaN) are NaN in that band only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.records import Raster

# Fill values near the end of the range are often rounded where they are written as text (-3.4e+38): nobody measures that.
HUGE = 1e30
HUGE_SLACK = 1e-3
LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
FLOAT_SLACK = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class Calibration:
    """value = scale * stored + offset, in `unit` ("" where it is not known).

    `origin` names where the numbers come from: "setting", "file tags", a metadata file; empty where there are none.
    """

    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    origin: str = ""

    @property
    def changes(self) -> bool:
        return (self.scale, self.offset) != (1.0, 0.0)

    @property
    def possible(self) -> bool:
        """Whether both are finite and the scale is not 0 in single precision, in which values are measured."""
        return all(math.isfinite(value) and abs(value) <= LARGEST for value in (self.scale, self.offset)) and (
            abs(self.scale) >= SMALLEST
        )


UNCALIBRATED = Calibration()


def equals_fill(band: npt.NDArray[Any], fill: float) -> npt.NDArray[np.bool_]:
    """Where a band holds its fill value; fractions are compared with the precision that a value written as text keeps."""
    if band.dtype.kind != "f":
        equal: npt.NDArray[np.bool_] = band == fill
        return equal
    if abs(fill) >= HUGE:
        limit = fill * (1 - HUGE_SLACK)
        return np.asarray(band >= limit if fill > 0 else band <= limit)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.abs(band - band.dtype.type(fill)) <= FLOAT_SLACK * abs(fill))


def missing_values(band: npt.NDArray[Any], fill: float | None) -> npt.NDArray[np.bool_] | None:
    """Where a band has no value (rows, cols): fill and what is not finite. None where it has one everywhere."""
    lost = None if fill is None else equals_fill(band, fill)
    if band.dtype.kind == "f":
        not_finite = ~np.isfinite(band)
        lost = not_finite if lost is None else lost | not_finite
    return lost if lost is not None and lost.any() else None


def to_physical(raster: Raster, calibrations: Sequence[Calibration] = (), nodata: Sequence[float | None] = ()) -> Raster:
    """The raster's physical values.

    `calibrations` and `nodata` are per band, empty where nothing is known. The result is the raster itself where nothing has to
    be changed, else float32 with NaN where a band has no value; `valid` and `bands` stay.
    """
    bands = range(len(raster.pixels))
    how = [calibrations[i] if i < len(calibrations) else UNCALIBRATED for i in bands]
    lost = [missing_values(band, nodata[i] if i < len(nodata) else None) for i, band in enumerate(raster.pixels)]
    gaps = [mask is not None and bool((mask & raster.valid).any()) for mask in lost]
    if not any(gaps) and not any(each.changes for each in how):
        return raster
    values = np.empty(raster.pixels.shape, np.float32)
    for i in bands:
        with np.errstate(over="ignore"):  # fill beyond float32 becomes infinite, then NaN
            values[i] = raster.pixels[i]
        if how[i].changes:
            values[i] *= np.float32(how[i].scale)
            values[i] += np.float32(how[i].offset)
        mask = lost[i]
        if mask is not None:
            values[i][mask] = np.nan
    return Raster(values, raster.valid, raster.bands)
