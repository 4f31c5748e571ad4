"""Arcs and other curves, which shapely does not know, as lines that follow them.

GDAL does it (`OGR_G_GetLinearGeometry`), but not in its Arrow stream: the few features that have one are read again by their
number. Codes of geometries in well-known binary: OGC Simple Feature Access, part 1, table 7 (and ISO SQL/MM part 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_CURVES = (8, 9, 10, 11, 12, 13, 14)  # circular string to multi surface, curve, surface
_FLAGS = 0xE0000000  # of further dimensions, in the extended form


def straighten_curves(path: str, layer: str, wkb: pa.Array, numbers: pa.Array) -> pa.Array:
    """The geometries with every curve replaced. `numbers`: of the features in their layer."""
    rows = np.flatnonzero(np.isin(_type_codes(wkb), _CURVES))
    if not len(rows):
        return wkb
    import pyogrio

    fids = numbers.take(pa.array(rows)).to_numpy(zero_copy_only=False).astype(np.int64)
    _, _, straight, _ = pyogrio.raw.read(path, layer=layer, columns=[], fids=fids)
    values: npt.NDArray[Any] = wkb.to_numpy(zero_copy_only=False).copy()
    values[rows] = straight
    return pa.array(values, pa.binary())


def _type_codes(wkb: pa.Array) -> npt.NDArray[np.int64]:
    """The code of each geometry's type without its dimensions, -1 where it is missing or too short to have one."""
    found = np.full(len(wkb), -1, np.int64)
    if not len(wkb):
        return found
    large = wkb.cast(pa.large_binary())  # of a slice, the cast may have another offset
    _, offsets, data = large.buffers()
    starts = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    has_type = np.diff(starts) >= 5
    if has_type.any():
        heads = np.frombuffer(data, np.uint8)[starts[:-1][has_type, None] + np.arange(5)]
        codes = np.ascontiguousarray(heads[:, 1:])
        little = heads[:, 0] == 1
        values = np.where(little, codes.view("<u4")[:, 0], codes.view(">u4")[:, 0]).astype(np.int64)
        found[has_type] = (values & ~_FLAGS) % 1000
    return found
