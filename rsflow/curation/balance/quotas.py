"""Quotas: at most so many instructions of a task, sensor, source, or a combination of these.

Every instruction has one priority, the hash of its id and the seed. A quota of n admits the first n of its key, and an
instruction is kept if every quota that concerns it admits it. Each quota is evaluated over all instructions, not over what
other quotas left. So a larger quota keeps all that a smaller one kept, no quota depends on another or on the order of rows, and
added data drops as few as possible.

Where quotas overlap (100 of `vqa/optical` and 1,000 of `vqa`), a key can end below its quota although more of it exists. That
is intended: filling it would mean that a larger quota of one key drops instructions of another.

A key is one or more parts joined by "/": a task, a sensor, or a column and a value as in `source:ucm`, `region:N40E010` or
`category:ship`. What is protected stays whatever the quotas say, see `rsflow.curation.balance.mixture`.
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
from rsflow.curation.value_codes import encode_values, value_codes
from rsflow.errors import ConfigError
from rsflow.sensors import SENSOR_NAMES

COLUMNS = ("task", "sensor", "source", "licence", "region", "category")

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
_NONE: Mapping[str, Any] = MappingProxyType({})


def apply_quotas(instructions: pa.Table, quotas: Mapping[str, int], seed: int) -> tuple[pa.Array, pa.Array]:
    """(selected, reason) per instruction; reason is null where selected, else "quota:<key>".

    `instructions` has instruction_id (unique; or `order`, see `priority_order`) and the columns that the keys name (plain or
    dictionary-encoded text; `category` a list of texts), and may have `priority`: whole numbers 0 to 255, of which 0 comes
    first and the hash decides among equals. Where several quotas drop one, the reason names the one with most parts, tasks
    before sensors before others. Never more than a quota is kept; if two hashes are equal at its edge, one or two fewer.
    """
    order = priority_order(instructions, seed)
    keyed = KeyIndex(instructions)
    dropped_by = np.full(instructions.num_rows, -1, dtype=np.int32)
    names = sorted(quotas, key=_rank)
    for number in reversed(range(len(names))):
        rows = keyed.rows(names[number])
        dropped_by[rows[_is_beyond(order[rows], quotas[names[number]])]] = number
    reasons = pa.array([f"quota:{name}" for name in names], pa.string())
    reason = reasons.take(pa.array(dropped_by, mask=dropped_by < 0))
    return reason.is_null(), reason


def protected_rows(keyed: KeyIndex, least: Mapping[str, int], order: Hashes) -> Rows:
    """The rows that are among the first so many of a key of `least`."""
    found = [np.empty(0, dtype=np.int64)]
    for key, count in least.items():
        rows = keyed.rows(key)
        found.append(rows[~_is_beyond(order[rows], count)])
    return np.concatenate(found)


def is_over_cap(values: pa.ChunkedArray, most: int, order: Hashes) -> Flags:
    """True for the instructions that are not among the first `most` of some value of theirs.

    `values`: a list of texts per instruction, or one dictionary-encoded text. `order`: smaller comes first.
    """
    row, rank = _rank_by_value(values, order)
    beyond = np.zeros(len(values), dtype=np.bool_)
    beyond[row[rank >= most]] = True
    return beyond


def is_among_first(values: pa.ChunkedArray, least: int, order: Hashes) -> Flags:
    """True for the instructions that are among the first `least` of some value of theirs."""
    row, rank = _rank_by_value(values, order)
    first = np.zeros(len(values), dtype=np.bool_)
    first[row[rank < least]] = True
    return first


def priority_order(instructions: pa.Table, seed: int) -> Hashes:
    """What comes first among instructions, smaller before larger: the hash of the id, after the priority where there is one.

    The column `order` holds such hashes already, for tables that are too long to hold their ids.
    """
    named = "order" not in instructions.column_names
    hashes = stable_hashes(instructions["instruction_id"], seed) if named else np.asarray(instructions["order"])
    if "priority" not in instructions.column_names:
        return hashes
    priority = np.asarray(instructions["priority"]).astype(np.uint64)
    return (priority << np.uint64(56)) | (hashes >> np.uint64(8))


class KeyIndex:
    """Finds the rows that a key concerns; each column is encoded once."""

    def __init__(self, instructions: pa.Table) -> None:
        self._table = instructions
        self._codes: dict[str, tuple[npt.NDArray[np.int32], dict[str, int]]] = {}

    def rows(self, key: str) -> npt.NDArray[np.int64]:
        """Positions, ascending."""
        mask = np.ones(self._table.num_rows, dtype=np.bool_)
        for column, value in map(parse_key_part, key.split("/")):
            mask &= self._has_category(value) if column == "category" else self._equals(column, value)
        return np.flatnonzero(mask)

    def counts(self, column: str) -> dict[str, int]:
        """Rows by value of a column with one value per row, of the values that occur."""
        codes, numbers = self._encoded(column)
        found = np.bincount(codes[codes >= 0], minlength=len(numbers))
        return {value: int(found[number]) for value, number in sorted(numbers.items()) if found[number]}

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
            encoded = encode_values(self._table[column])
            numbers = {value: number for number, value in enumerate(encoded.dictionary.to_pylist()) if value is not None}
            self._codes[column] = np.asarray(encoded.indices.fill_null(-1), dtype=np.int32), numbers
        return self._codes[column]


def parse_key_part(text: str) -> tuple[str, str]:
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
            "source:NAME, licence:NAME, region:NAME or category:NAME"
        )


def _is_known(key: str, known: Mapping[str, Collection[str]]) -> bool:
    parts = [parse_key_part(text) for text in key.split("/")]
    columns = [COLUMNS.index(column) for column, _ in parts]
    right = all(value in known[column] if column in known else value for column, value in parts)
    return right and columns == sorted(set(columns))


def _rank(key: str) -> tuple[int, list[int], str]:
    columns = [COLUMNS.index(parse_key_part(text)[0]) for text in key.split("/")]
    return -len(columns), columns, key


def _rank_by_value(values: pa.ChunkedArray, order: Hashes) -> tuple[Rows, Rows]:
    """(row, place among the rows of the value) for each row and each different value of it."""
    row, code = row_values(values)
    by_value = np.lexsort((order[row], code))
    code = code[by_value]
    return row[by_value], np.arange(len(code)) - np.searchsorted(code, code)


def row_values(values: pa.ChunkedArray) -> tuple[Rows, Rows]:
    """(row, code) of each different value of each row of a column of lists, or of dictionary-encoded texts; nulls have none."""
    if pa.types.is_dictionary(values.type):
        code = value_codes(values)
        return np.flatnonzero(code >= 0), code[code >= 0]
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    row = np.asarray(pc.list_parent_indices(whole)).astype(np.int64)
    code = value_codes(whole.flatten())
    pairs = np.unique(np.stack([row, code], axis=1)[code >= 0], axis=0)
    return pairs[:, 0], pairs[:, 1]


def _is_beyond(order: Hashes, quota: int) -> Flags:
    """True for those that are not among the first `quota`; equals at the edge are all beyond it."""
    if quota >= len(order):
        return np.zeros(len(order), dtype=np.bool_)
    beyond: Flags = order >= np.partition(order, quota)[quota]
    return beyond
