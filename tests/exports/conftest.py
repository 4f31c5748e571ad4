"""A snapshot of known samples: boxes, an oriented box, captions, several shards, two splits."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

WIDTH, HEIGHT = 640, 480
QUAD = [300.0, 100.0, 360.0, 160.0, 330.0, 190.0, 270.0, 130.0]
DOCK = {"category": "dock", "box": [270.0, 100.0, 360.0, 190.0], "visibility": 1.0, "origin": "annotation", "label": "d"}
OBJECTS = [
    {"category": "ship", "box": [10.0, 20.0, 110.0, 70.0], "visibility": 1.0, "origin": "annotation", "label": "a"},
    {"category": "ship", "box": [200.0, 220.0, 320.0, 400.0], "visibility": 0.5, "origin": "annotation", "label": "b"},
    {**DOCK, "parts": [[QUAD]], "oriented": True, "flags": ["difficult"]},
]
BOXES = [[10.0, 20.0, 110.0, 70.0], [200.0, 220.0, 320.0, 400.0]]


def instruction(name: str, task: str, turns: list[tuple[str, str]], boxes: list[list[float]], answer: dict[str, Any]) -> Any:
    said = [{"role": role, "text": text} for role, text in turns]
    return {
        "id": f"{name}#{task}#0",
        "task": task,
        "turns": said,
        "boxes": boxes,
        "answer": answer,
        "labels": [],
        "generator": "t",
    }


def instructions(name: str) -> list[dict[str, Any]]:
    ask, tell = "user", "assistant"
    return [
        instruction(name, "captioning", [(ask, "Caption?"), (tell, "A port with <image> in it.")], [], {"kind": "text"}),
        instruction(
            name,
            "detection",
            [(ask, "Detect ships."), (tell, "There are [[2 ships|0,1]]")],
            BOXES,
            {"kind": "boxes", "category": "ship", "boxes": [0, 1], "count": 2},
        ),
        instruction(
            name,
            "region_captioning",
            [(ask, "What is in [[|0]]?"), (tell, "The dock.")],
            [QUAD],
            {"kind": "text", "category": "dock", "box": 0},
        ),
        instruction(
            name, "vqa", [(ask, "Any?"), (tell, "Yes."), (ask, "How many?"), (tell, "2.")], [], {"kind": "count", "value": 2}
        ),
    ]


def sample(i: int, split: str, more: list[dict[str, Any]] | None = None) -> Sample:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(i).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((WIDTH, HEIGHT)).save(buffer, "JPEG")
    key = hashlib.blake2b(f"{split} {i}".encode(), digest_size=10).hexdigest()
    record = {
        "key": key,
        "tile_id": f"s.{i}/0_0_{WIDTH}x{HEIGHT}",
        "scene_id": f"s.{i}",
        "source": "s",
        "split": split,
        "sensor": "optical",
        "licence": "MIT",
        "height_px": HEIGHT,
        "width_px": WIDTH,
        "gsd_m": 0.5,
        "acquired_at": None,
        "instructions": [*instructions(f"s.{i}"), *(more or [])],
        "objects": OBJECTS,
        "vocabulary": ["dock", "ship"],
    }
    return Sample(key, buffer.getvalue(), "jpg", record)


def write_root(root: Path, by_split: dict[str, list[list[Sample]]]) -> Path:
    """A snapshot with these shards; a list of samples each."""
    splits = {}
    for split, shards in by_split.items():
        entries = []
        for number, samples in enumerate(shards):
            path = f"shards/{split}/{number}.tar"
            ordered = sorted(samples, key=lambda one: one.key)
            info = write_shard(str(root / path), str(root / index_path(path)), ordered)
            entries.append(
                ShardEntry(path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
            )
        splits[split] = Split(tuple(entries))
    write_snapshot(str(root), Manifest("f" * 32, 7, splits))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two shards of training samples and one for validation, three samples each."""
    shards = [[sample(i, "train") for i in range(start, start + 3)] for start in (0, 3)]
    return write_root(tmp_path / "lake", {"train": shards, "val": [[sample(i, "val") for i in range(3)]]})
