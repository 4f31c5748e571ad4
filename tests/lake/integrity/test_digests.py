"""Each single bit of a table's files is guarded: a flipped one is told wherever the file is read."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from rsflow.errors import LakeError
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity import digests
from rsflow.lake.integrity.verify import find_damage
from rsflow.lake.tables import Lake, create_lake, open_lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = create_lake(str(tmp_path / "lake"))
    for name in ("a", "b"):
        rows = [{"unit": name, "receipt": name, "kind": "scene", "subject": name, "rows": 1, "reason": "r"}]
        made.append("rejects", pa.Table.from_pylist(rows, schema=TABLES["rejects"]))
    return made


def test_every_file_is_recorded_and_sound(lake: Lake) -> None:
    files = {str(path.relative_to(lake.root)) for path in (Path(lake.root) / "tables").rglob("*") if path.is_file()}
    assert digests.load(lake.root).files.keys() == files
    digests.clear_cache()
    assert digests.load(lake.root).files.keys() == files
    assert list(find_damage(lake)) == []


def test_a_flipped_bit_is_reported_by_name(lake: Lake) -> None:
    chance = random.Random(5)
    for path in [path for part in ("tables/rejects", "digests") for path in (Path(lake.root) / part).rglob("*.*")]:
        sound = path.read_bytes()
        bit = chance.randrange(8 * len(sound))
        path.write_bytes(bytes(byte ^ (1 << bit % 8 if i == bit // 8 else 0) for i, byte in enumerate(sound)))
        digests.clear_cache()  # as in another process
        with pytest.raises(LakeError, match=path.name):
            lake.read("rejects")
        assert any(path.name in fault for fault in find_damage(lake))
        path.write_bytes(sound)
    digests.clear_cache()
    assert lake.read("rejects").num_rows == 2


def test_a_lake_without_records_is_read_and_recorded_by_the_next_commit(lake: Lake) -> None:
    for path in (Path(lake.root) / "digests").iterdir():
        path.unlink()
    digests.clear_cache()
    assert lake.read("rejects").num_rows == 2
    lake.delete_rows("rejects", "unit", ["a"])
    assert lake.read("rejects").num_rows == 1
    digests.clear_cache()
    assert {place for place in digests.load(lake.root).files if "_delta_log" in place} == {
        f"tables/rejects/_delta_log/{version:020d}.json" for version in range(3)
    }


def test_a_log_that_lists_other_files_is_refused_without_its_own_digest(lake: Lake) -> None:
    """As in an object store, where only the state is compared."""
    log = Path(lake.root) / "tables/rejects/_delta_log" / f"{1:020d}.json"
    log.write_text("".join(line for line in log.read_text().splitlines(True) if '"add"' not in line))
    digests.clear_cache()
    digests.load(lake.root).files.clear()
    with pytest.raises(LakeError, match="lists other files than were committed"):
        open_lake(lake.root).read("rejects")


def test_many_records_are_put_together(lake: Lake) -> None:
    for number in range(digests.MOST_RECORDS + 5):
        lake.append("runs", pa.Table.from_pylist([{"unit": str(number)}], schema=TABLES["runs"]))
    assert len(list((Path(lake.root) / "digests").iterdir())) <= digests.MOST_RECORDS
    files = {str(path.relative_to(lake.root)) for path in (Path(lake.root) / "tables").rglob("*") if path.is_file()}
    digests.clear_cache()
    assert digests.load(lake.root).files.keys() == files
    assert set(digests.load(lake.root).states["runs"]) == set(range(digests.MOST_RECORDS + 5))
