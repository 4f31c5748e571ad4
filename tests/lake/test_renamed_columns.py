"""Lakes of earlier formats: their columns are read under the present names, and the next build raises the format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rsflow.errors import LakeError
from rsflow.lake.renamed_columns import FORMAT_VERSION, RENAMED
from rsflow.lake.tables import TABLES, create_lake, open_lake

FORMAT_1 = Path(__file__).parent / "lakes" / "format_1"  # written by the rsflow of that format: three rows of `selection`


@pytest.fixture
def former(tmp_path: Path) -> str:
    return str(shutil.copytree(FORMAT_1, tmp_path / "lake"))


def test_a_renamed_column_of_an_old_lake_has_its_present_name(former: str) -> None:
    found = open_lake(former).read("selection", ["subject", "assigned_split"], where="kind = 'tile'").to_pylist()
    assert {row["subject"]: row["assigned_split"] for row in found} == {"s/0_0_64": "test", "s/0_64_64": "train"}
    assert open_lake(former).read("selection").schema == TABLES["selection"]


def test_rows_written_over_old_ones_keep_values_and_format_rises(former: str) -> None:
    lake = create_lake(former)
    before = lake.read("selection")
    lake.overwrite("selection", lambda: [before])
    delta = lake.delta("selection")
    assert delta is not None
    assert [field.name for field in delta.schema().fields] == TABLES["selection"].names
    assert lake.read("selection").sort_by("subject") == before.sort_by("subject")
    assert json.loads(Path(former, "lake.json").read_text()) == {"format": FORMAT_VERSION}


def test_a_lake_of_a_later_format_is_refused(former: str) -> None:
    Path(former, "lake.json").write_text(json.dumps({"format": FORMAT_VERSION + 1}))
    for use in (open_lake, create_lake):
        with pytest.raises(LakeError, match=f"has format {FORMAT_VERSION + 1}, this rsflow reads up to {FORMAT_VERSION}"):
            use(former)


def test_every_renaming_leads_to_a_column_that_there_is_from_one_that_there_is_not() -> None:
    for table, names in RENAMED.items():
        assert set(names) <= set(TABLES[table].names)
        assert not set(names.values()) & set(TABLES[table].names)
