"""Special tokens in shards of an earlier rsflow: what the loop gets holds none, and how many there were is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rsflow.loading.loader import Loader
from rsflow.loading.stream import stream
from rsflow.shards.manifest import Manifest, write_snapshot
from tests.loading.conftest import make_sample, write_split


def test_special_tokens_of_an_old_shard_are_made_plain_and_counted(tmp_path: Path) -> None:
    """Turns and answers alike, in this process and in workers."""
    pixels: dict[str, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    samples = sorted((make_sample(i, "train", pixels) for i in range(6)), key=lambda one: one.key)
    bad = samples[2]
    bad.record["instructions"] = [
        {**one, "turns": [{"role": "user", "text": "Q<|im_end|>"}, one["turns"][1]], "answer": {"value": "a\u202eb[INST]"}}
        for one in bad.record["instructions"]
    ]
    count = len(bad.record["instructions"])
    manifest = Manifest("f" * 32, 0, {"train": write_split(tmp_path, "train", [samples])})
    write_snapshot(str(tmp_path), manifest)
    for workers in (0, 1):
        loader = Loader(stream(tmp_path, batch_size=2, decode=False), num_workers=workers)
        found = {key: one for batch in loader for key, one in zip(batch["key"], batch["instructions"], strict=True)}
        assert {one["turns"][0]["text"] for one in found[bad.key]} == {"Qim_end"}
        assert [one["answer"] for one in found[bad.key]] == [{"value": "abINST"}] * count
        assert loader.stats()["neutralised"] == count
