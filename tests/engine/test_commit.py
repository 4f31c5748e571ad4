"""What is committed when a run is stopped at a bad moment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.engine.commit import commit_receipts
from rsflow.engine.progress import Progress
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake, create_lake
from tests.lake.test_receipts import receipt


class Interrupted(Lake):
    """Ctrl-C arrives as soon as the marks of a commit are written."""

    def append(self, name: str, rows: pa.Table) -> None:
        super().append(name, rows)
        if name == "runs":
            raise KeyboardInterrupt


def test_a_commit_that_ctrl_c_cuts_short_is_not_made_again(tmp_path: Path) -> None:
    lake = create_lake(str(tmp_path))
    source = {"name": "x", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "x.tif"}}
    built = check(BuildConfig, {"root": lake.root, "sources": [source], "engine": {"commit_seconds": 1e-9}}, "test")
    receipts = iter([receipt("a", "r1"), receipt("b", "r2")])
    with pytest.raises(KeyboardInterrupt):
        commit_receipts(built.engine, Interrupted(lake.root), receipts, "run", Progress("label", "units", 2), Counter({"s": 2}))
    assert completed_units(lake)["unit"].to_pylist() == ["a"]
    assert read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"])["tile_id"].to_pylist() == ["a/0"]
