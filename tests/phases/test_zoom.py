"""Builds of large scenes at several scales: tiles, labels and groups of each, and what a second build does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin

from rsflow.errors import ConfigError
from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load
from rsflow.shards.verify import verify_snapshot

Build = Callable[..., BuildResult]
SIDE, OTHER = 1000, 700
SHIPS = ((100, 100, 40, 30), (600, 300, 45, 36), (900, 640, 36, 28))  # x, y, width, height
BUOYS = ((130, 200, 9, 9), (620, 360, 9, 9))
CATEGORIES = ("ship", "buoy", "plane")


def write_scene(path: Path, seed: int, overviews: bool, side: int = SIDE) -> None:
    field = np.random.default_rng(seed).integers(60, 120, (3, OTHER // 10, side // 10)).astype("uint8")
    pixels = field.repeat(10, axis=1).repeat(10, axis=2)
    for x, y, width, height in (*SHIPS, *BUOYS):
        pixels[:, y : y + height, x : x + width] = 230
    shape = {"count": 3, "height": pixels.shape[1], "width": pixels.shape[2], "dtype": "uint8"}
    place = from_origin(600_000 + 20_000 * seed, 5_000_000, 10, 10)
    tiled = {"tiled": True, "blockxsize": 64, "blockysize": 64, "crs": "EPSG:32633", "transform": place}
    with rasterio.open(path, "w", driver="GTiff", **tiled, **shape) as to:
        to.write(pixels)
        if overviews:
            to.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)


def write_labels(folder: Path, names: list[str], ships: tuple[tuple[int, ...], ...] = SHIPS) -> None:
    images = [{"id": i, "file_name": name, "width": SIDE, "height": OTHER} for i, name in enumerate(names)]
    boxes = [(i, 1, each) for i in range(len(names)) for each in ships] + [
        (i, 2, each) for i in range(len(names)) for each in BUOYS
    ]
    annotations = [
        {"id": number, "image_id": image, "category_id": category, "bbox": [*where], "area": where[2] * where[3], "iscrowd": 0}
        for number, (image, category, where) in enumerate(boxes, 1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(CATEGORIES, 1)]
    (folder / "labels.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_scene(folder / "a.tif", 1, overviews=True)
    write_scene(folder / "b.tif", 2, overviews=False)
    write_labels(folder, ["a.tif", "b.tif"])
    return folder


@pytest.fixture(scope="module")
def build(place: Path) -> Build:
    """build(*overrides, root="lake") -> the result of a build in that folder; the second one of a lake does what is missing."""

    def make(*overrides: str, root: str = "lake") -> BuildResult:
        scenes, labels = {"files": str(place / "*.tif")}, {"format": "coco", "files": str(place / "labels.json")}
        source = {"name": "sea", "sensor": "optical", "licence": "CC0-1.0", "scenes": scenes, "annotations": labels}
        built = {
            "root": str(place / root),
            "sources": [source],
            "tiles": {"size_px": 128, "unit_mb": 0.3},
            "zoom": {"min_side_px": 800, "overview_px": 128, "samples_per_scene": 6},
            "select": {"splits": {"train": 0.5, "test": 0.5}},
            "engine": {"kind": "inline"},
        }
        (place / "build.yaml").write_text(yaml.safe_dump(built))
        return run(load(str(place / "build.yaml"), overrides))

    return make


@pytest.fixture(scope="module")
def first(build: Build) -> BuildResult:
    return build()


def labels_of(result: BuildResult, tile_id: str) -> list[dict[str, Any]]:
    rows = [row for row in result.now.labels().to_pylist() if row["tile_id"] == tile_id]
    return sorted(rows, key=lambda row: (row["kind"], row["box"] or []))


def test_labels_are_exact_at_every_scale(first: BuildResult) -> None:
    result = first
    tiles = {row["tile_id"]: row for row in result.now.tiles().to_pylist()}
    overview = tiles["sea.a@overview/0_0_125x88"]
    assert overview["gsd_m"] == pytest.approx(80, rel=1e-2)
    found = labels_of(result, overview["tile_id"])
    boxes = [row["box"] for row in found if row["kind"] == "box"]
    assert boxes == [[x / 8, y / 8, (x + w) / 8, (y + h) / 8] for x, y, w, h in SHIPS if h / 8 >= 4]
    assert {row["category"]: row["value"] for row in found if row["kind"] == "count"} == {"ship": 3, "buoy": 2, "plane": 0}
    assert (overview["vocabulary"], overview["unknown"]) == (["plane"], ["buoy", "ship"])
    middle = labels_of(result, "sea.a@middle/0_0_128")
    assert [row["box"] for row in middle if row["category"] == "ship"] == [[100 / 3, 100 / 3, 140 / 3, 130 / 3]]


def test_samples_hold_three_scales_and_a_scene_stays_in_one_split(first: BuildResult, place: Path) -> None:
    result = first
    groups = result.now.groups().to_pylist()
    assert {row["place"] for row in groups} == {"sea.a", "sea.b"}
    for row in groups:
        assert [member["role"] for member in row["members"]] == ["overview", "middle", "detail"]
        assert row["members"][0]["box_in_first"] is None
        outer, inner = row["members"][1]["box_in_first"], row["members"][2]["box_in_first"]
        assert outer[0] <= inner[0] < inner[2] <= outer[2] + 1e-9
        assert outer[1] <= inner[1] < inner[3] <= outer[3] + 1e-9
    chosen = result.now.lake.read("selection", ["kind", "tile_id", "assigned_split"]).to_pylist()
    splits: dict[str, set[str]] = {}
    for row in chosen:
        if row["kind"] in {"tile", "group"} and row["assigned_split"]:
            name = row["tile_id"].removeprefix("zoom:").partition("/")[0].partition("@")[0]
            splits.setdefault(name, set()).add(row["assigned_split"])
    assert all(len(found) == 1 for found in splits.values()), splits
    assert verify_snapshot(str(place / "lake")).differences == ()
    assert [balance.line() for balance in result.balances if not balance.is_balanced] == []


def test_the_scales_of_a_scene_are_counted_as_one_scene(first: BuildResult) -> None:
    assert (first.planned.scenes["new"], first.planned.scenes["done"]) == (2, 0)
    assert first.balances[0].line() == "scenes: 6 scenes and coarser scales = 6 kept"


def test_a_changed_annotation_redoes_the_groups_of_its_scene_only(build: Build, first: BuildResult, place: Path) -> None:
    def marks(result: BuildResult) -> dict[str, str]:
        return {row["unit"]: row["scene_id"] for row in result.now.all_marks.to_pylist() if row["step"] == "group_zoom"}

    before = marks(first)
    document = json.loads((place / "labels.json").read_text())
    document["annotations"] = [each for each in document["annotations"] if each["id"] != 1]
    (place / "labels.json").write_text(json.dumps(document))
    after = marks(build())
    assert {after[unit] for unit in after.keys() - before.keys()} == {"sea.a"}
    assert {before[unit] for unit in before.keys() & after.keys()} == {"sea.b"}


def test_small_scenes_have_one_scale(build: Build) -> None:
    result = build("zoom.min_side_px=1001", root="plain")
    assert result.now.groups().num_rows == 0
    assert {row["scene_id"] for row in result.now.tiles().to_pylist()} == {"sea.a", "sea.b"}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("zoom.min_side_px=300", "more than 3 times overview_px"),
        ("tiles={grid: ground, gsd_m: 10}", "zoom is of scenes on their own pixels"),
        ("zoom.overwiev_px=100", "overview_px"),
    ],
)
def test_wrong_settings_are_named(build: Build, override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(override)
