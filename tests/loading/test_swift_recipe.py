"""The recipe for ms-swift in docs/streaming.md, by ms-swift's own loader where it is installed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsflow.loading.stream import stream
from rsflow.shards.manifest import Manifest, write_snapshot
from tests.loading.conftest import write_split

DOCUMENT = Path(__file__).parents[2] / "docs" / "streaming.md"
CHECK = """
from swift.dataset import load_dataset
found, _ = load_dataset(["rsflow"], streaming=True, strict=True, remove_unused_columns=True)
for row in found:
    assert len(row["images"]) == row["messages"][0]["content"].count("<image>") == 1
    assert row["images"][0]["bytes"]
    print(row["messages"][1]["content"])
"""


def recipe() -> str:
    return DOCUMENT.read_text().split("# register.py\n")[1].split("```")[0]


def test_the_rows_are_the_streams(lake: Any, tmp_path: Path) -> None:
    pytest.importorskip("swift.dataset", reason="ms-swift is not installed")
    code = recipe().replace('"lake"', repr(str(lake.root))) + CHECK
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = [
        instruction["turns"][1]["text"]
        for sample in stream(str(lake.root), dialect="qwen3", repeat=3, rank=0, world_size=1)
        for instruction in sample["instructions"]
    ]
    assert done.stdout.splitlines()[-len(expected) :] == expected


def test_a_row_shows_the_pictures_that_its_question_is_about(lake: Any, tmp_path: Path) -> None:
    """Of several sensors the sample's own, of a group all; ms-swift's own part is not run here."""
    plain, group = (replace(one, record=dict(one.record), others={"after.png": one.picture}) for one in lake.samples["val"][:2])
    group.record["group"] = {"kind": "pair", "role": "before"}
    write_snapshot(str(tmp_path), Manifest("f" * 32, 0, {"train": write_split(tmp_path, "train", [[plain, group]])}))
    rows_code = recipe().split("class StreamLoader")[0].replace('"lake"', repr(str(tmp_path)))
    names: dict[str, Any] = {}
    exec("\n".join(line for line in rows_code.splitlines() if "swift" not in line), names)
    rows = list(names["rows"]())
    counts = [(len(row["images"]), row["messages"][0]["content"].count("<image>")) for row in rows]
    asked = [len(one.record["instructions"]) for one in (plain, group)]
    assert Counter(counts) == {(1, 1): 3 * asked[0], (2, 2): 3 * asked[1]}
    assert {row["messages"][1]["role"] for row in rows} == {"assistant"}


def test_the_recipe_is_python_and_streams_one_process() -> None:
    compile(recipe(), "register.py", "exec")
    assert "rank=0, world_size=1" in recipe()
