"""Scenes in any reference system, and the same on a ground grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.transform import from_origin

from rsflow.cells.placement import CellSettings, target_grids
from rsflow.readers import GRID, open_scene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import SceneFiles

WriteScene = Callable[..., SceneFiles]
Warp = Callable[..., list[WarpedScene]]


@pytest.fixture
def write_scene(tmp_path: Path) -> WriteScene:
    """write_scene(pixels (bands, rows, cols), mask=None, options={}, overviews=(), **profile) -> SceneFiles."""

    def write(
        pixels: npt.NDArray[Any],
        mask: npt.NDArray[Any] | None = None,
        options: dict[str, Any] | None = None,
        overviews: tuple[int, ...] = (),
        sensor: Any = "optical",
        overview_resampling: str = "average",
        **profile: Any,
    ) -> SceneFiles:
        path = tmp_path / f"scene{len(list(tmp_path.iterdir()))}.tif"
        count, height, width = pixels.shape
        shape = {"count": count, "height": height, "width": width, "dtype": str(pixels.dtype)}
        place = {} if "gcps" in profile else {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", driver="GTiff", **shape, **{**place, **profile}) as to,
        ):
            to.write(pixels)
            if mask is not None:
                to.write_mask(mask)
            if overviews:
                to.build_overviews(overviews, rasterio.enums.Resampling[overview_resampling])
        return SceneFiles("source.scene", "source", sensor, "auto", {"": str(path)}, options or {})

    return write


@pytest.fixture
def warp() -> Warp:
    """warp(scene, gsd_m, cell_px=64, resampling="average") -> the scene on each of its target grids."""

    def place(scene: SceneFiles, gsd_m: float, cell_px: int = 64, resampling: str = "average") -> list[WarpedScene]:
        with open_scene(scene) as reader:
            footprint = reader.info.footprint
        assert footprint is not None
        found = []
        for grid in target_grids(footprint, CellSettings("utm", gsd_m, cell_px)):
            option = {"target": grid.to_json(), "resampling": resampling, "is_whole": False}
            opened = open_scene(replace(scene, options={**scene.options, GRID: option}))
            assert isinstance(opened, WarpedScene)
            found.append(opened)
        return found

    return place


def smooth(bands: int, height: int, width: int, dtype: str = "uint16", seed: int = 0) -> npt.NDArray[Any]:
    """A picture that changes slowly, with values from 100 to 250."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / rng.uniform(5, 20) + i) * np.cos(cols / rng.uniform(5, 20)) for i in range(bands)]
    return (175 + 75 * np.stack(waves)).astype(dtype)


@pytest.fixture(name="smooth", scope="session")
def smooth_fixture() -> Callable[..., npt.NDArray[Any]]:
    return smooth
