"""What radar measures on ground that a photograph shows, or hides under cloud: from rasters to the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin

from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load

SIZE = 128
WEST, NORTH = 512_000, 4_994_560  # a corner of the grid's cells of 1,280 m


def fields() -> npt.NDArray[np.float64]:
    """Ground in fields of several brightness, whose edges all sensors show."""
    rng = np.random.default_rng(1)
    return np.kron(rng.uniform(0, 1, (8, 8)), np.ones((16, 16)))


def write(path: Path, bands: dict[str, npt.NDArray[Any]], dtype: str) -> None:
    profile: dict[str, Any] = {
        "count": len(bands),
        "height": SIZE,
        "width": SIZE,
        "dtype": dtype,
        "crs": "EPSG:32633",
        "photometric": "minisblack",
    }
    with rasterio.open(path, "w", driver="GTiff", **profile, transform=from_origin(WEST, NORTH, 10, 10)) as file:
        file.write(np.stack(list(bands.values())).astype(dtype))
        file.descriptions = tuple(bands)


def build(place: Path, sensor: str, unit: str, values: npt.NDArray[np.float64]) -> BuildResult:
    """Groups of a photograph, clouded in the lower left, and of what another sensor measures on the same ground."""
    ground, rng = fields(), np.random.default_rng(2)
    cloud = np.zeros((SIZE, SIZE), bool)
    cloud[60:120, 10:70] = True
    grey = np.where(cloud, 235, 60 + 120 * ground) + rng.normal(0, 3, ground.shape)
    write(place / "optical_20200601.tif", {"red": grey, "green": grey, "blue": grey, "cloud_mask": cloud}, "uint8")
    write(place / f"{sensor}_20200602.tif", {"measured": values}, "float32")
    time = {"acquired_at": "_([0-9]{8})[.]tif"}
    source = {"licence": "CC0-1.0"}
    config = {
        "root": str(place / "lake"),
        "sources": [
            {"name": "o", "sensor": "optical", "scenes": {"files": str(place / "optical*.tif"), **time}, **source},
            {"name": "s", "sensor": sensor, "scenes": {"files": str(place / f"{sensor}*"), "unit": unit, **time}, **source},
        ],
        "tiles": {"grid": "ground", "size_px": SIZE, "gsd_m": 10},
        "render": {"raw_bands": True, "format": "png"},
        "instructions": {"tasks": ["sensors"], "per_task": 20},
        "groups": {"kinds": ["sensors"]},
        "engine": {"kind": "inline"},
    }
    (place / "build.yaml").write_text(yaml.safe_dump(config))
    return run(load(str(place / "build.yaml"), []))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    rng = np.random.default_rng(3)
    radar = -14 + 6 * fields() + rng.normal(0, 0.7, (SIZE, SIZE))
    radar[70:100, 20:50] = -25 + rng.normal(0, 0.5, (30, 30))  # smooth and dark, under the cloud
    radar[30:34, 90:95] = 6  # a strong echo in the open
    radar[106:110, 56:60] = 6  # and one under the cloud
    return build(tmp_path_factory.mktemp("sensors"), "sar", "db", radar)


def test_spots_and_what_lies_under_cloud_are_labels_of_the_group(built: BuildResult) -> None:
    (group,) = built.now.groups().to_pylist()
    assert group["presence_only"] is False
    found = [row for row in built.now.labels().to_pylist() if row["tile_id"] == group["group_id"]]
    boxes = {tuple(row["box"]): row["flags"] for row in found if row["category"] == "strong echo"}
    assert boxes == {(90, 30, 95, 34): [], (56, 106, 60, 110): ["under cloud"]}
    assert all(15 < row["value"] < 24 for row in found if row["category"] == "strong echo")
    (low,) = [row for row in found if row["category"] == "low echo under cloud"]
    assert low["value"] == pytest.approx(30 * 30 / SIZE**2, rel=0.2)


def test_the_answers_say_what_was_measured_and_where(built: BuildResult) -> None:
    texts = [turn["text"] for row in built.now.instructions().to_pylist() for turn in row["turns"]]
    assert any("[[one spot|0]] that stands out" in text and "as calm water does" in text for text in texts)
    assert any("decibels stronger in echo than its surroundings" in text for text in texts)


def test_infrared_does_not_see_through_cloud(tmp_path: Path) -> None:
    kelvin = 290 + 4 * fields() + np.random.default_rng(4).normal(0, 0.2, (SIZE, SIZE))
    kelvin[30:34, 90:95] += 20
    kelvin[106:110, 56:60] += 20  # where the photograph is clouded
    built = build(tmp_path, "infrared", "kelvin", kelvin)
    found = [row for row in built.now.labels().to_pylist() if row["category"] == "warm spot"]
    assert {tuple(row["box"]): row["flags"] for row in found} == {(90, 30, 95, 34): [], (56, 106, 60, 110): []}
    texts = [turn["text"] for row in built.now.instructions().to_pylist() for turn in row["turns"]]
    assert any("kelvin warmer than its surroundings" in text for text in texts)
    assert not any("nder the cloud" in text for text in texts)
