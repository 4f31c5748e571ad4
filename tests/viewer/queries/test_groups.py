"""What is asked about several pictures stands with each of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.viewer.queries.filters import parse_filter
from rsflow.viewer.queries.pages import sample_page
from rsflow.viewer.queries.sample_records import sample_records
from rsflow.viewer.server import State


def test_a_member_of_a_pair_shows_the_questions_about_the_pair(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    before = draw.integers(0, 255, (96, 96, 3), dtype=np.uint8)
    after, mask = before.copy(), np.zeros((96, 96), np.uint8)
    after[20:50, 30:70], mask[20:50, 30:70] = 240, 255
    for folder, pixels in (("A", before), ("B", after), ("label", mask)):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "one.png")
    source = {
        "name": "pairs",
        "sensor": "optical",
        "licence": "CC0-1.0",
        "scenes": {"files": ["A/*.png", "B/*.png"]},
        "annotations": {"format": "change_pairs", "files": "label/*.png"},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"root": "lake", "sources": [source], "tiles": {"size_px": 96}}))
    assert main(["label", str(tmp_path / "c.yaml"), "engine.kind=inline"]) == 0
    lake = open_lake(str(tmp_path / "lake"))
    state = State.of(lake)
    groups = lake.read("groups").to_pylist()
    assert groups
    asked = {
        row["instruction_id"]: row
        for row in lake.read("instructions").to_pylist()
        if row["tile_id"] in {g["group_id"] for g in groups}
    }
    assert asked
    members = {member["tile_id"] for group in groups for member in group["members"]}
    for sample in sample_page(state.rows, parse_filter({}), "", 10)["samples"]:
        found = sample_records(state.rows, sample["key"])["groups"]
        assert len(found) == (sample["tile_id"] in members)
        assert {row["instruction_id"] for group in found for row in group["instructions"]} == set(asked)
