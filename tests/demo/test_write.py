"""The demo's files: what they are, that their boxes are exact, and that they come out the same again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
from rasterio.features import rasterize

from rsflow.config import settings as config
from rsflow.demo import DemoScenes, write_demo_scenes
from rsflow.errors import StorageError, UsageError
from rsflow.files import storage

SIZE = 768
SENSORS = ("optical", "sar", "infrared")


@dataclass(frozen=True)
class Written:
    folder: Path
    scenes: DemoScenes

    def coco(self, sensor: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / "annotations" / f"{sensor}.json").read_text())
        return data


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("demo")
    return Written(folder, write_demo_scenes(folder, seed=7, size_px=SIZE))


def read(path: str | Path) -> npt.NDArray[Any]:
    with rasterio.open(path) as file:
        return np.asarray(file.read())


def test_the_same_seed_gives_the_same_bytes(demo: Written, tmp_path: Path) -> None:
    write_demo_scenes(tmp_path / "a", seed=7, size_px=SIZE)
    names = storage.list_files(str(tmp_path / "a"))
    assert len(names) == len(demo.scenes.scenes) + 4
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (demo.folder / name).read_bytes(), name


@pytest.mark.parametrize(
    ("sensor", "dtype", "bands", "gsd_m"),
    [
        ("optical", "uint16", ("blue", "green", "red", "nir", "swir"), 1.0),
        ("sar", "float32", ("vv",), 1.25),
        ("infrared", "uint16", ("tir",), 1.5),
    ],
)
def test_scenes_are_what_a_provider_delivers(
    demo: Written, sensor: str, dtype: str, bands: tuple[str, ...], gsd_m: float
) -> None:
    for path in sorted((demo.folder / sensor).glob("*.tif")):
        with rasterio.open(path) as file:
            assert set(file.dtypes) == {dtype}
            assert file.descriptions == bands
            assert file.crs.to_epsg() == 32633
            assert file.res == (gsd_m, gsd_m)
            assert file.nodata == 0
            assert file.block_shapes[0] == (256, 256)
            assert file.overviews(1)[:1] == [2]
            assert file.tags()["ACQUISITIONDATETIME"][:10] in path.name
            pixels = file.read()
        valid = (pixels != 0).all(axis=0)
        assert ((pixels != 0).any(axis=0) == valid).all(), "a pixel is nodata in some bands only"
        assert 0.8 < valid.mean() < 0.995
        assert not valid[0, 0]


def test_the_configuration_loads_and_finds_every_file(demo: Written) -> None:
    build = config.load(demo.scenes.config)
    assert [source.sensor for source in build.sources] == list(SENSORS)
    found = [file for source in build.sources for file in storage.glob(str(source.scenes.files))]
    assert sorted(found) == sorted(demo.scenes.scenes)
    for source in build.sources:
        assert source.annotations is not None
        assert storage.exists(str(source.annotations.files))
    assert build.tiles.size_px == 256


def test_boxes_are_the_bounds_of_their_polygons_pixels(demo: Written) -> None:
    for sensor in SENSORS:
        coco = demo.coco(sensor)
        images = {image["id"]: image for image in coco["images"]}
        names = {category["id"]: category["name"] for category in coco["categories"]}
        for row in coco["annotations"]:
            x, y, width, height = row["bbox"]
            image = images[row["image_id"]]
            assert 0 <= x < x + width <= image["width"]
            assert 0 <= y < y + height <= image["height"]
            ring = shapely.Polygon(np.reshape(row["segmentation"][0], (-1, 2)))
            mask = rasterize([ring], out_shape=(image["height"], image["width"]), default_value=1)
            rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            bounds = np.array([cols[0], rows[0], cols[-1] + 1, rows[-1] + 1])
            # Round outlines are polygons inside their circle, and may miss its outermost pixels by one.
            slack = 1 if names[row["category_id"]] in {"storage tank", "chimney"} else 0
            assert np.abs(bounds - [x, y, x + width, y + height]).max() <= slack, (sensor, row)
            assert abs(int(mask.sum()) - row["area"]) <= 2 + slack * 2 * (width + height)
    assert demo.scenes.boxes == sum(len(demo.coco(sensor)["annotations"]) for sensor in SENSORS)


@pytest.mark.parametrize("sensor", SENSORS)
def test_objects_stand_out_where_their_boxes_are_and_nowhere_beside(demo: Written, sensor: str) -> None:
    """Objects are brighter than the ring around them, and by most at the annotated place."""
    coco = demo.coco(sensor)
    margin, moves = 4, [(0, 0), (3, 0), (-3, 0), (0, 3), (0, -3)]
    contrast: dict[str, list[list[float]]] = {}
    names = {category["id"]: category["name"] for category in coco["categories"]}
    for image in coco["images"]:
        pixels = read(demo.folder / sensor / image["file_name"]).astype(np.float64)
        level = 20 * np.log10(np.maximum(pixels, 1e-3)) if sensor == "sar" else pixels
        for row in (row for row in coco["annotations"] if row["image_id"] == image["id"]):
            x, y, width, height = row["bbox"]
            cut = level[:, max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
            if min(x, y) < margin or cut.shape[1:] != (height + 2 * margin, width + 2 * margin):
                continue
            shifted = np.array(row["segmentation"][0]).reshape(-1, 2) - (x - margin, y - margin)
            mask = rasterize([shapely.Polygon(shifted)], out_shape=cut.shape[1:], default_value=1).astype(bool)
            around = np.median(cut[:, ~mask])
            moved = [float(cut[:, np.roll(mask, move, (0, 1))].mean() - around) for move in moves]
            contrast.setdefault(names[row["category_id"]], []).append(moved)
    assert set(contrast) >= {"ship", "vehicle", "building", "storage tank"}
    for category, values in contrast.items():
        mean = np.mean(values, axis=0)
        assert mean[0] > mean[1:].max(), (category, mean)


def test_objects_lie_on_valid_pixels(demo: Written) -> None:
    for sensor in SENSORS:
        coco = demo.coco(sensor)
        for image in coco["images"]:
            valid = (read(demo.folder / sensor / image["file_name"]) != 0).all(axis=0)
            for x, y, width, height in (r["bbox"] for r in coco["annotations"] if r["image_id"] == image["id"]):
                assert valid[y : y + height, x : x + width].all()


def test_what_stands_stands_at_the_same_ground_for_every_sensor(demo: Written) -> None:
    middles: dict[str, set[tuple[int, int]]] = {}
    for sensor, gsd_m in (("optical", 1.0), ("sar", 1.25), ("infrared", 1.5)):
        coco = demo.coco(sensor)
        tank = next(category["id"] for category in coco["categories"] if category["name"] == "storage tank")
        boxes = [r["bbox"] for r in coco["annotations"] if r["image_id"] == 1 and r["category_id"] == tank]
        middles[sensor] = {(round((x + w / 2) * gsd_m / 8), round((y + h / 2) * gsd_m / 8)) for x, y, w, h in boxes}
        assert boxes
    near = [{(x + dx, y + dy) for x, y in middles["sar"] for dx in (-1, 0, 1) for dy in (-1, 0, 1)}]
    assert middles["optical"] <= near[0]
    assert middles["infrared"] <= near[0]


def test_the_planted_duplicates_are_an_exact_and_a_near_one(demo: Written) -> None:
    first, exact, near = (demo.folder / "optical" / f"optical_2024-08-21{end}.tif" for end in ("", "_recompressed", "_resent"))
    assert first.read_bytes() != exact.read_bytes()
    for level in (None, 0):
        options = {} if level is None else {"overview_level": level}
        with rasterio.open(first, **options) as a, rasterio.open(exact, **options) as b:
            np.testing.assert_array_equal(a.read(), b.read())
    difference = read(near).astype(int) - read(first)
    assert set(np.unique(difference)) == {0, 10}
    assert 0.1 < (difference[0] > 0).mean() < 0.15


def test_speckle_has_the_stated_number_of_looks(demo: Written) -> None:
    """Mean squared over variance of the power estimates the looks, highest where the ground is even."""
    power = read(demo.folder / "sar" / "sar_2024-05-15.tif")[0].astype(np.float64) ** 2
    blocks = power[: power.shape[0] // 16 * 16, : power.shape[1] // 16 * 16].reshape(power.shape[0] // 16, 16, -1, 16)
    mean, variance = blocks.mean(axis=(1, 3)), blocks.var(axis=(1, 3))
    looks = (mean**2 / np.maximum(variance, 1e-12))[(blocks > 0).all(axis=(1, 3))]
    assert 3.4 < np.percentile(looks, 75) < 4.6


def test_there_is_a_cloud_on_the_first_day_only(demo: Written) -> None:
    white = [
        (read(demo.folder / "optical" / f"optical_{day}.tif")[:4] > 4500).all(axis=0).mean()
        for day in ("2024-05-14", "2024-11-02")
    ]
    assert white[0] > 0.005
    assert white[1] < 0.001


@pytest.mark.parametrize("size_px", [0, 256, 700])
def test_an_impossible_size_is_refused(tmp_path: Path, size_px: int) -> None:
    with pytest.raises(UsageError, match=str(size_px)):
        write_demo_scenes(tmp_path, size_px=size_px)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file"):
        write_demo_scenes(tmp_path / "file", size_px=512)
