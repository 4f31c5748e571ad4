"""Balance: at most so many instructions of a task, of a sensor, of a source, or of any of these together.

One idea: every instruction has one priority, the hash of its id and the seed. A quota of n admits the n of its key that come
first, and an instruction stays if every quota that concerns it admits it. Each quota is judged over all instructions, not over
those that other quotas left. So a larger quota keeps all that a smaller one kept, no quota depends on another or on the order
of rows, and added data pushes out only what it must.

The price, on purpose: where quotas overlap (100 of `vqa/optical` and 1,000 of `vqa`) a key can end below its quota although
more of it exists. Filling it up would mean that a larger quota here throws out something there.

A key is one or more parts joined by "/": a task, a sensor, or a column and a value as in `source:ucm` or `category:ship`.
`least` protects: the n of its key that come first stay whatever the quotas say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.errors import ConfigError
from rsflow.sensors import SENSOR_NAMES

COLUMNS = ("task", "sensor", "source", "licence", "category")

Flags = npt.NDArray[np.bool_]
_NONE: Mapping[str, Any] = MappingProxyType({})


def apply_quotas(
    instructions: pa.Table, quotas: Mapping[str, int], seed: int, least: Mapping[str, int] = _NONE
) -> tuple[pa.Array, pa.Array]:
    """(selected, reason) per instruction; reason is null where selected, else "quota:<key>".

    `instructions` has instruction_id (unique) and the columns that the keys name (plain or dictionary-encoded text; `category`
    a list of texts), and may have `priority`: whole numbers 0 to 255, of which 0 comes first and the hash decides among equals.
    Where several quotas drop one, the reason names the one with most parts, tasks before sensors before others. Never more
    than a quota is kept, but for what `least` protects; if two hashes are equal at its edge, one or two fewer.
    """
    order = _order(instructions, seed)
    keyed = Keyed(instructions)
    dropped_by = np.full(instructions.num_rows, -1, dtype=np.int32)
    names = sorted(quotas, key=_rank)
    for number in reversed(range(len(names))):
        rows = keyed.rows(names[number])
        dropped_by[rows[_beyond(order[rows], quotas[names[number]])]] = number
    for key, count in least.items():
        rows = keyed.rows(key)
        dropped_by[rows[~_beyond(order[rows], count)]] = -1
    reasons = pa.array([f"quota:{name}" for name in names], pa.string())
    reason = reasons.take(pa.array(dropped_by, mask=dropped_by < 0))
    return reason.is_null(), reason


def cap_each(categories: pa.ChunkedArray, most: int, ids: pa.ChunkedArray, seed: int) -> Flags:
    """True for the instructions (of these ids) that are not among the first `most` of some category that they are about."""
    lists = categories.combine_chunks()
    rows = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    codes = np.asarray(pc.dictionary_encode(lists.flatten()).indices.fill_null(-1)).astype(np.int64)
    pairs = np.unique(np.stack([codes, rows], axis=1)[codes >= 0], axis=0)
    order = np.lexsort((stable_hashes(ids, seed)[pairs[:, 1]], pairs[:, 0]))
    code = pairs[order, 0]
    rank = np.arange(len(code)) - np.searchsorted(code, code)
    beyond = np.zeros(len(lists), dtype=np.bool_)
    beyond[pairs[order[rank >= most], 1]] = True
    return beyond


class Keyed:
    """Finds the rows that a key concerns; each column is encoded once."""

    def __init__(self, instructions: pa.Table) -> None:
        self._table = instructions
        self._codes: dict[str, tuple[npt.NDArray[np.int32], dict[str, int]]] = {}

    def rows(self, key: str) -> npt.NDArray[np.int64]:
        """Positions, ascending."""
        mask = np.ones(self._table.num_rows, dtype=np.bool_)
        for column, value in map(part_of, key.split("/")):
            mask &= self._has_category(value) if column == "category" else self._equals(column, value)
        return np.flatnonzero(mask)

    def counts(self, column: str) -> dict[str, int]:
        """Rows by value of a column with one value per row."""
        codes, numbers = self._encoded(column)
        found = np.bincount(codes[codes >= 0], minlength=len(numbers))
        return {value: int(found[number]) for value, number in sorted(numbers.items())}

    def _equals(self, column: str, value: str) -> Flags:
        codes, numbers = self._encoded(column)
        flags: Flags = codes == numbers.get(value, -2)
        return flags

    def _has_category(self, value: str) -> Flags:
        lists = self._table["category"].combine_chunks()
        flags = np.zeros(len(lists), dtype=np.bool_)
        flags[np.asarray(pc.list_parent_indices(lists))[np.asarray(pc.equal(lists.flatten(), value))]] = True
        return flags

    def _encoded(self, column: str) -> tuple[npt.NDArray[np.int32], dict[str, int]]:
        if column not in self._codes:
            values = self._table[column]
            encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
            chunk = encoded.combine_chunks()
            chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
            numbers = {value: number for number, value in enumerate(chunk.dictionary.to_pylist()) if value is not None}
            self._codes[column] = np.asarray(chunk.indices.fill_null(-1), dtype=np.int32), numbers
        return self._codes[column]


def part_of(text: str) -> tuple[str, str]:
    """(column, value) of a part of a key."""
    column, colon, value = text.partition(":")
    if colon and column in COLUMNS:
        return column, value
    return ("sensor" if text in SENSOR_NAMES else "task"), text


def check_quotas(
    quotas: Collection[str], tasks: Collection[str], sensors: Collection[str], others: Mapping[str, Collection[str]] = _NONE
) -> None:
    """Raises ConfigError that lists every key with an unknown or repeated part, with the tasks and sensors that are known.

    `others`: the known values of further columns; a column that is not in it may have any value (of COLUMNS).
    """
    known = {"task": tasks, "sensor": sensors, **others}
    unknown = [key for key in quotas if not _is_known(key, known)]
    if unknown:
        raise ConfigError(
            f"select.quotas: unknown {'keys' if len(unknown) > 1 else 'key'} {', '.join(map(repr, unknown))}; "
            f"a key is a task ({', '.join(tasks)}), a sensor ({', '.join(sensors)}), task/sensor, or has parts such as "
            "source:NAME, licence:NAME or category:NAME"
        )


def _is_known(key: str, known: Mapping[str, Collection[str]]) -> bool:
    parts = [part_of(text) for text in key.split("/")]
    columns = [COLUMNS.index(column) for column, _ in parts]
    right = all(value in known[column] if column in known else value for column, value in parts)
    return right and columns == sorted(set(columns))


def _rank(key: str) -> tuple[int, list[int], str]:
    columns = [COLUMNS.index(part_of(text)[0]) for text in key.split("/")]
    return -len(columns), columns, key


def _order(instructions: pa.Table, seed: int) -> Hashes:
    """Smaller comes first."""
    hashes = stable_hashes(instructions["instruction_id"], seed)
    if "priority" not in instructions.column_names:
        return hashes
    priority = np.asarray(instructions["priority"]).astype(np.uint64)
    return (priority << np.uint64(56)) | (hashes >> np.uint64(8))


def _beyond(order: Hashes, quota: int) -> Flags:
    """True for those that are not among the first `quota`; equals at the edge are all beyond it."""
    if quota >= len(order):
        return np.zeros(len(order), dtype=np.bool_)
    beyond: Flags = order >= np.partition(order, quota)[quota]
    return beyond
