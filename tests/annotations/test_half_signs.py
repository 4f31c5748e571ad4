"""Halves of surrogate pairs, which JSON can spell and no table can hold, are rejects with their reasons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from rsflow.phases.build import run
from rsflow.planning.recipe import load

HALF = "\ud83d"


def test_half_signs_in_categories_and_names_are_counted(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    images = [{"id": i, "file_name": name, "width": 64, "height": 64} for i, name in enumerate(("a.png", f"{HALF}.png"))]
    boxes = [{"id": i, "image_id": 0, "category_id": i, "bbox": [4, 4, 20, 20 + i]} for i in range(2)]
    categories = [{"id": 0, "name": f"sh{HALF}ip"}, {"id": 1, "name": "car"}]
    (tmp_path / "boxes.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    source = f"{{name: s, sensor: optical, licence: CC0-1.0, scenes: {{files: '{tmp_path}/*.png'}}"
    annotations = f"annotations: {{format: coco, files: '{tmp_path}/boxes.json'}}"
    (tmp_path / "c.yaml").write_text(
        f"root: {tmp_path}/lake\nengine: {{kind: inline}}\nmax_reject_share: 1.0\nsources: [{source}, {annotations}}}]\n"
    )
    lake = run(load(str(tmp_path / "c.yaml")), ["label"]).lake
    assert [row["category"] for row in lake.read("labels").to_pylist() if row["kind"] == "box"] == ["car"]
    rejects = {row["reason"]: row for row in lake.read("rejects").to_pylist()}
    assert r"\ud83d" in rejects["control_token"]["detail"]
    assert any(r"\ud83d" in row["subject"] + row["detail"] for reason, row in rejects.items() if reason != "control_token")
