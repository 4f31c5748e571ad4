"""Crops of a georeferenced scene, kept as plain pictures without a place, do not show in train what test shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from scipy import ndimage

from rsflow.curation.duplicates.pictures.orientations import apply_orientation
from rsflow.inspection.explain import explain
from rsflow.inspection.facts.report_facts import summarise_build
from rsflow.phases.build import BuildResult
from rsflow.report.build_summary import summary_text
from tests.phases.select.test_duplicates import build, source

SIDE = 768

Box = tuple[float, float, float, float]


def scene() -> np.ndarray[Any, np.dtype[np.uint8]]:
    random = np.random.default_rng(7)
    layers = [ndimage.gaussian_filter(random.normal(size=(SIDE, SIDE)), sigma) * sigma * 2 for sigma in (2, 4, 8, 16)]
    grey = np.clip(128 + 40 * np.sum(layers, axis=0), 1, 255).astype(np.uint8)
    return np.stack([grey, grey // 2 + 40, 255 - grey // 2], axis=2)


def write(folder: Path) -> dict[str, Box]:
    """A georeferenced scene and 24 crops of it without a place; returns where each crop lies in the scene, in pixels."""
    pixels = scene()
    (folder / "ground").mkdir()
    (folder / "plain").mkdir()
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "height": SIDE, "width": SIDE, "crs": "EPSG:32631"}
    with rasterio.open(folder / "ground/scene.tif", "w", transform=from_origin(500_000, 5_000_000, 40, 40), **profile) as out:
        out.write(pixels.transpose(2, 0, 1))
    random = np.random.default_rng(3)
    places: dict[str, Box] = {}
    for number in range(24):
        side = int(random.integers(150, 250))
        top, left = (int(k) for k in random.integers(0, SIDE - side, 2))
        size = round(side * float(2 ** random.uniform(-0.4, 1)))
        part = Image.fromarray(pixels[top : top + side, left : left + side]).resize((size, size), Image.Resampling.BICUBIC)
        turned = apply_orientation(np.asarray(part), number % 8)
        Image.fromarray(turned).save(folder / f"plain/c{number:02}.jpg", quality=80)
        places[f"plain.c{number:02}"] = (left, top, left + side, top + side)
    return places


def shared_with_train(outcome: BuildResult, places: dict[str, Box]) -> tuple[float, int, int]:
    """(the share of what test pictures show that train shows too, pictures in test, in train)."""
    boxes: dict[str, list[Box]] = {"train": [], "test": []}
    for row in outcome.lake.read("selection", where={"kind": "tile", "selected": True}).to_pylist():
        name, _, window = row["subject"].partition("/")
        top, left, size = (int(k) for k in window.split("_")[:3]) if name not in places else (0, 0, 0)
        boxes[row["split"]].append(places.get(name, (left, top, left + size, top + size)))
    covered = {split: np.zeros((SIDE, SIDE), np.bool_) for split in boxes}
    for split, own in boxes.items():
        for left, top, right, bottom in own:
            covered[split][int(top) : int(bottom), int(left) : int(right)] = True
    both = (covered["train"] & covered["test"]).sum()
    return float(both / max(1, covered["test"].sum())), len(boxes["test"]), len(boxes["train"])


def test_crops_of_what_is_in_test_are_not_in_train(tmp_path: Path) -> None:
    places = write(tmp_path)
    sources = [source(tmp_path, "ground"), source(tmp_path, "plain")]
    outcome = build(tmp_path, sources, splits={"train": 0.7, "test": 0.3}, flips=True)
    share, tested, trained = shared_with_train(outcome, places)
    assert min(tested, trained) >= 3
    assert share < 0.1
    rows = outcome.lake.read("selection", where={"kind": "tile"}).to_pylist()
    gone = next(row["subject"] for row in rows if row["reason"] == "split_overlap")
    assert explain(outcome.lake.root, gone)
    alone = sum(row["selected"] and row["subject"].startswith("plain.c") for row in rows)
    assert summarise_build(outcome).unplaced == {"plain": alone}
    assert f"plain: {alone} pictures tell neither where they lie" in summary_text(summarise_build(outcome))
