"""Real scenes of two sensors on one ground, all bands: a labelled Sentinel-2 scene beside an unlabelled Sentinel-1 one, and
Landsat's reflective and thermal bands as delivered, a file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

import rsflow
from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.phases.build import run
from rsflow.shards.verify import verify_snapshot

SENTINEL = "multisensor/sen1floods11_spain/Spain_7370579"
LANDSAT = "infrared/landsat5_tm_thermal/LT52240631988227CUB02"
BANDS = ("coastal", "blue", "green", "red", "edge1", "edge2", "edge3", "nir", "narrow", "vapour", "cirrus", "swir1", "swir2")
LABELLERS = [{"name": "spectral"}, {"name": "scene"}]


def source(name: str, sensor: str, files: Path | str, bands: dict[str, Any], **more: Any) -> dict[str, Any]:
    unit = {"unit": more.pop("unit")} if "unit" in more else {}
    return {
        "name": name,
        "sensor": sensor,
        "licence": "CC-BY-4.0",
        "scenes": {"files": str(files), "bands": bands, **unit},
        **more,
    }


@pytest.fixture(scope="module")
def root(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pairs") / "lake"
    numbered = {name: number for number, name in enumerate(BANDS, 1)}
    reflective = {"blue": "B1", "green": "B2", "red": "B3", "nir": "B4", "swir1": "B5", "swir2": "B7"}
    sources = [
        source("s2", "optical", test_data / f"{SENTINEL}_S2Hand.tif", numbered, labellers=LABELLERS),
        source("s1", "sar", test_data / f"{SENTINEL}_S1Hand.tif", {"vv": 1, "vh": 2}, unit="db"),
        source("tm", "optical", f"{test_data}/{LANDSAT}_{{band}}.TIF", reflective, labellers=LABELLERS),
        source("tir", "infrared", f"{test_data}/{LANDSAT}_{{band}}.TIF", {"tir": "B6"}),
    ]
    settings: dict[str, Any] = {"tiles": {"size_px": 200}, "render": {"raw_bands": True}, "select": {"splits": {"train": 1}}}
    shard = {"companions": ["sar", "infrared"]}
    run(
        check(
            BuildConfig, {"root": str(root), "sources": sources, **settings, "shard": shard, "engine": {"kind": "inline"}}, ""
        )
    )
    return root


def test_every_band_and_the_other_sensors_picture_reach_the_loop(root: Path, test_data: Path) -> None:
    assert verify_snapshot(str(root)).differences == ()
    seen: dict[str, int] = {}
    for example in rsflow.stream(str(root)):
        meta, bands = example["meta"], example["bands"].numpy()
        seen[meta["source"]] = seen.get(meta["source"], 0) + 1
        row, col, height, width = meta["window"]
        window = Window(col, row, width, height)
        if meta["source"] == "s2":
            with rasterio.open(test_data / f"{SENTINEL}_S2Hand.tif") as file:
                assert np.array_equal(bands, file.read(window=window))
            assert (tuple(meta["bands"]), meta["raw"]["dtype"], meta["raw"]["nodata"]) == (BANDS, "int16", [0.0] * 13)
        else:
            for name, number in zip(meta["bands"], (1, 2, 3, 4, 5, 7), strict=True):
                with rasterio.open(test_data / f"{LANDSAT}_B{number}.TIF") as file:
                    assert np.array_equal(bands[meta["bands"].index(name)], file.read(1, window=window))
        beside = {"s2": "sar", "tm": "infrared"}[meta["source"]]
        (companion,) = meta["companions"]
        assert list(example["others"]) == [companion["sensor"]] == [beside]
        assert tuple(example["others"][beside].shape) == tuple(example["image"].shape) == (3, height, width)
        assert (companion["window"], companion["iou"]) == (meta["window"], 1.0)
    assert seen == {"s2": 9, "tm": 4}
