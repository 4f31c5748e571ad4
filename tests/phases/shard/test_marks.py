"""A build with masks and numbered marks: the shard's picture is drawn, everything else is as without, and verify agrees."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from rsflow.loading.masks import instruction_masks
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_snapshot

SHIPS = [[30, 40, 50, 30], [120, 60, 40, 60], [60, 150, 90, 40]]  # x, y, width, height
CONFIG = """
root: lake
sources:
  - name: ships
    sensor: optical
    licence: CC-BY-4.0
    scenes: {files: pictures/*.png}
    annotations: {format: coco, files: ships.json, exhaustive: true}
tiles: {size_px: 256}
render: {format: png}
select: {splits: {train: 1.0}}
engine: {kind: inline}
"""


def build(folder: Path, *settings: str) -> Sample:
    (folder / "pictures").mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(60, 200, (256, 256, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "pictures/a.png")
    corners = [[x, y, x + w, y, x + w, y + h, x, y + h] for x, y, w, h in SHIPS]
    found = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": [ring]}
        for n, (box, ring) in enumerate(zip(SHIPS, corners, strict=True))
    ]
    image = {"id": 1, "file_name": "a.png", "width": 256, "height": 256}
    content = {"images": [image], "categories": [{"id": 1, "name": "ship"}], "annotations": found}
    (folder / "ships.json").write_text(json.dumps(content))
    (folder / "build.yaml").write_text(CONFIG)
    built = load(str(folder / "build.yaml"), list(settings))
    run(built)
    (entry,) = read_snapshot(built.root).splits["train"].shards
    assert verify_snapshot(built.root).differences == ()
    (sample,) = ShardReader(built.root, entry)
    return sample


def test_marks_are_drawn_and_masks_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    plain = build(tmp_path / "plain")
    rich = build(tmp_path / "rich", "instructions.regions=[marks]", "shard.masks=true")
    before, after = (np.asarray(Image.open(io.BytesIO(one.picture))).astype(int) for one in (plain, rich))
    changed = np.abs(before - after).max(axis=2) > 0
    for x, y, w, h in SHIPS:
        assert not changed[y : y + h, x : x + w].any()
        assert changed[y - 1, x : x + w].all()  # the white line of its frame
    assert rich.record["marks"] == [[float(x), float(y), float(x + w), float(y + h)] for x, y, w, h in SHIPS]
    assert "marks" not in plain.record
    assert list(plain.others) == []
    assert list(rich.others) == ["masks.json"]
    segmented = [one for one in rich.record["instructions"] if one["answer"]["kind"] == "outlines"]
    masks = instruction_masks(segmented[0], 256, 256)
    for mask, (x, y, w, h) in zip(masks, SHIPS, strict=True):
        assert mask.sum() == w * h
        assert mask[y : y + h, x : x + w].all()
