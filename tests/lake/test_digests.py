"""Each single bit of a table's files is guarded: a flipped one is told wherever the file is read."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from rsflow.errors import LakeError
from rsflow.lake import digests
from rsflow.lake.tables import TABLES, Lake, create_lake
from rsflow.lake.verify import find_damage


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = create_lake(str(tmp_path / "lake"))
    for name in ("a", "b"):
        rows = [{"unit": name, "receipt": name, "kind": "scene", "subject": name, "rows": 1, "reason": "r"}]
        made.append("rejects", pa.Table.from_pylist(rows, schema=TABLES["rejects"]))
    return made


def test_every_file_is_noted_and_sound(lake: Lake) -> None:
    folder = Path(lake.root) / "tables/rejects"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert digests.recorded(lake.root, "rejects").keys() == files
    assert list(find_damage(lake)) == []


def test_a_flipped_bit_is_told_by_name(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    for path in [path for part in ("tables/rejects", "digests") for path in (Path(lake.root) / part).rglob("*.*")]:
        sound = path.read_bytes()
        bit = chance.randrange(8 * len(sound))
        path.write_bytes(bytes(byte ^ (1 << bit % 8 if i == bit // 8 else 0) for i, byte in enumerate(sound)))
        monkeypatch.setattr(digests, "_checked", set())  # as in another process
        with pytest.raises(LakeError, match=path.name):
            lake.read("rejects")
        assert any(path.name in fault for fault in find_damage(lake))
        path.write_bytes(sound)
    assert lake.read("rejects").num_rows == 2


def test_a_lake_without_notes_is_read_and_noted_by_the_next_commit(lake: Lake) -> None:
    for path in (Path(lake.root) / "digests/rejects").iterdir():
        path.unlink()
    assert lake.read("rejects").num_rows == 2
    lake.delete_rows("rejects", "unit", ["a"])
    assert lake.read("rejects").num_rows == 1
    assert digests.recorded(lake.root, "rejects")
