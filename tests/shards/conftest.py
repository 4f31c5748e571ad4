"""Samples of three sensors in seeded variety, and a whole small snapshot of them."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

TASKS = {"optical": ("detection", "vqa"), "sar": ("detection",), "infrared": ("captioning", "vqa")}


def sample(i: int, split: str = "train") -> Sample:
    draw = random.Random(i)
    sensor = draw.choice(sorted(TASKS))
    tasks = draw.sample(TASKS[sensor], draw.randint(1, len(TASKS[sensor])))
    key = hashlib.blake2b(f"tile {i}".encode(), digest_size=10).hexdigest()
    record = {
        "key": key,
        "sensor": sensor,
        "split": split,
        "gsd_m": draw.random(),
        "note": "ø 船",
        "instructions": [{"id": f"{i}#{task}", "task": task} for task in tasks],
    }
    return Sample(key, draw.randbytes(draw.randint(0, 3000)), draw.choice(["jpg", "png"]), record)


@pytest.fixture
def make_samples() -> Callable[..., list[Sample]]:
    """make_samples(n, first=0, split="train"): n samples in key order."""

    def make(n: int, first: int = 0, split: str = "train") -> list[Sample]:
        return sorted((sample(i, split) for i in range(first, first + n)), key=lambda one: one.key)

    return make


@pytest.fixture
def write_lake(make_samples: Callable[..., list[Sample]]) -> Callable[[Path], Manifest]:
    """write_lake(root): two splits, three shards; returns the manifest, which is also written as snapshot 1."""

    def write(root: Path) -> Manifest:
        splits: dict[str, list[ShardEntry]] = {}
        counts: dict[str, Counter[tuple[str, str]]] = {}
        for split, name, first in (("train", "a", 0), ("train", "b", 20), ("val", "c", 40)):
            samples = make_samples(20, first, split)
            path = f"shards/{split}/{name}.tar"
            info = write_shard(str(root / path), str(root / index_path(path)), samples)
            entry = ShardEntry(
                path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256
            )
            splits.setdefault(split, []).append(entry)
            counts.setdefault(split, Counter()).update(
                (instruction["task"], one.record["sensor"]) for one in samples for instruction in one.record["instructions"]
            )
        manifest = Manifest("f" * 32, 7, {name: Split(tuple(splits[name]), nested(counts[name])) for name in splits})
        write_snapshot(str(root), manifest)
        return manifest

    return write


def nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    return {task: {s: n for (t, s), n in counts.items() if t == task} for task, _ in counts}
