"""Scenes become tiles: read the windows of each unit, with the scene's stretch and the annotations that touch them.

One idea: a unit is read through one open handle, and the handle, with the statistics of its whole scene, is kept for the next
unit that this process gets of the same scene. A scene that cannot be read, is gone or changed since it was planned raises
DataError, and the whole unit becomes one reject.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from rsflow.cells.cell_names import cell_centre
from rsflow.config import settings as config
from rsflow.errors import DataError, StorageError, UnavailableError
from rsflow.files import storage
from rsflow.readers import GRID, SceneInfo, SceneReader, open_scene, select_reader
from rsflow.readers.contract import CLASS_BANDS
from rsflow.readers.reduced_scene import ReducedScene
from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import Raster, SceneFiles
from rsflow.schemas import IN_FLIGHT, pack_arrays, window_from_row
from rsflow.sensors import SENSORS, PixelUnit
from rsflow.spatial import geometry
from rsflow.spatial.geometry import Window
from rsflow.stage import BatchFunction, Resources
from rsflow.stages.label.place_labels import place_labels, reduce_labels
from rsflow.tiles.grid import chunk_index
from rsflow.tiles.render import Stretch, pad_to, scene_stretch

MAX_REFLECTANCE = 10.0  # Sentinel-2 counts reach 6.5, Landsat's 1.6
OVERVIEW_PX = 1024  # the longer side of the decimated scene that statistics are taken from


@dataclass(frozen=True, slots=True)
class CutScenes:
    """LABEL_WORK rows in, batches of IN_FLIGHT tiles out, a chunk of neighbours each, in the order of the unit's windows.

    Small batches keep the arrays of one in the processor's reach and let the allocator use the same memory again.
    """

    tiles: config.Tiles
    render: config.Render
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 6

    def open(self) -> BatchFunction:
        def cut(table: pa.Table) -> Iterator[pa.Table]:
            for row in table.to_pylist():
                yield from self._unit(row)

        return cut

    def _unit(self, row: dict[str, Any]) -> Iterator[pa.Table]:
        scene = SceneFiles(**json.loads(row["scene"]))
        check_unchanged(scene, row["stats_key"])
        reader, stretch = open_with_stretch(row["scene"], row["stats_key"], self.render)
        same = {
            "attribution": scene.options.get("attribution"),
            "stretch": stretch.to_json(),
            "pixel_unit": pixel_unit(scene, reader.info),
            "nodata": list(reader.info.nodata),
            "calibration": [asdict(how) for how in reader.info.calibration],
            "unit_windows": _unit_windows(row, reader) if row["ground"] else None,
        }
        row["labels"] = _placed_labels(row["labels"], scene, reader)
        for _, chunk in groupby(row["windows"], key=lambda window: chunk_index(window["index"])):
            yield self._chunk(row, reader, list(chunk), same)

    def _chunk(self, row: dict[str, Any], reader: SceneReader, places: list[dict[str, int]], same: dict[str, Any]) -> pa.Table:
        windows = [window_from_row(place) for place in places]
        rasters = [self._read(reader, window) for window in windows]
        rows = [
            {
                **_columns(row, reader, place["index"], window, raster, self.tiles),
                **same,
                "labels": [label for label in row["labels"] if _touches(label, window)],
            }
            for place, window, raster in zip(places, windows, rasters, strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=IN_FLIGHT)
        for name, arrays in (("pixels", [r.pixels for r in rasters]), ("valid", [r.valid for r in rasters])):
            table = table.set_column(table.schema.get_field_index(name), IN_FLIGHT.field(name), pack_arrays(arrays))
        return table

    def _read(self, reader: SceneReader, window: Window) -> Raster:
        raster = reader.read(window)
        return pad_to(raster, self.tiles.size_px) if self.tiles.small == "pad" else raster


def _unit_windows(row: dict[str, Any], reader: SceneReader) -> list[list[float]]:
    """The windows of all tiles of the unit with the size of their pixels on the ground, where that is known."""
    windows = [window_from_row(place) for place in row["windows"]]
    return [[*window.box, *(reader.pixel_m_of(window) or ())] for window in windows]


def pixel_unit(scene: SceneFiles, info: SceneInfo) -> PixelUnit:
    """What a (calibrated) pixel of the scene measures: the source's setting, else the file's, else the sensor's usual.

    Optical counts whose scale takes the whole range of their type to at most MAX_REFLECTANCE are reflectance, also where the
    file names no unit: radiances and temperatures are larger.
    """
    unit: PixelUnit | None = scene.options.get("unit") or info.unit
    if unit is None and scene.sensor == "optical" and _is_scaled_to_reflectance(info):
        return "reflectance"
    return unit or SENSORS[scene.sensor].default_unit


def _is_scaled_to_reflectance(info: SceneInfo) -> bool:
    dtype = np.dtype(info.dtype)
    amounts = [how for band, how in zip(info.bands, info.calibration, strict=False) if band not in CLASS_BANDS]
    if dtype.kind not in "iu" or not amounts:
        return False
    top = float(np.iinfo(dtype).max)
    return all(how.origin and how.changes and 0 < how.scale * top <= MAX_REFLECTANCE for how in amounts)


def main_file(scene: SceneFiles) -> str:
    """The (first) file of a scene: annotation files call the scene by its name. The metadata of a product without bands."""
    return next(iter(scene.every_file), scene.scene_id)


def stats_key(scene: SceneFiles, fresh: bool = False) -> str:
    """A text that changes when any file of the scene may have changed. DataError("missing_file") where one is gone."""
    try:
        return "|".join(storage.stat_key(path, fresh) for path in scene.every_file)
    except UnavailableError:
        raise
    except StorageError as error:
        is_missing = isinstance(error.__cause__, FileNotFoundError)
        raise DataError("missing_file" if is_missing else "unreadable", str(error)) from error


def check_unchanged(scene: SceneFiles, planned: str) -> None:
    """DataError where a file of the scene is gone or is another than was planned."""
    if stats_key(scene, fresh=True) != planned:
        files = ", ".join(scene.every_file)
        raise DataError(
            "changed_while_running", f"{files}: changed since the run was planned: run again to take the new content"
        )


def tile_id(scene_id: str, window: Window) -> str:
    size = str(window.width_px) if window.width_px == window.height_px else f"{window.width_px}x{window.height_px}"
    return f"{scene_id}/{window.row_off}_{window.col_off}_{size}"


def window_of_tile(tile: str) -> Window:
    """The window that a tile's id names. ValueError where the text is no tile's id."""
    row_off, col_off, size = tile.rpartition("/")[2].split("_")
    width_px, _, height_px = size.partition("x")
    return Window(int(row_off), int(col_off), int(height_px or width_px), int(width_px))


def sample_key(tile: str) -> str:
    """The tile's key in shards: 20 hexadecimal digits, so free of dots and slashes and in random order when sorted."""
    return hashlib.blake2b(tile.encode(), digest_size=10).hexdigest()


@lru_cache(maxsize=2)
def open_with_stretch(scene_json: str, stats: str, render: config.Render) -> tuple[SceneReader, Stretch]:
    """A scene (SceneFiles as JSON, at the state that `stats` names) and how its pixels become a picture; the last two are kept.

    DataError where it cannot be opened or lacks a band.
    """
    scene = SceneFiles(**json.loads(scene_json))
    reader = open_scene(scene)
    whole = reader.overview(OVERVIEW_PX)
    # Nobody delivers a picture as a file per band, or with more than red, green, blue and one more.
    is_measured = len(scene.files) > 1 or len(reader.info.bands) > 4
    try:
        stretch = scene_stretch(
            whole,
            scene.sensor,
            pixel_unit(scene, reader.info),
            render,
            scene.options.get("rgb"),
            select_reader(scene) == "picture",
            is_measured,
            reader.info.calibration,
            reader.info.nodata,
        )
    except ValueError as error:
        raise DataError("missing_band", f"{main_file(scene)}: {error}") from error
    except DataError as error:
        raise DataError(error.reason, f"{main_file(scene)}: {error.detail}") from error
    return reader, stretch


def _columns(
    row: dict[str, Any], reader: SceneReader, index: int, window: Window, raster: Raster, tiles: config.Tiles
) -> dict[str, Any]:
    identity = tile_id(row["scene_id"], window)
    info = reader.info
    footprint = reader.footprint_of(window)
    height_px, width_px = raster.valid.shape
    pixel_m = reader.pixel_m_of(window)
    grid_cell = reader.grid.cell_name(window) if isinstance(reader, WarpedScene) else None
    return {
        **{
            name: row[name]
            for name in ("scene_id", "source", "sensor", "licence", "unit", "vocabulary", "source_split", "ground")
        },
        "tile_id": identity,
        "key": sample_key(identity),
        "chunk": chunk_index(index),
        "row_off": window.row_off,
        "col_off": window.col_off,
        "height_px": height_px,
        "width_px": width_px,
        "bands": list(raster.bands),
        "crs": info.crs,
        "footprint": list(footprint) if footprint else None,
        "cell": _split_cell(grid_cell, footprint, tiles.cell_km),
        "grid_cell": grid_cell,
        "gsd_m": math.sqrt(pixel_m[0] * pixel_m[1]) if pixel_m else None,
        "pixel_m": list(pixel_m) if pixel_m else None,
        "acquired_at": info.acquired_at,
        "reduction": reader.factor if isinstance(reader, ReducedScene) else None,
        "scene_height_px": info.height_px,
        "scene_width_px": info.width_px,
        "transform": list(info.transform) if info.transform else None,
        "pixels_dtype": raster.pixels.dtype.str,
        "pixels_shape": list(raster.pixels.shape),
    }


def _placed_labels(labels: list[dict[str, Any]], scene: SceneFiles, reader: SceneReader) -> list[dict[str, Any]]:
    if isinstance(reader, ReducedScene):
        return reduce_labels(labels, reader.factor)
    return place_labels(labels, reader, scene.options[GRID]["is_whole"]) if isinstance(reader, WarpedScene) else labels


def _split_cell(grid_cell: str | None, footprint: tuple[float, ...] | None, cell_km: float) -> str | None:
    """The coarse cell that splits keep together; of a tile of the ground grid by its cell, so that all sensors agree."""
    if footprint is None:
        return None
    return geometry.ground_cell(*(cell_centre(grid_cell) if grid_cell else _centre(footprint)), cell_km)


def _centre(ring: tuple[float, ...]) -> tuple[float, float]:
    lon, lat = ring[0::2], ring[1::2]
    return (min(lon) + max(lon)) / 2, (min(lat) + max(lat)) / 2


def _touches(label: dict[str, Any], window: Window) -> bool:
    box = label["box"]
    return box is None or geometry.area(geometry.clip_box((box[0], box[1], box[2], box[3]), window.box)) > 0
