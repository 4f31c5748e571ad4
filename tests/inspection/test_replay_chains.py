"""`rsflow verify --deep` runs chains of reasoning again from the lake's labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable
from PIL import Image

from rsflow.cli import main
from rsflow.inspection.replay_chains import find_changed_chains
from rsflow.lake.tables import open_lake

CONFIG = """
root: lake
sources:
  - name: harbours
    sensor: optical
    licence: CC0-1.0
    scenes: {files: "pictures/*.png"}
    annotations: {format: coco, files: boxes.json}
instructions: {tasks: [reasoning], per_task: 10}
engine: {kind: inline}
"""


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    noise = np.random.default_rng(3)
    images, boxes = [], []
    for number in range(4):
        Image.fromarray(noise.integers(0, 255, (256, 256, 3), dtype=np.uint8)).save(tmp_path / f"pictures/{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 256, "height": 256})
        for place in range(3 + number):
            box = [10 + 35 * place, 20 + 5 * number, 25, 30]
            boxes.append({"id": len(boxes), "image_id": number, "category_id": 1, "bbox": box, "area": 750, "iscrowd": 0})
    names = [{"id": 1, "name": "ship"}, {"id": 2, "name": "bridge"}]
    (tmp_path / "boxes.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": names}))
    (tmp_path / "build.yaml").write_text(CONFIG)
    assert main(["build", "build.yaml"]) == 0
    return tmp_path / "lake"


def test_what_was_written_follows_from_the_labels(built: Path) -> None:
    rows = DeltaTable(str(built / "tables/instructions")).to_pyarrow_table().to_pylist()
    chains = [row for row in rows if json.loads(row["answer"])["kind"] == "chain"]
    assert len(chains) >= 8
    assert [*find_changed_chains(open_lake(str(built)))] == []
    assert main(["verify", str(built), "--deep"]) == 0


def test_a_chain_that_does_not_follow_is_named_with_its_step(built: Path) -> None:
    table = DeltaTable(str(built / "tables/instructions"))
    row = next(row for row in table.to_pyarrow_table().to_pylist() if '"left_after"' in row["answer"])
    answer = json.loads(row["answer"])
    answer["steps"][1]["result"] += 1
    changed = json.dumps(answer, sort_keys=True).replace("'", "''")
    table.update(predicate=f"instruction_id = '{row['instruction_id']}'", updates={"answer": f"'{changed}'"})
    (line,) = find_changed_chains(open_lake(str(built)))
    assert row["instruction_id"] in line
    assert "step 2 (count)" in line
