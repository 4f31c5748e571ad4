"""Instructions as numeric columns: about 30 bytes per instruction instead of hundreds of bytes of text.

Ids are hashed as they are read and never held. A tile is found by the hash of its id; `build_id_index` picks a seed for which
all hashes differ, so that no tile is mistaken for another. Decisions are joined with the ids when these are read again, in the
same order, to be written.

Columns: `order` (hash of the id: the priority), `content_hash` (of task and content), `tile` (row in the tiles table), `task`,
and `category` (lists) and scores where a rule needs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.hashing import Hashes, stable_hashes

COLUMNS = ["instruction_id", "tile_id", "task"]  # what `encode_instructions` reads

_SEEDS = 8  # of a hundred million ids, two have one hash once in three thousand times


@dataclass(frozen=True, slots=True)
class IdIndex:
    """Where an id stands: the hashes of all ids, sorted, and their rows."""

    seed: int
    hashes: Hashes
    rows: Indices

    def find(self, ids: pa.Array | pa.ChunkedArray) -> Indices:
        """The row of each id; -1 for one that the index was not made of."""
        hashed = stable_hashes(ids, self.seed)
        at = np.searchsorted(self.hashes, hashed)
        known_rows = at < len(self.hashes)
        known_rows[known_rows] = self.hashes[at[known_rows]] == hashed[known_rows]
        rows = np.full(len(hashed), -1, dtype=np.int64)
        rows[known_rows] = self.rows[at[known_rows]]
        return rows


def build_id_index(ids: pa.ChunkedArray) -> IdIndex:
    """The index of ids. ValueError where two are equal."""
    for seed in range(_SEEDS):
        hashes = stable_hashes(ids, seed)
        rows = np.argsort(hashes, kind="stable")
        hashes = hashes[rows]
        if not (hashes[1:] == hashes[:-1]).any():
            return IdIndex(seed, hashes, rows)
    raise ValueError("an id is there twice")


def encode_instructions(rows: pa.Table, tiles: IdIndex, seed: int) -> pa.Table:
    """Rows with instruction_id (its tile, "#", the task, "#" and what it says), tile_id and task, as numbers.

    ValueError for a tile_id that is not in the index.
    """
    ids = rows["instruction_id"]
    own = pc.dictionary_encode(rows["tile_id"]).combine_chunks()
    known = tiles.find(own.dictionary)
    if len(known) and known.min() < 0:
        raise ValueError(f"{own.dictionary[int(known.argmin())]} is none of the tiles")
    place = known[np.asarray(own.indices)]
    content = pc.replace_substring_regex(ids, "^.*#([^#]*#[^#]*)$", "\\1")
    return pa.table(
        {
            "order": stable_hashes(ids, seed),
            "content_hash": stable_hashes(content, 0),
            "tile": place.astype(np.int32),
            "task": pc.dictionary_encode(rows["task"]),
        }
    )
