"""Several of the demo's invented places, side by side on the ground, as one configuration: enough to train a small model on.

One idea: each place is written as the demo writes it, from its own seed, and becomes three sources of its own; places lie
apart, so each has ground cells of its own and every split gets some of every place's kinds of ground. More of it than of the
demo is held out, for scores of a model are worth as much as the questions are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from rsflow.demo.write import ORIGIN_M, write_demo_scenes
from rsflow.files import storage

FIRST_SEED = 41  # of the places that models are trained on
APART_M = 10_000.0
SPLITS = {"train": 0.7, "val": 0.1, "test": 0.2}


def write_demo_places(folder: str, seeds: Sequence[int], size_px: int = 2048) -> str:
    """Write a place for each seed into `folder`, and demo.yaml for all of them; returns its path.

    A place whose own configuration is there already is not written again: that is written last.
    """
    merged: dict[str, Any] = {}
    sources: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds):
        name = f"place-{seed}"
        config = storage.join(folder, name, "demo.yaml")
        if not storage.exists(config):
            origin = (ORIGIN_M[0] + number * APART_M, ORIGIN_M[1])
            write_demo_scenes(storage.join(folder, name), seed, size_px, origin)
        merged = yaml.safe_load(storage.read_text(config))
        sources += [_of_place(source, name) for source in merged["sources"]]
    path = storage.join(folder, "demo.yaml")
    merged |= {"sources": sources, "select": {**merged["select"], "splits": SPLITS}}
    storage.write_bytes(path, yaml.safe_dump(merged, sort_keys=False, width=120).encode())
    return path


def _of_place(source: dict[str, Any], place: str) -> dict[str, Any]:
    """The place's source under a name of its own, its paths begun at the folder of all places."""
    scenes = {**source["scenes"], "files": f"{place}/{source['scenes']['files']}"}
    annotations = {**source["annotations"], "files": f"{place}/{source['annotations']['files']}"}
    return {**source, "name": f"{place}-{source['sensor']}", "scenes": scenes, "annotations": annotations}
