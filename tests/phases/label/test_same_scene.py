"""One scene of reflectances, stored in every way that archives use, gives the same pictures and the same labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from scipy import ndimage

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.lake.tables import open_lake
from rsflow.lake.tile_files import read_pictures
from rsflow.phases.build import run
from rsflow.tiles.encode import decode

BANDS = ("blue", "green", "red", "nir", "swir")
SIZE = 96
# Upright, and turned by 30 degrees with pixels that are not square.
TRANSFORMS = {
    "upright": rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000),
    "turned": rasterio.Affine.translation(500_000, 5_000_000) @ rasterio.Affine.rotation(30) @ rasterio.Affine.scale(10, -20),
}
NUMBERED = {name: number for number, name in enumerate(BANDS, 1)}


def counts() -> Any:
    """(bands, rows, cols) reflectances times 10,000: water, vegetation and bare soil in patches; 0 is fill."""
    rng = np.random.default_rng(3)
    kinds = np.array([[800, 700, 400, 150, 60], [300, 600, 400, 4200, 1500], [900, 1200, 1700, 2300, 3400]]).T
    patches = np.argmax([ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 7) for _ in range(3)], axis=0)
    pixels = (kinds[:, patches] * rng.uniform(0.9, 1.1, (1, SIZE, SIZE))).round().astype(np.int64)
    pixels[:, :12, :30] = 0
    return pixels


def write(
    path: Path, pixels: Any, transform: Any, nodata: float | None = None, scale: float = 1.0, offset: float = 0.0
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "count": len(pixels), "height": SIZE, "width": SIZE, "dtype": pixels.dtype}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=transform, nodata=nodata, **profile) as out:
        out.write(pixels)
        if (scale, offset) != (1.0, 0.0):
            out.scales, out.offsets = [scale] * len(pixels), [offset] * len(pixels)


def stored(folder: Path, transform: Any) -> dict[str, dict[str, Any]]:
    """The settings of a source for each way to store the scene."""
    pixels = counts()
    fill = (pixels == 0).all(axis=0)
    shifted = np.where(fill, 0, pixels + 1000).astype(np.uint16)
    reflectances = np.where(fill, np.nan, pixels / 10_000).astype(np.float32)
    write(folder / "counts.tif", pixels.astype(np.uint16), transform, 0, 1e-4)
    write(folder / "shifted.tif", shifted, transform, 0, 1e-4, -0.1)
    write(folder / "stated.tif", shifted, transform)
    write(folder / "reflectances.tif", reflectances, transform)
    for band, plane in zip(BANDS, shifted, strict=True):
        write(folder / f"split_{band}.tif", plane[None], transform, 0, 1e-4, -0.1)
    write(folder / "masked.tif", np.where(fill, 1500, shifted).astype(np.uint16), transform, None, 1e-4, -0.1)
    with rasterio.open(folder / "masked.tif", "r+") as file:
        file.write_mask(~fill)
    write(folder / "sidecar.tif", shifted, transform, 0)
    described = "".join(
        f'<PAMRasterBand band="{n}"><Scale>0.0001</Scale><Offset>-0.1</Offset></PAMRasterBand>' for n in NUMBERED.values()
    )
    (folder / "sidecar.tif.aux.xml").write_text(f"<PAMDataset>{described}</PAMDataset>")
    numbered: dict[str, Any] = {"bands": NUMBERED, "unit": "reflectance"}
    found = {name: {"files": str(folder / f"{name}.tif"), **numbered} for name in ("counts", "shifted", "masked", "sidecar")}
    found["stated"] = {"files": str(folder / "stated.tif"), **numbered, "scale": 1e-4, "offset": -0.1, "nodata": 0}
    found["reflectances"] = {"files": str(folder / "reflectances.tif"), **numbered}
    found["split"] = {
        "files": str(folder / "split_{band}.tif"),
        "bands": dict(zip(BANDS, BANDS, strict=True)),
        "unit": "reflectance",
    }
    return found


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_same_labels_and_the_same_colours(tmp_path: Path, name: str) -> None:
    sources = [
        {
            "name": way,
            "sensor": "optical",
            "licence": "CC-BY-4.0",
            "scenes": scenes,
            "labellers": [{"name": "spectral"}, {"name": "scene"}],
        }
        for way, scenes in stored(tmp_path, TRANSFORMS[name]).items()
    ]
    config = {
        "root": str(tmp_path / "lake"),
        "sources": sources,
        "tiles": {"size_px": SIZE},
        "render": {"format": "png"},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0},
        "engine": {"kind": "inline"},
    }
    run(check(BuildConfig, json.loads(json.dumps(config)), "test"), ["label"])
    lake = open_lake(str(tmp_path / "lake"))
    tiles = {row["tile_id"].split(".")[0]: row for row in lake.read("tiles").to_pylist()}
    assert set(tiles) == {source["name"] for source in sources}
    pictures = read_pictures(lake.root, tiles.values())
    labels: dict[str, list[Any]] = {way: [] for way in tiles}
    for row in lake.read("labels").to_pylist():
        labels[row["tile_id"].split(".")[0]].append((row["kind"], row["category"], row["text"], row["value"], row["box"]))
    expected, picture = sorted(labels["reflectances"], key=repr), decode(pictures[tiles["reflectances"]["tile_id"]])
    assert {"water", "vegetation", "bare or built-up land"} <= {label[1] for label in expected}
    for way, tile in tiles.items():
        found = sorted(labels[way], key=repr)
        assert [label[:3] for label in found] == [label[:3] for label in expected], way
        assert [label[4] for label in found] == [label[4] for label in expected], way
        assert [label[3] for label in found] == pytest.approx([label[3] for label in expected], abs=2e-3), way
        assert tile["valid_share"] == pytest.approx(1 - 12 * 30 / SIZE**2), way
        assert np.abs(decode(pictures[tile["tile_id"]]).astype(int) - picture).max() <= 1, way
