"""A lake that an earlier format was written in, by the rsflow of that time, is read as it is and migrated by a build."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rsflow.cli import main
from rsflow.errors import LakeError
from rsflow.lake.delta.formats import FORMAT_VERSION, RENAMED, TABLES, conform, stored_names
from rsflow.lake.delta.migration import migrate
from rsflow.lake.integrity import digests
from rsflow.lake.integrity.verify import find_damage
from rsflow.lake.tables import Lake, create_lake, open_lake

FIXTURE = Path(__file__).parent / "data/lake_format_1.tar.xz"
SPLITS = {"s.p0/0_0_32": "test", "s.p1/0_0_32": "train", "s.nowhere/0_0_32": "test"}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a lake of format 1 with its pictures and configuration."""
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    digests.clear_cache()
    return tmp_path


def rows(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    return {name: sorted(lake.read(name).to_pylist(), key=str) for name in TABLES}


def test_it_is_read_as_it_is(old: Path) -> None:
    lake = open_lake("lake")
    tiles = lake.read("selection", ["subject", "assigned_split"], where={"kind": "tile"}).to_pylist()
    assert {row["subject"]: row["assigned_split"] for row in tiles} == SPLITS
    errors = {row["scene_id"]: row["georeference_error"] for row in lake.read("scenes").to_pylist()}
    assert "expected finite numbers" in errors["s.nowhere"]
    assert errors["s.p0"] is None
    assert json.loads((old / "lake/lake.json").read_text()) == {"format": 1}
    assert list(find_damage(lake)) == []


def test_it_is_migrated_where_it_is_to_be_written(old: Path) -> None:
    before = rows(open_lake("lake"))
    lake = open_lake("lake", writable=True)
    assert rows(lake) == before
    assert json.loads((old / "lake/lake.json").read_text()) == {"format": FORMAT_VERSION}
    for name in ("scenes", "selection"):
        table = lake.delta(name)
        assert table is not None
        assert {field.name for field in table.schema().fields} == set(TABLES[name].names)
    version, metadata = lake.commit_metadata("selection") or (0, {})
    assert metadata["digest"]
    assert lake.read("selection", version=version - 1).num_rows == lake.read("selection").num_rows
    digests.clear_cache()
    assert list(find_damage(lake)) == []


def test_a_migration_that_died_is_finished_by_the_next(old: Path) -> None:
    before = rows(open_lake("lake"))
    (old / "lake/lake.json").write_text(json.dumps({"format": 2, "migrating_from": 1}))
    lake = create_lake("lake")
    assert rows(lake) == before
    migrate(lake, 1)
    assert rows(lake) == before


def test_a_build_over_it_leaves_a_sound_lake_in_which_old_snapshots_are_known(
    old: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whether units are done again is for the recipe to say: later versions of stages may ask for it."""
    assert main(["build", "c.yaml"]) == 0
    assert main(["build", "c.yaml"]) == 0
    assert "3 done before" in capfd.readouterr().out
    assert main(["verify", "--deep", "lake"]) == 0
    version = json.loads((old / "lake/snapshots/1.selection.json").read_text())["version"]
    former = open_lake("lake").read("selection", ["subject", "assigned_split"], {"kind": "tile"}, version)
    assert {row["subject"]: row["assigned_split"] for row in former.to_pylist()} == SPLITS


@pytest.mark.parametrize("stored", [FORMAT_VERSION + 1, 0, -1, True, "1", None, 1.0])
def test_another_format_is_refused(old: Path, stored: object) -> None:
    (old / "lake/lake.json").write_text(json.dumps({"format": stored}))
    with pytest.raises(LakeError, match=r"lake\.json|reads formats 1 to"):
        open_lake("lake")


def test_values_of_before_are_read_as_they_are_called_now() -> None:
    stored = pa.table({"unit": ["a", "b", "c"], "step": ["see", "label", None]})
    assert conform("runs", stored, ["step"])["step"].to_pylist() == ["predict", "label", None]


def test_every_rename_leads_to_a_column_of_its_table() -> None:
    for each in RENAMED:
        assert each.present in TABLES[each.table].names
        assert each.former not in TABLES[each.table].names
        assert each.last_format < FORMAT_VERSION
        assert stored_names(each.table, [each.present], [each.former]) == {each.present: each.former}
        assert stored_names(each.table, [each.present], [each.former, each.present]) == {each.present: each.present}
