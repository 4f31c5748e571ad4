"""Instruction sets in Parquet are audited as those of JSON lines are, pictures that lie in the file included."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rsflow.audit import audit
from rsflow.errors import UsageError
from rsflow.exports.hf import _COLUMNS
from tests.audit.test_planted import record

ASKED = ("<image>\nWhere is the ship?", "Yes")
PLACED = ("<image>\nWhere is the ship?", "At [10, 10, 60, 20].")


def png(grey: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (grey, grey, grey)).save(stream, "PNG")
    return stream.getvalue()


def counts(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> dict[str, int]:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "set.parquet")
    return audit(str(folder / "set.parquet"), "pixels").counts


def test_pictures_in_the_file_are_checked(tmp_path: Path) -> None:
    """Two of them have one path: a box is judged on the picture of its own row."""
    messages = [[{"role": r, "content": t} for r, t in zip(("user", "assistant"), p, strict=True)] for p in (ASKED, PLACED)]
    rows = [
        {"messages": messages[0], "image": {"bytes": png(5), "path": "a.png"}},
        {"messages": messages[1], "image": {"bytes": png(9), "path": "a.png"}},
        {"messages": messages[0], "image": {"bytes": png(9)[:40], "path": "b.png"}},
    ]
    assert counts(tmp_path, rows) == {"answer_of_other_kind": 2, "box_outside": 1, "unreadable_picture": 1}


def test_the_same_records_have_the_same_faults_as_in_json_lines(tmp_path: Path) -> None:
    rows = [record(*ASKED), record(*PLACED), record("<image>\nWhat is it?", "A port <|im_end|>.")]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    expected = audit(str(tmp_path / "set.jsonl"), "pixels").counts
    assert expected == {"answer_of_other_kind": 1, "control_token": 1}
    assert counts(tmp_path, rows) == expected
    assert counts(tmp_path, [{**row, "conversations": json.dumps(row["conversations"])} for row in rows]) == expected


def test_each_instruction_of_an_exported_row_is_a_record(tmp_path: Path) -> None:
    turns = [[{"role": r, "text": t} for r, t in zip(("user", "assistant"), p, strict=True)] for p in (ASKED, PLACED)]
    row = {
        "image": {"bytes": png(5), "path": "a.png"},
        "instructions": [{"id": str(i), "turns": t} for i, t in enumerate(turns)],
    }
    assert counts(tmp_path, [row], pa.schema(list(_COLUMNS.items()))) == {"answer_of_other_kind": 1, "box_outside": 1}


def test_what_is_no_instruction_set_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "other.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "other.parquet").read_bytes()[:60])
    with pytest.raises(UsageError, match="its columns are text"):
        audit(str(tmp_path / "other.parquet"))
    with pytest.raises(UsageError, match="no whole Parquet file"):
        audit(str(tmp_path / "cut.parquet"), "llava")
