"""A tile's bands are kept as they were read, beside the picture that was made of them.

One idea: nothing is decided here. Values are those of the file, also where they mean nothing, and how they become physical
values (scale, offset, unit) is stored with them. Which pixels are not valid is stored as runs, because a mask may come from a
fill value, an alpha band, a mask file or the padding of a small scene, and no single number could stand for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.errors import DataError
from rsflow.records import Raster
from rsflow.shards.format import encode_bands
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import rasters, replace


@dataclass(frozen=True, slots=True)
class KeepBands:
    """Fills `raw`, `raw_bands` and `raw_invalid`. DataError("unsupported") for a type of pixels that loaders do not take."""

    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_kept(_keep)


def find_runs(chosen: npt.NDArray[np.bool_]) -> list[int]:
    """Where the runs of True begin and end, counted by rows: [start, stop, start, stop, …], half-open."""
    flat = np.concatenate([[False], chosen.reshape(-1), [False]])
    found: list[int] = np.flatnonzero(flat[1:] != flat[:-1]).tolist()
    return found


def _keep(table: pa.Table) -> Iterator[pa.Table]:
    tiles = list(rasters(table))
    members = [_member(*each) for each in zip(table["tile_id"].to_pylist(), tiles, strict=True)]
    kinds = [tile.pixels.dtype.name for tile in tiles]
    columns = (table[name].to_pylist() for name in ("pixel_unit", "nodata", "calibration"))
    yield replace(
        table,
        raw=[_describe(*each) for each in zip(members, kinds, *columns, strict=True)],
        raw_bands=members,
        raw_invalid=[find_runs(~tile.valid) for tile in tiles],
    )


def _member(tile_id: str, tile: Raster) -> bytes:
    try:
        return encode_bands(tile.pixels)
    except DataError as error:
        raise DataError(error.reason, f"{tile_id}: {error.detail}; without `render.raw_bands` it can be used") from error


def _describe(
    member: bytes, dtype: str, unit: str, nodata: list[float | None], calibration: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """A RAW_STRUCT."""
    return {
        "bytes": len(member),
        "sha256": hashlib.sha256(member).hexdigest(),
        "dtype": dtype,
        "unit": unit,
        "nodata": nodata,
        "scale": [each["scale"] for each in calibration or ()],
        "offset": [each["offset"] for each in calibration or ()],
        "calibrated_by": [each["origin"] for each in calibration or ()],
    }
