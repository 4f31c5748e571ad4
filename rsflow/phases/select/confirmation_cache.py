"""Answers of earlier selections, so that a pair of pictures is compared only once.

An answer depends on the two pictures, the orientation, the compared region and the rule alone, so a 128-bit hash of these finds
it again, whatever the row numbers are. A selection writes the answers that it used, old and new, and nothing else.

A file is named by its digest and ignored where the content has another one: the pairs are then compared again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import Flags
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions, Floats
from rsflow.curation.hashing import Hashes, combine_hashes, stable_hashes
from rsflow.errors import RsflowError
from rsflow.files import storage
from rsflow.lake.tables import Lake
from rsflow.stage import fingerprint

FOLDER = "confirmations"
RULE_VERSION = 1  # raised with every change of what confirms a pair

_ANSWERS = pa.schema([("high", pa.uint64()), ("low", pa.uint64()), ("same", pa.bool_())])

Keys = npt.NDArray[np.uint64]  # (n, 2): sorted and found by the first half, recognised by the second


@dataclass(slots=True)
class ConfirmationCache:
    """`keys` and `answers` of earlier selections, sorted; `compared` counts pairs that were compared anew."""

    keys: Keys
    answers: Flags
    compared: int = 0
    _used: list[tuple[Keys, Flags]] = field(default_factory=list)

    def wrap_pairs(self, confirm: Confirm, pictures: pa.ChunkedArray) -> Confirm:
        """The same answers; `pictures` are digests of the rows' pictures."""
        lanes = _hash_pictures(pictures)

        def ask(pairs: Indices) -> Flags:
            return self._answer(_pair_keys(lanes, pairs), lambda rows: confirm(pairs[rows]))

        return ask

    def wrap_regions(self, confirm: ConfirmRegions, pictures: pa.ChunkedArray) -> ConfirmRegions:
        """The same of regions."""
        lanes = _hash_pictures(pictures)

        def ask(pairs: Indices, regions: Floats) -> Flags:
            columns = [np.ascontiguousarray(column).view(np.uint64) for column in regions.T]
            return self._answer(_pair_keys(lanes, pairs, columns), lambda rows: confirm(pairs[rows], regions[rows]))

        return ask

    def used(self) -> tuple[Keys, Flags]:
        """Every pair that was asked about, each once, and the answers."""
        keys = np.concatenate([np.empty((0, 2), dtype=np.uint64), *(keys for keys, _ in self._used)])
        answers = np.concatenate([np.empty(0, dtype=np.bool_), *(answers for _, answers in self._used)])
        return _sorted(keys, answers)

    def _answer(self, keys: Keys, compare: Callable[[Indices], Flags]) -> Flags:
        at = np.searchsorted(self.keys[:, 0], keys[:, 0])
        found = np.flatnonzero(at < len(self.keys))
        found = found[(self.keys[at[found]] == keys[found]).all(axis=1)]
        answers = np.zeros(len(keys), dtype=np.bool_)
        answers[found] = self.answers[at[found]]
        unknown = np.delete(np.arange(len(keys)), found)
        if len(unknown):
            answers[unknown] = compare(unknown)
            self.compared += len(unknown)
        self._used.append((keys, answers))
        return answers


def read_cache(lake: Lake, max_error: float) -> ConfirmationCache:
    """What earlier selections of a lake with this limit on the mean error were answered."""
    rows = pa.concat_tables([_ANSWERS.empty_table(), *_read_files(lake, _prefix(max_error))])
    keys = np.stack([np.asarray(rows[name], dtype=np.uint64) for name in ("high", "low")], axis=1)
    return ConfirmationCache(*_sorted(keys, np.asarray(rows["same"], dtype=np.bool_)))


def write_cache(lake: Lake, max_error: float, cache: ConfirmationCache) -> None:
    """Keep what was asked instead of what was kept before; nothing is written where that is the same."""
    keys, answers = cache.used()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([*map(pa.array, keys.T), pa.array(answers)], schema=_ANSWERS), sink)
    data = sink.getvalue().to_pybytes()
    name = f"{_prefix(max_error)}{hashlib.sha256(data).hexdigest()}.parquet"
    before = storage.list_files(lake.place(FOLDER))
    if name not in before:
        storage.write_bytes(lake.place(FOLDER, name), data)
    storage.remove_all([lake.place(FOLDER, other) for other in before if other != name])


def _read_files(lake: Lake, prefix: str) -> Iterator[pa.Table]:
    for name in storage.list_files(lake.place(FOLDER)):
        if name.startswith(prefix):
            try:
                data = storage.read_bytes(lake.place(FOLDER, name))
            except RsflowError:
                if storage.exists(lake.place(FOLDER, name)):
                    raise
                continue  # another selection has replaced it
            if name == f"{prefix}{hashlib.sha256(data).hexdigest()}.parquet":
                yield pq.read_table(io.BytesIO(data)).cast(_ANSWERS)


def _prefix(max_error: float) -> str:
    return f"{fingerprint(RULE_VERSION, max_error)[:16]}-"


def _hash_pictures(pictures: pa.ChunkedArray) -> tuple[Hashes, Hashes]:
    return stable_hashes(pictures, 0), stable_hashes(pictures, 1)


def _pair_keys(lanes: tuple[Hashes, Hashes], pairs: Indices, more: list[Hashes] | None = None) -> Keys:
    turned = pairs[:, 2].astype(np.uint64)
    halves = [combine_hashes(lane[pairs[:, 0]], lane[pairs[:, 1]], turned, *(more or [])) for lane in lanes]
    return np.stack(halves, axis=1)


def _sorted(keys: Keys, answers: Flags) -> tuple[Keys, Flags]:
    """By the first half of the keys, each once."""
    _, first = np.unique(keys[:, 0], return_index=True)
    return keys[first], answers[first]
