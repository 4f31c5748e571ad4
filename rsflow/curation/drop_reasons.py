"""Per row, whether it is kept, or the first rule that dropped it.

A row takes one 32-bit code; the text of each reason is stored once. 100 million rows take 400 MB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

KEPT = "kept"

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Limits = Mapping[Any, tuple[float | None, float | None]]  # score -> least and most, None where there is none


class DropReasons:
    """The state of `count` rows. Rules are applied in order with `drop` and `drop_each`; the first that drops a row names
    it."""

    def __init__(self, count: int) -> None:
        self._codes = np.zeros(count, dtype=np.int32)
        self._names = [KEPT]

    @property
    def kept(self) -> Flags:
        flags: Flags = self._codes == 0
        return flags

    def drop(self, rows: Flags | Rows, reason: str) -> None:
        """Drop those of these rows (mask or positions) that are still kept, for this reason."""
        codes = self._codes[rows]
        self._codes[rows] = np.where(codes == 0, self._code(reason), codes)

    def drop_each(self, rows: Flags | Rows, reasons: pa.Array | pa.ChunkedArray) -> None:
        """Drop rows for one reason each; a null reason leaves the row as it is."""
        named = pc.dictionary_encode(reasons)
        named = named.combine_chunks() if isinstance(named, pa.ChunkedArray) else named
        mapped = np.array([*(self._code(name) for name in named.dictionary.to_pylist()), 0], dtype=np.int32)
        codes = self._codes[rows]
        self._codes[rows] = np.where(codes == 0, mapped[np.asarray(named.indices.fill_null(-1))], codes)

    def limit(self, rows: pa.Table, limits: Limits) -> None:
        """Drop rows whose score (a column of `rows`) is outside its limits, as "limit:<score>"."""
        for score, (least, most) in limits.items():
            values = np.asarray(rows[score].cast(pa.float64()).fill_null(np.nan))
            # Comparisons with NaN are false: a row without a score passes.
            self.drop(values < (-np.inf if least is None else least), f"limit:{score}")
            self.drop(values > (np.inf if most is None else most), f"limit:{score}")

    def take(self, rows: Rows, prefix: str) -> pa.DictionaryArray:
        """Per row (repetition allowed) null where it is kept, else `prefix` and its reason."""
        codes = self._codes[rows]
        names = pa.array([prefix + name for name in self._names], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == 0), names)

    def texts(self) -> pa.DictionaryArray:
        """Per row "kept" or the reason."""
        return pa.DictionaryArray.from_arrays(pa.array(self._codes), pa.array(self._names, pa.string()))

    def extended(self, count: int) -> DropReasons:
        """The same with `count` more rows at the end, all of them kept."""
        longer = DropReasons(len(self._codes) + count)
        longer._codes[: len(self._codes)] = self._codes
        longer._names = [*self._names]
        return longer

    def counts(self, start: int = 0, stop: int | None = None) -> dict[str, int]:
        """Number of rows (of those from `start` to `stop`) per reason, "kept" included, of those that occur."""
        found = np.bincount(self._codes[start:stop], minlength=len(self._names))
        return {name: int(count) for name, count in sorted(zip(self._names, found, strict=True)) if count}

    def _code(self, reason: str) -> int:
        if reason not in self._names:
            self._names.append(reason)
        return self._names.index(reason)
