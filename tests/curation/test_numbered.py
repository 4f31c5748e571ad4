"""Instructions as numbers: the same for the same rows, and a tile is found or refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rsflow.curation.hashing import stable_hashes
from rsflow.curation.instruction_columns import build_id_index, encode_instructions

IDS = pa.chunked_array([["b/0", "a/0"], [], ["c/0"]], pa.string())


def rows(*ids: str) -> pa.Table:
    parts = [name.split("#") for name in ids]
    columns = {"instruction_id": list(ids), "tile_id": [part[0] for part in parts], "task": [part[1] for part in parts]}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def test_an_index_finds_what_it_was_made_of_and_nothing_else() -> None:
    index = build_id_index(IDS)
    assert index.find(pa.array(["c/0", "b/0", "a/0", "d/0", "b/0"])).tolist() == [2, 0, 1, -1, 0]
    assert build_id_index(IDS.slice(0, 0)).find(pa.array(["a/0"])).tolist() == [-1]
    with pytest.raises(ValueError, match="twice"):
        build_id_index(pa.chunked_array([["a/0", "a/0"]]))


def test_a_seed_is_looked_for_under_which_all_hashes_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    def crowded(values: pa.ChunkedArray, seed: int) -> np.ndarray:
        return stable_hashes(values, seed) if seed >= 2 else np.zeros(len(values), dtype=np.uint64)

    monkeypatch.setattr("rsflow.curation.instruction_columns.stable_hashes", crowded)
    index = build_id_index(IDS)
    assert index.seed == 2
    assert index.find(IDS).tolist() == [0, 1, 2]


def test_rows_become_numbers_however_they_are_chunked() -> None:
    some = rows("a/0#vqa#1", "b/0#vqa#1", "a/0#vqa#2", "a/0#captioning#1")
    found = encode_instructions(some, build_id_index(IDS), 3)
    assert found["tile"].to_pylist() == [1, 0, 1, 1]
    assert np.array_equal(found["order"], stable_hashes(some["instruction_id"], 3))
    said = found["content_hash"].to_pylist()
    assert said[0] == said[1]
    assert len(set(said)) == 3
    assert found["task"].to_pylist() == some["task"].to_pylist()
    parts = pa.concat_tables([encode_instructions(some.slice(k, 1), build_id_index(IDS), 3) for k in range(4)])
    assert parts.to_pylist() == found.to_pylist()
    assert encode_instructions(some.slice(0, 0), build_id_index(IDS), 3).num_rows == 0


def test_an_instruction_of_no_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="d/0 is none of the tiles"):
        encode_instructions(rows("a/0#vqa#1", "d/0#vqa#1"), build_id_index(IDS), 0)
