"""A small archive of two sensors, made from a seed, and how tests build from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import yaml
from rasterio.transform import from_origin
from scipy.ndimage import gaussian_filter

from rsflow.config.settings import BuildConfig
from rsflow.lake.tables import open_lake
from rsflow.planning.recipe import load

SIZE = 160
TILE = 64


def write_scene(path: Path, pixels: npt.NDArray[Any], east: float = 500_000.0, nodata: float | None = 0) -> Path:
    """A GeoTIFF (bands, rows, cols) in UTM 33N with pixels of 10 m."""
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "count": pixels.shape[0], "height": pixels.shape[1], "width": pixels.shape[2]}
    place = {"crs": "EPSG:32633", "transform": from_origin(east, 5_000_000.0, 10, 10), "nodata": nodata}
    with rasterio.open(path, "w", dtype=pixels.dtype, tiled=True, blockxsize=64, blockysize=64, **profile, **place) as out:
        out.write(pixels)
    return path


def optical(seed: int) -> npt.NDArray[np.uint16]:
    """Four bands of smooth ground with texture, and a corner without data."""
    random = np.random.default_rng(seed)
    ground = np.stack([gaussian_filter(random.normal(size=(SIZE, SIZE)), 3) for _ in range(4)])
    pixels = np.clip(3000 + 9000 * ground + random.normal(scale=80, size=ground.shape), 1, 10_000).astype(np.uint16)
    pixels[:, :20, :20] = 0
    return pixels


def sar(seed: int) -> tuple[npt.NDArray[np.float32], list[list[float]]]:
    """Speckled sea with bright ships, and the ships' COCO boxes."""
    random = np.random.default_rng(seed)
    pixels = random.rayleigh(0.1, size=(SIZE, SIZE)).astype(np.float32)
    boxes = []
    for _ in range(5):
        x, y = random.integers(10, SIZE - 30, 2)
        pixels[y : y + 8, x : x + 14] = 2.0
        boxes.append([float(x), float(y), 14.0, 8.0])
    return pixels[None], boxes


def untold(root: Path) -> None:
    """Leave the rows of a lake's selection, but nothing that tells what they were made from: they are to be made again."""
    lake = open_lake(str(root))
    lake.overwrite("selection", lambda: [lake.read("selection")])


def settings(folder: Path) -> dict[str, Any]:
    bands = {"blue": 1, "green": 2, "red": 3, "nir": 4}
    return {
        "root": str(folder / "lake"),
        "sources": [
            {
                "name": "land",
                "sensor": "optical",
                "licence": "CC0-1.0",
                "scenes": {"files": f"{folder}/optical/*.tif", "bands": bands},
                "labellers": [{"name": "spectral"}, {"name": "scene"}],
            },
            {
                "name": "sea",
                "sensor": "sar",
                "licence": "CC-BY-4.0",
                "scenes": {"files": f"{folder}/sar/*.tif"},
                "annotations": {"format": "coco", "files": f"{folder}/sar.json"},
                "labellers": [{"name": "scene"}],
            },
        ],
        "tiles": {"size_px": TILE, "cell_km": 1.0},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0},
        "shard": {"target_mb": 0.05},
        "engine": {"kind": "inline"},
    }


def config_of(archive: Path, *overrides: str) -> BuildConfig:
    return load(str(archive / "build.yaml"), overrides)


def shards_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "shards").rglob("*")) if path.is_file()}


def write_archive(folder: Path, count: int = 2) -> None:
    """So many optical scenes, as many SAR scenes with annotations, and `build.yaml` for them (inline, root `lake`)."""
    for i in range(count):
        write_scene(folder / f"optical/o{i}.tif", optical(i), 500_000.0 + 40_000 * i)
    pictures, labels = [], []
    for i in range(count):
        pixels, boxes = sar(10 + i)
        write_scene(folder / f"sar/s{i}.tif", pixels, 500_000.0 + 40_000 * i)
        pictures.append({"id": i, "file_name": f"s{i}.tif", "height": SIZE, "width": SIZE})
        labels += [{"id": 10 * i + n, "image_id": i, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
    coco = {"images": pictures, "annotations": labels, "categories": [{"id": 1, "name": "ship"}, {"id": 2, "name": "dock"}]}
    (folder / "sar.json").write_text(json.dumps(coco))
    (folder / "build.yaml").write_text(yaml.safe_dump(settings(folder)))
