"""The folder that a reader of the README has: small made imagery under the names that the README uses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import boto3
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from rsflow.demo import write_demo_scenes
from tests.archive import SIZE, sar
from tests.checkpoints import constant_detr

VOC = """<annotation><filename>{name}.jpg</filename><size><width>{size}</width><height>{size}</height></size>
<object><name>Car</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>
<object><name>DontCare</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"""


@pytest.fixture(scope="session")
def imagery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes by three sensors, annotated pictures, one scene as a file per band, a detector; not to be changed."""
    folder = tmp_path_factory.mktemp("imagery")
    write_demo_scenes(folder / "made", seed=7, size_px=512)
    write_demo_scenes(folder / "more", seed=8, size_px=512)
    for name, source in (("imagery", "optical"), ("radar", "sar"), ("thermal", "infrared")):
        (folder / name).mkdir()
        for path in sorted((folder / "made" / source).glob("*_2024-??-??.tif")):
            path.rename(folder / name / path.name.replace("-", ""))
    (folder / "new").mkdir()
    next((folder / "more/optical").glob("*05-14.tif")).rename(folder / "new/scene_9.tif")
    _pictures(folder)
    shutil.copytree(folder / "vehicles", folder / "benchmark", ignore=shutil.ignore_patterns("*.xml"))
    _bands(folder)
    constant_detr(folder / "models/ships", (0.5, 0.5, 0.2, 0.1), 0.9)
    return folder


def put(bucket: str, folder: Path, prefix: str) -> None:
    client = boto3.client("s3")
    for path in sorted(folder.glob("*.tif")):
        client.put_object(Bucket=bucket, Key=f"{prefix}/{path.name}", Body=path.read_bytes())


def _pictures(folder: Path) -> None:
    """ships/ with COCO boxes, vehicles/ with VOC boxes."""
    pictures, labels = [], []
    for i in range(2):
        pixels, boxes = sar(30 + i)
        _jpeg(folder / f"ships/JPEGImages/s{i}.jpg", np.clip(pixels[0] * 150, 0, 255).astype(np.uint8))
        pictures.append({"id": i, "file_name": f"s{i}.jpg", "height": SIZE, "width": SIZE})
        labels += [{"id": 10 * i + n, "image_id": i, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
        x, y = 40 + 20 * i, 60
        ground = np.random.default_rng(i).normal(70, 8, (SIZE, SIZE))
        ground[y : y + 12, x : x + 24] = 220
        _jpeg(folder / f"vehicles/v{i}.jpg", np.clip(ground, 0, 255).astype(np.uint8))
        voc = VOC.format(name=f"v{i}", size=SIZE, x0=x, y0=y, x1=x + 24, y1=y + 12)
        (folder / f"vehicles/v{i}.xml").write_text(voc)
    coco = {"images": pictures, "annotations": labels, "categories": [{"id": 1, "name": "ship"}]}
    (folder / "ships/train.json").write_text(json.dumps(coco))


def _jpeg(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)


def _bands(folder: Path) -> None:
    """sentinel2/T33/: the bands of an optical scene as files, the last one with pixels of twice the size."""
    with rasterio.open(sorted((folder / "imagery").glob("*.tif"))[0]) as scene:
        pixels, profile = scene.read(), scene.profile
    (folder / "sentinel2/T33").mkdir(parents=True)
    for name, band in zip(("B02", "B03", "B04", "B08", "B11"), pixels, strict=True):
        step = 2 if name == "B11" else 1
        values, size = band[::step, ::step], profile["height"] // step
        place = {"transform": profile["transform"] @ Affine.scale(step), "crs": profile["crs"]}
        with rasterio.open(
            folder / f"sentinel2/T33/{name}.tif", "w", "GTiff", size, size, 1, dtype=values.dtype, **place
        ) as file:
            file.write(values, 1)
