"""Several of the demo's invented places, side by side on the ground, as one configuration: enough to train a small model on.

One idea: each place is written as the demo writes it, from its own seed, and becomes three sources of its own. A split has
whole places: a model is scored on places of which it never saw a corner, and each place has all kinds of ground, so every
split has them all. More is held out than of the demo, for scores of a model are worth as much as the questions are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from rsflow.demo.write import ORIGIN_M, write_demo_scenes
from rsflow.errors import UsageError
from rsflow.files import storage

FIRST_SEED = 61  # of the places that models are trained on
APART_M = 10_000.0
SPLITS = ("train", "val", "test")


def write_demo_places(folder: str, seeds: Sequence[int], size_px: int = 2048) -> str:
    """Write a place for each seed into `folder`, and demo.yaml for all of them; returns its path.

    The last quarter of the places is the test split, the one before them val. A place whose own configuration is there
    already is not written again: that is written last. UsageError for fewer than three places.
    """
    merged: dict[str, Any] = {}
    sources: list[dict[str, Any]] = []
    for number, (seed, split) in enumerate(zip(seeds, _splits(len(seeds)), strict=True)):
        name = f"place-{seed}"
        config = storage.join(folder, name, "demo.yaml")
        if not storage.exists(config):
            origin = (ORIGIN_M[0] + number * APART_M, ORIGIN_M[1])
            write_demo_scenes(storage.join(folder, name), seed, size_px, origin)
        merged = yaml.safe_load(storage.read_text(config))
        sources += [_source_of_place(source, name, split) for source in merged["sources"]]
    path = storage.join(folder, "demo.yaml")
    merged |= {"sources": sources, "select": {**merged["select"], "source_splits": {name: name for name in SPLITS}}}
    storage.write_bytes(path, yaml.safe_dump(merged, sort_keys=False, width=120).encode())
    return path


def _splits(places: int) -> list[str]:
    """The split of each place."""
    if places < 3:
        raise UsageError(f"found {places} places, expected at least 3: one to train on, one for val, one for test")
    test = max(1, places // 4)
    return ["train"] * (places - test - 1) + ["val"] + ["test"] * test


def _source_of_place(source: dict[str, Any], place: str, split: str) -> dict[str, Any]:
    """The place's source under a name of its own, its paths begun at the folder of all places, all of it in one split."""
    scenes = {**source["scenes"], "files": f"{place}/{source['scenes']['files']}"}
    files = f"{place}/{source['annotations']['files']}"
    annotations = {**source["annotations"], "files": files, "splits": {split: files}}
    return {**source, "name": f"{place}-{source['sensor']}", "scenes": scenes, "annotations": annotations}
