"""What was compared in one selection is not compared in the next; answers stay those of the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import Flags
from rsflow.curation.duplicates.pictures.orientations import apply_orientation
from rsflow.lake.tables import create_lake
from rsflow.phases.select import select as phase
from rsflow.phases.select.confirmation_cache import FOLDER, ConfirmationCache, read_cache, write_cache
from tests.phases.select.test_duplicates import build, reasons, source
from tests.phases.select.test_held_out import picture, save


@pytest.fixture
def caches(monkeypatch: pytest.MonkeyPatch) -> list[ConfirmationCache]:
    """The caches of all selections to come."""
    made: list[ConfirmationCache] = []

    def read(*arguments: Any) -> ConfirmationCache:
        made.append(read_cache(*arguments))
        return made[-1]

    monkeypatch.setattr(phase, "read_cache", read)
    return made


def test_a_second_selection_compares_only_new_pairs(tmp_path: Path, caches: list[ConfirmationCache]) -> None:
    for seed in range(6):
        save(tmp_path / f"one/p{seed}.png", picture(seed))
        save(tmp_path / f"one/q{seed}.jpg", apply_orientation(picture(seed), seed), quality=90)
    sources = [source(tmp_path, "one")]
    first = reasons(build(tmp_path, sources))
    again = reasons(build(tmp_path, sources, buffer_m=1.0))  # another setting: a selection of its own
    assert again == first
    save(tmp_path / "one/r0.jpg", picture(0), quality=70)
    added = reasons(build(tmp_path, sources, buffer_m=1.0))
    assert added.pop("one.r0") == "duplicate_near"
    assert added == first
    compared = [cache.compared for cache in caches]
    assert compared[0] >= 6
    assert compared[1] == 0
    assert 0 < compared[2] <= 3
    assert len(list((tmp_path / "lake" / FOLDER).iterdir())) == 1


def answers_of(lake: Any, pictures: list[str], pairs: list[list[int]]) -> tuple[list[bool], int]:
    """What a rule by names answers through the cache of a lake, and how many pairs it was asked."""
    cache = read_cache(lake, 3.0)

    def confirm(some: Indices) -> Flags:
        return np.array([pictures[a][0] == pictures[b][0] for a, b, _ in some.tolist()], dtype=np.bool_)

    found = cache.wrap_pairs(confirm, pa.chunked_array([pictures]))(np.array(pairs, dtype=np.int64).reshape(-1, 3))
    write_cache(lake, 3.0, cache)
    return found.tolist(), cache.compared


def test_rows_may_change_their_places_and_what_is_not_asked_is_forgotten(tmp_path: Path) -> None:
    lake = create_lake(str(tmp_path / "lake"))
    assert answers_of(lake, ["a1", "a2", "b1"], [[0, 1, 0], [0, 2, 0], [0, 1, 3]]) == ([True, False, True], 3)
    assert answers_of(lake, ["b1", "a2", "c", "a1"], [[3, 0, 0], [3, 1, 3], [3, 1, 2], [1, 3, 0]]) == (
        [False, True, True, True],
        2,
    )
    assert answers_of(lake, ["a1", "b1"], [[0, 1, 0]]) == ([False], 0)
    assert answers_of(lake, ["a1", "a2"], [[0, 1, 3]]) == ([True], 1)
    assert answers_of(lake, [], []) == ([], 0)


def test_a_damaged_file_is_worth_nothing(tmp_path: Path) -> None:
    lake = create_lake(str(tmp_path / "lake"))
    answers_of(lake, ["a1", "b1"], [[0, 1, 0]])
    (file,) = Path(lake.root, FOLDER).iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert answers_of(lake, ["a1", "b1"], [[0, 1, 0]]) == ([False], 1)
    assert read_cache(lake, 2.0).keys.shape == (0, 2)
