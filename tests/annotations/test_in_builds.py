"""Annotated sets through the label phase: large pictures, 16-bit SAR, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.annotations.parsing.oriented_boxes import box_corners
from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.phases.build import run

SIDE, TILE = 600, 256


def config(folder: Path, sensor: str, scenes: str, annotations: dict[str, Any]) -> BuildConfig:
    source = {"name": "set", "sensor": sensor, "licence": "CC0-1.0", "scenes": {"files": scenes}, "annotations": annotations}
    tiles = {"size_px": TILE, "whole_up_to_px": 300}
    screen = {"min_contrast": 0.0, "min_sharpness": 0.0}
    settings = {
        "root": str(folder / "lake"),
        "sources": [source],
        "tiles": tiles,
        "screen": screen,
        "engine": {"kind": "inline"},
    }
    return check(BuildConfig, settings, "test")


def noise(side: int, kind: Any, most: int) -> Any:
    return np.random.default_rng(0).integers(0, most, (side, side)).astype(kind)


def test_a_large_picture_of_dota_is_tiled_with_its_oriented_boxes_and_its_gsd(tmp_path: Path) -> None:
    Image.fromarray(noise(SIDE, np.uint8, 255)).save(tmp_path / "P0001.png")
    Image.fromarray(noise(200, np.uint8, 255)).save(tmp_path / "P0002.png")
    inside, across, off = (
        box_corners(100, 100, 40, 20, 0.5),
        box_corners(256, 400, 60, 20, 0.4),
        box_corners(900, 50, 40, 20, 0),
    )
    lines = [
        " ".join(f"{v:.3f}" for v in ring) + f" {name} 1" for ring, name in ((inside, "ship"), (across, "plane"), (off, "car"))
    ]
    (tmp_path / "P0001.txt").write_text("\n".join(["imagesource:GoogleEarth", "gsd:0.25", *lines]))
    (tmp_path / "P0002.txt").write_text("gsd:null\n" + " ".join(f"{v:.3f}" for v in inside) + " ship 0\n")
    done = run(config(tmp_path, "optical", f"{tmp_path}/*.png", {"format": "dota", "files": f"{tmp_path}/*.txt"}), ["label"])
    tiles = {row["tile_id"]: row for row in done.now.tiles().to_pylist()}
    assert len(tiles) == 10  # nine of the large picture, the small one whole
    large = [row for row in tiles.values() if "P0001" in row["tile_id"]]
    assert {row["gsd_m"] for row in large} == {0.25}
    assert all(row["vocabulary"] == [] for row in large)  # a label was off the picture, so it is not known what is absent
    labels = done.lake.read("labels").to_pylist()
    ships = [row for row in labels if row["category"] == "ship" and "P0001" in row["tile_id"]]
    assert len(ships) == 1
    assert (ships[0]["oriented"], ships[0]["flags"], ships[0]["visibility"]) == (True, ["difficult"], 1.0)
    assert ships[0]["polygon"] == pytest.approx(inside, abs=1e-3)
    planes = [row for row in labels if row["category"] == "plane"]
    cut = [row for row in planes if row["visibility"] < 1]
    assert cut
    assert all(not row["oriented"] and row["flags"] == ["difficult"] and len(row["polygon"]) >= 6 for row in cut)
    rejects = done.now.rejects().to_pylist()
    broken = [(row["reason"], row["subject"]) for row in rejects if row["kind"] == "annotation"]
    assert broken == [("box_outside", "P0001 label 3 (car)")]


def test_boxes_of_a_16_bit_sar_tiff_come_with_its_tiles(tmp_path: Path) -> None:
    pixels = noise(SIDE, np.uint16, 900)
    pixels[300:320, 310:350] = 40_000
    Image.fromarray(pixels).save(tmp_path / "12.tiff")
    box = "<bndbox><xmin>310</xmin><ymin>300</ymin><xmax>350</xmax><ymax>320</ymax></bndbox>"
    size = f"<size><width>{SIDE}</width><height>{SIDE}</height><depth>1</depth></size>"
    (tmp_path / "12.xml").write_text(
        f"<annotation><filename>12.tiff</filename>{size}<object><name>ship</name>{box}</object></annotation>"
    )
    done = run(config(tmp_path, "sar", f"{tmp_path}/*.tiff", {"format": "voc", "files": f"{tmp_path}/*.xml"}), ["label"])
    assert done.now.rejects().num_rows == 0
    labels = done.lake.read("labels").to_pylist()
    rows = {row["tile_id"]: row for row in done.now.tiles().to_pylist()}
    for label in labels:
        tile, (x0, y0, x1, y1) = rows[label["tile_id"]], label["box"]
        assert (x0 + tile["col_off"], y0 + tile["row_off"]) == (310, 300)
        assert (x1 - x0, y1 - y0) == (40 * label["visibility"], 20)
    assert labels


def test_a_set_with_lists_of_its_splits_says_them_of_its_tiles(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.fromarray(noise(100, np.uint8, 255)).save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "classes.txt").write_text("ship\n")
    (tmp_path / "test.list").write_text("b\n")
    annotations = {"format": "yolo", "files": f"{tmp_path}/*.txt", "splits": {"test": f"{tmp_path}/test.list"}}
    done = run(config(tmp_path, "optical", f"{tmp_path}/*.png", annotations), ["label"])
    tiles = done.now.tiles().to_pylist()
    assert sorted((row["tile_id"].split("/")[0], row["source_split"]) for row in tiles) == [("set.a", None), ("set.b", "test")]
    assert {tuple(row["vocabulary"]) for row in tiles} == {("ship",)}
    assert all(row["box"] == pytest.approx([40, 40, 60, 60]) for row in done.lake.read("labels").to_pylist())


def test_scenes_whose_names_hold_no_date_are_counted_and_stay(tmp_path: Path) -> None:
    for name in ("a_20200131", "b_20200201", "c"):
        Image.fromarray(noise(200, np.uint8, 255)).save(tmp_path / f"{name}.png")
    built = config(tmp_path, "optical", f"{tmp_path}/*.png", {"format": "captions", "files": f"{tmp_path}/set.json"})
    source = replace(built.sources[0], annotations=None, scenes=replace(built.sources[0].scenes, acquired_at=r"_(\d{8})"))
    done = run(replace(built, sources=(source,)), ["label"])
    times = {row["scene_id"]: row["acquired_at"] for row in done.lake.read("scenes").to_pylist()}
    assert [times[name] is None for name in sorted(times)] == [False, False, True]
    rejects = done.now.rejects().to_pylist()
    assert [(row["reason"], row["subject"]) for row in rejects] == [("no_time", "set.c")]
    assert run(replace(built, sources=(source,)), ["label"]).now.rejects().num_rows == 1
