"""Receipts: rows exist once their mark does, and only once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rsflow.errors import LakeError
from rsflow.lake.receipts import commit, completed_units, read_receipt_rows, receipt_table
from rsflow.lake.tables import Lake, create_lake, open_lake


def receipt(unit: str, name: str, scene_rejected: bool = False, tiles: int = 1) -> pa.Table:
    mark = {"unit": unit, "receipt": name, "step": "label", "scene_id": "s", "source": "x", "rows_in": tiles, "bytes_read": 0}
    counts = {"rows_kept": tiles, "rows_rejected": 0, "scene_rejected": scene_rejected, "seconds": 0.1, "stage_seconds": []}
    rows: list[dict[str, Any]] = [{"tile_id": f"{unit}/{i}", "signature": -1, "footprint": [0.0, 1.5]} for i in range(tiles)]
    return receipt_table({**mark, **counts}, tiles=rows)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return create_lake(str(tmp_path / "lake"))


def test_rows_come_back_as_they_went_in(lake: Lake) -> None:
    commit(lake, pa.concat_tables([receipt("a", "r1", tiles=2), receipt("b", "r2")]), "run")
    found = read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"]).sort_by("tile_id").to_pylist()
    assert [row["tile_id"] for row in found] == ["a/0", "a/1", "b/0"]
    assert found[0]["footprint"] == [0.0, 1.5]
    assert (found[0]["unit"], found[0]["receipt"]) == ("a", "r1")


def test_rows_without_a_mark_do_not_exist(lake: Lake) -> None:
    # What a crash between the append of the rows and that of the marks leaves behind.
    lake.append("tiles", pa.Table.from_struct_array(receipt("a", "dead")["tiles"].combine_chunks().flatten()))
    commit(lake, receipt("a", "alive"), "run")
    assert lake.read("tiles").num_rows == 2
    assert read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"])["receipt"].to_pylist() == ["alive"]


def test_a_unit_done_twice_counts_once(lake: Lake) -> None:
    commit(lake, receipt("a", "r2"), "run1")
    commit(lake, receipt("a", "r1"), "run2")
    assert completed_units(lake)["receipt"].to_pylist() == ["r1"]


def test_a_success_comes_before_an_earlier_reject(lake: Lake) -> None:
    commit(lake, receipt("a", "r1", scene_rejected=True, tiles=0), "run1")
    commit(lake, receipt("a", "r9"), "run2")
    assert completed_units(lake)["receipt"].to_pylist() == ["r9"]


def test_a_lake_of_a_newer_version_is_refused(lake: Lake) -> None:
    Path(lake.root, "lake.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(LakeError, match="format 99"):
        open_lake(lake.root)


def test_no_lake_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="rsflow build"):
        open_lake(str(tmp_path))


def test_tables_are_ordinary_delta_tables(lake: Lake) -> None:
    duckdb = pytest.importorskip("duckdb")
    from deltalake import DeltaTable

    commit(lake, receipt("a", "r1", tiles=3), "run")
    tiles = pa.table(DeltaTable(lake.place("tables", "tiles")).scan())  # noqa: F841  (DuckDB finds it by name)
    assert duckdb.sql("select count(*) from tiles where unit = 'a'").fetchall() == [(3,)]


def test_groups_of_a_receipt_count_and_a_lake_without_the_table_has_none(tmp_path: Path) -> None:
    lake = create_lake(str(tmp_path / "lake"))
    assert lake.read("groups").num_rows == 0
    taken = datetime(2020, 5, 1, tzinfo=UTC)
    shifted = {"dx_px": 1.5, "dy_px": -0.25, "registration_confidence": 0.9}
    unmeasured = dict.fromkeys(shifted)
    members = [
        {
            "tile_id": "s/a/0_0_64x64",
            "sensor": "optical",
            "acquired_at": None,
            "role": "before",
            **unmeasured,
            "box_in_first": None,
        },
        {
            "tile_id": "s/b/0_0_64x64",
            "sensor": "optical",
            "acquired_at": taken,
            "role": "after",
            **shifted,
            "box_in_first": None,
        },
    ]
    group = {"group_id": "pair:s/b/0_0_64x64", "kind": "pair", "place": "b", "source": "s", "members": members}
    mark = {"unit": "u", "receipt": "r", "step": "group", "scene_id": "s/b", "source": "s", "scene_rejected": False}
    counts = {"rows_in": 1, "rows_kept": 1, "rows_rejected": 0, "bytes_read": 0}
    commit(lake, receipt_table({**mark, **counts}, groups=[group]), "run")
    (stored,) = read_receipt_rows(lake, "groups", ["r"]).to_pylist()
    assert {name: stored[name] for name in group} == group
