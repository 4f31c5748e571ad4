"""Models of measured bands in a build on real Sentinel-1 and Sentinel-2 pixels: a label says what the checkpoint says of
the file's own values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.windows import Window

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.phases.build import BuildResult, run
from rsflow.shards.format import BANDS
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_snapshot
from tests.checkpoints import SAR_MEAN, SAR_STD, TWELVE_MEAN, TWELVE_STD

torch = pytest.importorskip("torch", reason="needs the extra rsflow[vlm]")
transformers = pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")

Folders = Callable[[str], Path]
TILE = "38D_378R_2_3.tif"
SIDE_PX = 32  # of tiles and of the models' pictures, so that nothing is resized
NAMES = tuple(f"b{number:02}" for number in range(1, 13))  # of the twelve bands of a level-2A product, in their order
PRODUCTS = {"optical": ("S2L2A", NAMES, "reflectance", 0.0001), "sar": ("S1RTC", ("vv", "vh"), "db", 1.0)}


def source(folder: Path, sensor: str, labellers: list[dict[str, Any]]) -> dict[str, Any]:
    product, names, unit, scale = PRODUCTS[sensor]
    bands = {name: number for number, name in enumerate(names, 1)}
    scenes = {"files": str(folder / product / TILE), "bands": bands, "unit": unit}
    if scale != 1.0:
        scenes["scale"] = scale
    if sensor == "optical":
        scenes["bands"] = {**{name: n for name, n in bands.items() if name not in {"b02", "b03", "b04"}}}
        scenes["bands"] |= {"blue": 2, "green": 3, "red": 4}
    return {"name": sensor, "sensor": sensor, "licence": "CC-BY-4.0", "scenes": scenes, "labellers": labellers}


def in_order(sensor: str) -> list[str]:
    shown = {"b02": "blue", "b03": "green", "b04": "red"}
    return [shown.get(name, name) for name in PRODUCTS[sensor][1]]


def expected(folder: Path, model: Path, sensor: str, row_off: int, col_off: int, factor: float) -> npt.NDArray[np.float32]:
    """The checkpoint's scores of one window, by rasterio, NumPy and plain transformers."""
    product, _, _, scale = PRODUCTS[sensor]
    with rasterio.open(folder / product / TILE) as scene:
        values = scene.read(window=Window(col_off, row_off, SIDE_PX, SIDE_PX)).astype(np.float64) * scale * factor
    mean, std = (SAR_MEAN, SAR_STD) if sensor == "sar" else (TWELVE_MEAN, TWELVE_STD)
    values = (values - np.reshape(mean, (-1, 1, 1))) / np.reshape(std, (-1, 1, 1))
    own = transformers.ViTForImageClassification.from_pretrained(model).eval()
    with torch.inference_mode():
        return own(torch.from_numpy(values[None].astype(np.float32))).logits.softmax(-1)[0].numpy()


@pytest.fixture(scope="module")
def built(test_data: Path, checkpoint: Folders, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    folder = test_data / "ground/landcover/terramesh"
    twelve = {"bands": in_order("optical"), "unit": "reflectance", "factor": 10000.0}
    both = {"bands": in_order("sar"), "unit": "db", "factor": 1.0}
    common = {"quality": 0.9, "workers": 1}
    optical = [
        {"name": "classifier", "model": str(checkpoint("twelve_bands")), "threshold": 0.0, "raw": twelve, **common},
        {"name": "land_cover", "model": str(checkpoint("twelve_band_map")), "raw": twelve, **common},
    ]
    sar = [{"name": "classifier", "model": str(checkpoint("sar_bands")), "threshold": 0.0, "raw": both, **common}]
    settings = {
        "root": str(tmp_path_factory.mktemp("raw") / "lake"),
        "sources": [source(folder, "optical", optical), source(folder, "sar", sar)],
        "tiles": {"size_px": SIDE_PX},
        "render": {"raw_bands": True, "format": "png"},
        "labels": {"min_score": 0.0},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0},
        "select": {"splits": {"train": 1.0}},
        "engine": {"kind": "inline"},
    }
    return run(check(BuildConfig, settings, "test"))


@pytest.mark.parametrize(("sensor", "family", "factor"), [("optical", "twelve_bands", 10000.0), ("sar", "sar_bands", 1.0)])
def test_a_label_is_what_the_checkpoint_says_of_the_files_values(
    built: BuildResult, test_data: Path, checkpoint: Folders, sensor: str, family: str, factor: float
) -> None:
    model = checkpoint(family)
    names = transformers.AutoConfig.from_pretrained(model).id2label
    tiles = {row["tile_id"]: row for row in built.now.tiles().to_pylist() if row["source"] == sensor}
    labels = [
        row
        for row in built.now.labels().to_pylist()
        if row["tile_id"] in tiles and row["kind"] == "category" and row["origin_name"] == "classifier"
    ]
    assert len(labels) == len(tiles) == 49
    assert len({round(row["score"], 6) for row in labels}) > 10  # it depends on the pixels
    for row in labels[::12]:
        tile = tiles[row["tile_id"]]
        scores = expected(test_data / "ground/landcover/terramesh", model, sensor, tile["row_off"], tile["col_off"], factor)
        assert row["category"] == names[int(scores.argmax())]
        assert row["score"] == pytest.approx(float(scores.max()), abs=2e-4)


def test_covers_are_told_and_the_bands_reach_the_shards(built: BuildResult) -> None:
    covers = [row for row in built.now.labels().to_pylist() if row["kind"] == "cover"]
    assert {row["tile_id"].partition(".")[0] for row in covers} == {"optical"}
    assert verify_snapshot(built.lake.root).differences == ()
    samples = [
        sample
        for split in read_snapshot(built.lake.root).splits.values()
        for shard in split.shards
        for sample in ShardReader(built.lake.root, shard)
    ]
    assert {sample.record["sensor"] for sample in samples} == {"optical", "sar"}
    assert all(BANDS in sample.others for sample in samples)
