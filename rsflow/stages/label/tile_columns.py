"""How stages read and replace the columns of a batch of tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.calibration import Calibration, to_physical
from rsflow.records import Raster
from rsflow.schemas import IN_FLIGHT, pack_arrays, unpack_array


def replace(table: pa.Table, **columns: Any) -> pa.Table:
    """The table with these columns of IN_FLIGHT replaced by arrays or lists of values."""
    for name, values in columns.items():
        position = table.schema.get_field_index(name)
        field = IN_FLIGHT.field(name)
        array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, field.type)
        table = table.set_column(position, field, array)
    return table


def rasters(table: pa.Table) -> Iterator[Raster]:
    """The pixels of each tile as they were read, as views."""
    for i in range(table.num_rows):
        shape = table["pixels_shape"][i].as_py()
        pixels = unpack_array(table["pixels"][i], table["pixels_dtype"][i].as_py(), shape)
        valid = unpack_array(table["valid"][i], "bool", shape[1:])
        yield Raster(pixels, valid, tuple(table["bands"][i].as_py()))


def measured(table: pa.Table) -> Iterator[Raster]:
    """The physical values of each tile, NaN where a band has none: what everything that measures takes."""
    for raster, how, nodata in zip(rasters(table), table["calibration"].to_pylist(), table["nodata"].to_pylist(), strict=True):
        yield to_physical(raster, [Calibration(**each) for each in how or ()], nodata or ())


def pictures(table: pa.Table) -> Iterator[npt.NDArray[np.uint8]]:
    """The rendered picture of each tile (before EncodeTiles), as views."""
    for i in range(table.num_rows):
        yield unpack_array(table["picture"][i], "uint8", table["picture_shape"][i].as_py())


def with_pictures(table: pa.Table, arrays: Sequence[npt.NDArray[np.uint8]]) -> pa.Table:
    return replace(table, picture=pack_arrays(list(arrays)), picture_shape=[list(array.shape) for array in arrays])
