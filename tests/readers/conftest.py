"""Scenes to read: tiny GeoTIFFs of any kind, written by rasterio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.transform import from_origin

from rsflow.records import SceneFiles

WriteTif = Callable[..., Path]
Scene = Callable[..., SceneFiles]

MAP = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}


@pytest.fixture
def write_tif(tmp_path: Path) -> WriteTif:
    """write_tif(name, pixels (bands, rows, cols), **profile) -> path; on a 10 m UTM grid unless said otherwise."""

    def write(name: str, pixels: npt.NDArray[Any], mask: npt.NDArray[Any] | None = None, **profile: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        count, height, width = pixels.shape
        shape = {"count": count, "height": height, "width": width, "dtype": str(pixels.dtype)}
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", driver="GTiff", **shape, **{**MAP, **profile}) as to,
        ):
            to.write(pixels)
            if mask is not None:
                to.write_mask(mask)
        return path

    return write


@pytest.fixture(scope="session")
def scene() -> Scene:
    """scene(path or {band: path}, sensor="optical", reader="auto", **options) -> SceneFiles."""

    def make(files: Path | str | dict[str, Path], sensor: Any = "optical", reader: str = "auto", **options: Any) -> SceneFiles:
        named = {name: str(path) for name, path in files.items()} if isinstance(files, dict) else {"": str(files)}
        return SceneFiles("source.scene", "source", sensor, reader, named, options)

    return make


def noise(*shape: int, dtype: str = "uint8", low: int = 1, high: int = 250, seed: int = 0) -> npt.NDArray[Any]:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


@pytest.fixture(name="noise", scope="session")
def noise_fixture() -> Callable[..., npt.NDArray[Any]]:
    return noise
