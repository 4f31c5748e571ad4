"""A table file by file: the same rows as the whole table, in one order; earlier versions and conditions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rsflow.errors import LakeError
from rsflow.lake.delta import table_files as pieces
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.delta.table_files import list_table_files, read_table_file
from rsflow.lake.integrity import digests
from rsflow.lake.tables import Lake, create_lake

MARKED = pa.array(["r0", "r1"])


def rows(*numbers: int) -> pa.Table:
    columns = {
        "label_id": [f"t{k}#0" for k in numbers],
        "category": ["ship"] * len(numbers),
        "receipt": [f"r{k % 3}" for k in numbers],
    }
    lacking = {f.name: pa.nulls(len(numbers), f.type) for f in TABLES["labels"] if f.name not in columns}
    return pa.table({**{name: pa.array(values, pa.string()) for name, values in columns.items()}, **lacking})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = create_lake(str(tmp_path / "lake"))
    for start in range(0, 30, 10):
        made.append("labels", rows(*range(start, start + 10)))
    return made


def test_the_pieces_are_the_table_in_one_order(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BATCH_ROWS", 4)
    found = list_table_files(lake, "labels")
    assert sum(piece.rows for piece in found) == 30
    parts = [part for piece in found for part in read_table_file(piece, ["label_id", "category"], MARKED)]
    assert max(part.num_rows for part in parts) <= 4
    ids = pa.concat_tables(parts)["label_id"].to_pylist()
    lake.append("labels", rows(30, 31))
    again = [part["label_id"].to_pylist() for piece in found for part in read_table_file(piece, ["label_id"], MARKED)]
    assert [name for part in again for name in part] == ids
    assert sorted(ids) == sorted(f"t{k}#0" for k in range(30) if k % 3 < 2)
    assert list_table_files(lake, "embeddings") == []


def test_a_column_that_a_file_lacks_is_null(lake: Lake) -> None:
    (piece, *_) = list_table_files(lake, "labels")
    shutil.rmtree(Path(lake.root) / "digests")  # as in a lake of an earlier version
    digests.clear_cache()
    pq.write_table(pq.read_table(piece.place).drop_columns(["category"]), piece.place)
    (part,) = read_table_file(piece, ["category", "label_id"], MARKED)
    assert part.column_names == ["category", "label_id"]
    assert part["category"].null_count == part.num_rows > 0


def test_a_damaged_file_is_told(lake: Lake) -> None:
    (piece, *_) = list_table_files(lake, "labels")
    Path(piece.place).write_bytes(b"nothing")
    digests.clear_cache()
    with pytest.raises(LakeError, match=r"part-.*is damaged"):
        list(read_table_file(piece, ["label_id"], MARKED))


def test_earlier_versions_and_conditions(lake: Lake) -> None:
    table = lake.delta("labels")
    assert table is not None
    version = table.version()
    lake.overwrite("labels", lambda: [rows(7)])
    assert lake.read("labels").num_rows == 1
    assert lake.read("labels", ["label_id"], version=version).num_rows == 30
    assert lake.read("labels", ["category"], where={"label_id": ["t3#0", "t4#0"]}, version=version).num_rows == 2
    with pytest.raises(LakeError, match="cannot read this Delta table"):
        lake.read("labels", version=99)
    assert lake.delta("embeddings") is None
