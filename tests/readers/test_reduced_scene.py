"""A scene at a coarser scale: exact means of blocks, from overviews or stored pixels, the same in every window."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

from rsflow.readers import REDUCED, open_scene, reduced_scene
from rsflow.readers.reduced_scene import ReducedScene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

Write = Callable[..., SceneFiles]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(pixels (bands, rows, cols), overviews=(), options={}, **profile) -> SceneFiles."""

    def make(pixels: npt.NDArray[Any], overviews: tuple[int, ...] = (), options: Any = None, **profile: Any) -> SceneFiles:
        path = tmp_path / f"scene{len(list(tmp_path.iterdir()))}.tif"
        count, height, width = pixels.shape
        shape = {"count": count, "height": height, "width": width, "dtype": str(pixels.dtype)}
        tiled = {"tiled": True, "blockxsize": 32, "blockysize": 32}
        place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
        with rasterio.open(path, "w", driver="GTiff", **{**shape, **tiled, **place, **profile}) as to:
            to.write(pixels)
            if overviews:
                to.build_overviews(overviews, rasterio.enums.Resampling.average)
        return SceneFiles("source.scene", "source", "optical", "auto", {"": str(path)}, options or {})

    return make


def reduced(scene: SceneFiles, factor: int) -> ReducedScene:
    found = open_scene(replace(scene, options={**scene.options, REDUCED: {"factor": factor, "scale": "middle"}}))
    assert isinstance(found, ReducedScene)
    return found


def block_means(band: npt.NDArray[Any], factor: int, fill: float | None = None) -> npt.NDArray[np.float64]:
    """The slow way: NaN where less than half of a block has a value."""
    rows, cols = (math.ceil(extent / factor) for extent in band.shape)
    found = np.full((rows, cols), np.nan)
    for row, col in np.ndindex(rows, cols):
        block = band[row * factor : (row + 1) * factor, col * factor : (col + 1) * factor].astype(float)
        known = block[block != fill] if fill is not None else block.ravel()
        if 2 * len(known) >= block.size:
            found[row, col] = known.mean()
    return found


def random_pixels(height: int, width: int, dtype: str = "uint16", bands: int = 2) -> npt.NDArray[Any]:
    return np.random.default_rng(0).integers(1, 250, (bands, height, width)).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("factor", [2, 3, 7, 16])
def test_pixels_are_the_means_of_blocks(write: Write, dtype: str, factor: int) -> None:
    pixels = random_pixels(101, 77, dtype)
    with reduced(write(pixels), factor) as scene:
        whole = scene.read(Window(0, 0, scene.info.height_px, scene.info.width_px))
        assert (scene.info.height_px, scene.info.width_px) == (math.ceil(101 / factor), math.ceil(77 / factor))
    expected = np.stack([block_means(band, factor) for band in pixels])
    np.testing.assert_array_equal(whole.pixels, expected.astype(dtype) if dtype == "float32" else np.rint(expected))
    assert whole.valid.all()


def test_fill_enters_no_mean_and_half_a_block_makes_a_value(write: Write) -> None:
    pixels = random_pixels(64, 64)
    pixels[:, np.random.default_rng(1).random((64, 64)) < 0.5] = 0
    pixels[:, :16] = 0
    with reduced(write(pixels, nodata=0), 4) as scene:
        found = scene.read(Window(0, 0, 16, 16))
    for band, stored in zip(found.pixels, pixels, strict=True):
        expected = block_means(stored, 4, fill=0)
        np.testing.assert_array_equal(found.valid, ~np.isnan(expected))
        np.testing.assert_array_equal(band, np.where(np.isnan(expected), 0, np.rint(np.nan_to_num(expected))))
    assert not found.valid[:4].any()
    assert found.valid[4:].any()


@pytest.mark.parametrize("overviews", [(), (2, 4)])
@pytest.mark.parametrize(("height", "width"), [(256, 192), (251, 187)])
def test_a_window_equals_the_same_window_of_the_whole(
    write: Write, overviews: tuple[int, ...], height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene_files = write(random_pixels(height, width), overviews)
    with reduced(scene_files, 4) as scene:
        assert scene.reads_overview == bool(overviews)
        whole = scene.read(Window(0, 0, scene.info.height_px, scene.info.width_px))
    monkeypatch.setattr(reduced_scene, "MAX_READ_PX", 700)  # read in many pieces
    with reduced(scene_files, 4) as scene:
        for window in (Window(0, 0, *whole.valid.shape), Window(3, 5, 20, 11), Window(40, 30, 23, 17)):
            found = scene.read(window)
            inside = np.s_[:, window.row_off : window.row_stop, window.col_off : window.col_stop]
            np.testing.assert_array_equal(found.pixels, whole.pixels[inside])


def test_overviews_of_uneven_scenes_lie_where_the_pixels_do(write: Write) -> None:
    """A slope shows where each pixel is taken from: an overview's last column covers less than its factor says."""
    slope = np.arange(1003, dtype="float32")[None, None, :] * np.ones((1, 1003, 1), "float32")
    with reduced(write(slope), 8) as plain, reduced(write(slope, (2, 4, 8)), 8) as through:
        assert (through.reads_overview, plain.reads_overview) == (True, False)
        window = Window(0, 0, 126, 126)
        difference = through.read(window).pixels - plain.read(window).pixels
    assert np.abs(difference[:, :, :-1]).max() <= 0.1  # of a stored pixel
    assert np.abs(difference).max() <= 4  # the last column is three stored pixels, of an overview's pixel of eight


def test_the_map_of_a_scale_is_that_of_its_scene(write: Write) -> None:
    with reduced(write(random_pixels(100, 100)), 8) as scene:
        assert scene.info.transform == (80, 0, 500_000, 0, -80, 5_000_000)
        assert scene.info.pixel_m == pytest.approx((80, 80), rel=1e-2)
        window = Window(2, 3, 4, 5)
        assert scene.footprint_of(window) == scene.scene.footprint_of(Window(16, 24, 32, 40))
        assert scene.stored_window(Window(10, 10, 3, 3)) == Window(80, 80, 20, 20)


def test_classes_take_the_pixel_in_the_middle(write: Write) -> None:
    pixels = random_pixels(40, 40, "uint8")
    with reduced(write(pixels, options={"bands": {"red": 1, "scl": 2}}), 4) as scene:
        found = scene.read(Window(0, 0, 10, 10))
    np.testing.assert_array_equal(found.pixels[1], pixels[1, 2::4, 2::4])


def test_plain_pictures_have_scales_too(tmp_path: Path) -> None:
    pixels = random_pixels(50, 70, "uint8", 3)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / "a.png")
    with reduced(SceneFiles("s", "s", "optical", "auto", {"": str(tmp_path / "a.png")}), 5) as scene:
        found = scene.read(Window(0, 0, 10, 14))
    np.testing.assert_array_equal(found.pixels, np.rint([block_means(band, 5) for band in pixels]))
