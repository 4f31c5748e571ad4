"""A lake of small annotated pictures: bright squares and bars on noise, with outlines, classes and splits of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from rsflow.phases.build import run
from rsflow.planning.recipe import load

SIDE = 96
COUNTS = {"train": 16, "val": 6, "test": 6}


def write_pictures(folder: Path, counts: dict[str, int]) -> dict[str, Any]:
    """Pictures and a COCO file with boxes and outlines; a list of names per split."""
    (folder / "pictures").mkdir(parents=True)
    coco: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "square"}, {"id": 2, "name": "bar"}],
    }
    number = 0
    for split, count in counts.items():
        names = []
        for _ in range(count):
            name = f"frame_{100 * number}.png"
            Image.fromarray(_draw(coco, number)).save(folder / "pictures" / name)
            coco["images"].append({"id": number, "file_name": name, "height": SIDE, "width": SIDE})
            names.append(f"{name}\n")
            number += 1
        (folder / f"{split}.txt").write_text("".join(names))
    (folder / "coco.json").write_text(json.dumps(coco))
    return coco


def _draw(coco: dict[str, Any], number: int) -> Any:
    """A picture with one to three objects in different quarters, added to the annotations."""
    random = np.random.default_rng(number)
    picture = random.integers(20, 90, (SIDE, SIDE)).astype(np.uint8)
    for quarter in random.permutation(4)[: random.integers(1, 4)]:
        category = int(random.integers(1, 3))
        width, height = (14, 14) if category == 1 else (26, 8)
        x, y = (int(v) for v in random.integers(4, 16, 2) + 48 * np.array([quarter % 2, quarter // 2]))
        picture[y : y + height, x : x + width] = random.integers(200, 250)
        ring = [x, y, x + width, y, x + width, y + height, x, y + height]
        coco["annotations"].append(
            {
                "id": len(coco["annotations"]) + 1, "image_id": number, "category_id": category,
                "bbox": [x, y, width, height], "segmentation": [ring], "area": width * height, "iscrowd": 0,
            }
        )  # fmt: skip
    return picture


def source(folder: Path, **annotations: Any) -> dict[str, Any]:
    return {
        "name": "shapes",
        "sensor": "infrared",
        "licence": "CC0-1.0",
        "scenes": {"files": f"{folder}/pictures/*.png"},
        "annotations": {
            "format": "coco",
            "files": f"{folder}/coco.json",
            "options": {"polygons": "outlines"},  # although they are all rectangles
            "splits": {split: f"{folder}/{split}.txt" for split in COUNTS},
            **annotations,
        },
    }


def build_lake(folder: Path, sources: list[dict[str, Any]]) -> str:
    settings = {
        "root": str(folder / "lake"),
        "sources": sources,
        "tiles": {"size_px": SIDE},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0},
        "select": {
            "splits": {"train": 0.6, "val": 0.2, "test": 0.2},
            "source_splits": {split: split for split in COUNTS},
        },
        "engine": {"kind": "inline"},
    }
    (folder / "build.yaml").write_text(yaml.safe_dump(settings))
    run(load(str(folder / "build.yaml")), ("label", "select"))
    return str(settings["root"])


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The root of a lake of these pictures."""
    folder = tmp_path_factory.mktemp("shapes")
    write_pictures(folder, COUNTS)
    plain = {"name": "plain", "sensor": "infrared", "licence": "CC0-1.0", "scenes": {"files": f"{folder}/pictures/frame_0.png"}}
    return build_lake(folder, [source(folder), plain])
