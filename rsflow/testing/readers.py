"""The laws of a scene reader (rsflow.readers.contract)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rsflow.readers import SceneReader
from rsflow.records import Raster, SceneFiles
from rsflow.sensors import SensorName
from rsflow.spatial.geometry import Window
from rsflow.testing.laws import damaged_copies, raises_only_own_errors, require

Opener = Callable[[SceneFiles], SceneReader]


def check_reader(
    open_scene: Opener,
    files: Mapping[str, str],
    sensor: SensorName = "optical",
    options: Mapping[str, Any] | None = None,
    damages: bool = True,
) -> None:
    """Run all laws on a scene of local files (band name to path; the one file of all bands under "").

    The scene should be at least 8 x 8 pixels. `damages=False` leaves out the laws on broken copies of the files, for formats
    in which any bytes are a scene.
    """
    scene = SceneFiles("law.scene", "law", sensor, "law", dict(files), dict(options or {}))
    with open_scene(scene) as reader:
        _check_info(reader)
        _check_windows(reader)
        _check_refused_windows(reader)
        _check_overview(reader)
        _check_places(reader)
    _check_reopening(open_scene, scene)
    _check_missing_file(open_scene, scene)
    if damages:
        _check_damages(open_scene, scene)


def _check_info(reader: SceneReader) -> None:
    info = reader.info
    require(info.bands and len(set(info.bands)) == len(info.bands), f"bands have names that differ: found {info.bands}")
    require(info.height_px > 0 and info.width_px > 0, f"a scene has pixels: found {info.height_px} x {info.width_px}")
    require(np.dtype(info.dtype).kind in "uif", f"dtype is of whole or real numbers: found {info.dtype}")
    located = info.crs is not None and info.transform is not None
    require(located == (info.georeference == "crs"), "crs and transform are there exactly where georeference is 'crs'")
    require(not info.nodata or len(info.nodata) == len(info.bands), "nodata is empty or has a value per band")
    require(not info.calibration or len(info.calibration) == len(info.bands), "calibration is empty or has one per band")
    require(info.gsd_m is None or 0 < info.gsd_m < np.inf, f"gsd_m is a length above 0: found {info.gsd_m}")
    _check_ring(info.footprint)
    rows, cols = reader.block_shape
    require(rows > 0 and cols > 0, f"block_shape is positive: found {reader.block_shape}")


def _check_ring(ring: tuple[float, ...] | None) -> None:
    if ring is not None:
        longitudes, latitudes = np.abs(ring[::2]), np.abs(ring[1::2])
        require(len(ring) >= 6 and len(ring) % 2 == 0, f"a footprint is a ring of lon, lat pairs: found {len(ring)} numbers")
        require((longitudes <= 360).all() and (latitudes <= 90).all(), f"a footprint is in degrees: found {ring}")


def _check_windows(reader: SceneReader) -> None:
    """Any window is that part of the whole scene, whatever was read before."""
    height, width = reader.info.height_px, reader.info.width_px
    whole = reader.read(Window(0, 0, height, width))
    _check_raster(reader, whole, (height, width))
    middle = Window(height // 3, width // 4, max(1, height // 2), max(1, width // 3))
    for window in (middle, Window(0, 0, 1, 1), Window(height - 1, width - 1, 1, 1), Window(0, width // 2, height, 1), middle):
        part = reader.read(window)
        _check_raster(reader, part, (window.height_px, window.width_px))
        inside = np.s_[window.row_off : window.row_stop, window.col_off : window.col_stop]
        same = np.array_equal(part.pixels, whole.pixels[:, *inside], equal_nan=part.pixels.dtype.kind == "f")
        require(same and np.array_equal(part.valid, whole.valid[inside]), f"{window} is that part of the whole scene")


def _check_raster(reader: SceneReader, raster: Raster, shape: tuple[int, int]) -> None:
    info = reader.info
    require(raster.bands == info.bands, f"a raster has the scene's bands {info.bands}: found {raster.bands}")
    expected = (len(info.bands), *shape)
    require(raster.pixels.shape == expected, f"pixels are (bands, rows, cols) {expected}: found {raster.pixels.shape}")
    require(str(raster.pixels.dtype) == info.dtype, f"pixels are {info.dtype} as info says: found {raster.pixels.dtype}")
    require(raster.valid.shape == shape and raster.valid.dtype == np.bool_, f"valid is a bool array of {shape}")


def _check_refused_windows(reader: SceneReader) -> None:
    height, width = reader.info.height_px, reader.info.width_px
    for window in (Window(0, 0, height + 1, width), Window(0, width, 1, 1), Window(-1, 0, 1, 1), Window(0, 0, 0, 1)):
        try:
            reader.read(window)
        except ValueError:
            continue
        raise AssertionError(f"a window that is empty or not inside the scene is a ValueError: {window} was read")


def _check_overview(reader: SceneReader) -> None:
    height, width = reader.info.height_px, reader.info.width_px
    for max_px in (4, max(height, width), 10 * max(height, width)):
        view = reader.overview(max_px)
        rows, cols = view.valid.shape
        require(0 < max(rows, cols) <= max_px, f"an overview's sides are at most {max_px}: found {rows} x {cols}")
        _check_raster(reader, view, (rows, cols))


def _check_places(reader: SceneReader) -> None:
    part = Window(0, 0, max(1, reader.info.height_px // 2), max(1, reader.info.width_px // 2))
    ring = reader.footprint_of(part)
    _check_ring(ring)
    require((ring is None) == (reader.info.footprint is None), "windows have a footprint exactly where the scene has one")
    size = reader.pixel_m_of(part)
    require(size is None or min(size) > 0, f"pixel_m_of gives lengths above 0: found {size}")


def _check_reopening(open_scene: Opener, scene: SceneFiles) -> None:
    with open_scene(scene) as one, open_scene(scene) as other:
        require(one.info == other.info, "a scene opened twice has the same info")
        whole = Window(0, 0, one.info.height_px, one.info.width_px)
        first, second = one.read(whole), other.read(whole)
        require(first.pixels.tobytes() == second.pixels.tobytes(), "a scene opened twice has the same pixels")
        require(np.array_equal(first.valid, second.valid), "a scene opened twice has the same valid pixels")


def _check_missing_file(open_scene: Opener, scene: SceneFiles) -> None:
    missing = SceneFiles(
        scene.scene_id, scene.source, scene.sensor, scene.reader, dict.fromkeys(scene.files, "/no/such/file"), scene.options
    )
    law = "a file that is not there is a DataError"
    require(raises_only_own_errors(lambda: _read_whole(open_scene, missing), law), f"{law}: it was read")


def _check_damages(open_scene: Opener, scene: SceneFiles) -> None:
    """A damaged file either is a DataError, at opening or at reading, or still gives what its info says."""
    names = list(scene.files)
    with tempfile.TemporaryDirectory() as folder:
        for damage, copies in damaged_copies([scene.files[name] for name in names], Path(folder)):
            files = dict(zip(names, copies, strict=True))
            broken = SceneFiles(scene.scene_id, scene.source, scene.sensor, scene.reader, files, scene.options)
            raised = raises_only_own_errors(partial(_read_whole, open_scene, broken), f"a file that is {damage}")
            require(raised or damage != "empty", "an empty file is a DataError")


def _read_whole(open_scene: Opener, scene: SceneFiles) -> None:
    with open_scene(scene) as reader:
        raster = reader.read(Window(0, 0, reader.info.height_px, reader.info.width_px))
        _check_raster(reader, raster, (reader.info.height_px, reader.info.width_px))
