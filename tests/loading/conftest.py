"""A small snapshot with real encoded pictures, records as a build writes them, and seven shards."""

from __future__ import annotations

import hashlib
import io
import random
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

ROWS, COLS = 24, 40
TEXT = {"vqa": "How many ships? [[ships|0]]", "detection": "Find [[ship|0,1]].", "captioning": "A harbour."}


@dataclass(frozen=True)
class Lake:
    root: Path
    samples: dict[str, list[Sample]]  # by split, as written
    pixels: dict[str, np.ndarray[Any, np.dtype[np.uint8]]]  # of lossless samples, (rows, cols) or (rows, cols, 3)

    def keys(self, split: str = "train") -> list[str]:
        return [sample.key for sample in self.samples[split]]


def make_sample(i: int, split: str, pixels: dict[str, np.ndarray[Any, np.dtype[np.uint8]]]) -> Sample:
    draw = random.Random(i)
    key = hashlib.blake2b(f"tile {i}".encode(), digest_size=10).hexdigest()
    sensor = draw.choice(["optical", "sar", "infrared"])
    tasks = draw.sample(sorted(TEXT), draw.randint(1, 3))
    array = np.random.default_rng(i).integers(0, 256, (ROWS, COLS, 3) if sensor == "optical" else (ROWS, COLS), np.uint8)
    if i % 2:
        picture = simplejpeg.encode_jpeg(
            array if array.ndim == 3 else array[..., None], colorspace="RGB" if array.ndim == 3 else "GRAY"
        )
    else:
        pixels[key] = array
        Image.fromarray(array).save(stream := io.BytesIO(), "PNG")
        picture = stream.getvalue()
    boxes = [[1.0, 2.0, 10.5, 20.0], [3.0, 4.0, 5.0, 6.0]]
    instructions = [
        {
            "id": f"{i}#{task}",
            "task": task,
            "turns": [{"role": "user", "text": "Q"}, {"role": "assistant", "text": TEXT[task]}],
            "boxes": boxes if "|" in TEXT[task] else [],
            "answer": {"count": 2},
            "generator": "rule 1",
        }
        for task in tasks
    ]
    record = {
        "key": key,
        "tile_id": f"scene/{i}",
        "sensor": sensor,
        "split": split,
        "height_px": ROWS,
        "width_px": COLS,
        "gsd_m": 10.0,
        "instructions": instructions,
        **({"repeat": 2 + i % 2} if i % 9 == 4 else {}),  # what the selection wants shown more often
    }
    return Sample(key, picture, "jpg" if i % 2 else "png", record)


def write_split(root: Path, split: str, shards: list[list[Sample]]) -> Split:
    entries = []
    for i, samples in enumerate(shards):
        path = f"shards/{split}/{i}.tar"
        info = write_shard(str(root / path), str(root / index_path(path)), samples)
        entries.append(
            ShardEntry(path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
        )
    count = Counter(
        (instruction["task"], sample.record["sensor"])
        for samples in shards
        for sample in samples
        for instruction in sample.record["instructions"]
    )
    return Split(tuple(entries), {task: {s: n for (t, s), n in count.items() if t == task} for task, _ in count})


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """73 samples in seven shards of different sizes in train, 5 in val."""
    root = tmp_path_factory.mktemp("lake")
    pixels: dict[str, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    bounds = {"train": [0, 1, 13, 20, 37, 50, 60, 73], "val": [100, 105]}
    shards = {
        split: [
            sorted((make_sample(i, split, pixels) for i in range(start, stop)), key=lambda one: one.key)
            for start, stop in pairwise(edges)
        ]
        for split, edges in bounds.items()
    }
    manifest = Manifest("f" * 32, 0, {split: write_split(root, split, parts) for split, parts in shards.items()})
    write_snapshot(str(root), manifest)
    return Lake(root, {split: [one for part in parts for one in part] for split, parts in shards.items()}, pixels)
