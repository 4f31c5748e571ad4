"""Scenes on the ground grid: which target grids a scene is warped onto, and its windows there.

One idea: what a scene becomes on a grid is a scene again: its files with the target grid among their options, so that every
later step reads, labels and names it as it does any scene. A scene in several zones becomes one scene per zone, with the zone
after its id (`place/scene@utm33n`); on Major TOM's grid one per cell.

A scene without a place on the ground (plain pictures) keeps its own grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rsflow.cells.placement import CellSettings, cell_windows, target_grids
from rsflow.cells.target_grid import TargetGrid
from rsflow.config.tile_settings import Tiles
from rsflow.errors import DataError
from rsflow.planning.sources.zoom_scales import scale_of
from rsflow.readers import GRID
from rsflow.records import OVERVIEW, SceneFiles
from rsflow.spatial.geometry import Window
from rsflow.tiles.grid import tile_windows


def place_scene(scene: SceneFiles, footprint: Sequence[float] | None, tiles: Tiles) -> list[SceneFiles]:
    """The scene on each target grid, in order of zones or cells; the scene itself where it keeps its own grid.

    DataError("no_cell") where it is so small that no pixel of the grid has its middle in it, DataError("no_pixel_size") where
    the settings give none for its sensor.
    """
    if tiles.grid == "scene" or footprint is None:
        return [scene]
    gsd_m = tiles.pixel_size(scene.sensor)
    if gsd_m is None:
        raise DataError("no_pixel_size", f"{scene.scene_id}: tiles.gsd_m gives no pixel size for {scene.sensor}: add it there")
    grids = target_grids(footprint, CellSettings(tiles.system, gsd_m, tiles.cell_px(scene.sensor)))
    if not grids:
        raise DataError("no_cell", f"{scene.scene_id}: holds the middle of no pixel of {gsd_m:g} m: lower tiles.gsd_m")
    is_whole = len(grids) == 1 and len(cell_windows(footprint, grids[0])) == 1
    shared = {"resampling": tiles.resampling, "is_whole": is_whole}
    placed = [replace(scene, options={**scene.options, GRID: {"target": grid.to_json(), **shared}}) for grid in grids]
    if len(grids) == 1:
        return placed
    names = [grid.cells.partition("/")[0] for grid in grids]
    return [replace(each, scene_id=f"{scene.scene_id}@{name}") for each, name in zip(placed, names, strict=True)]


def target_of(scene: SceneFiles) -> TargetGrid | None:
    """The grid that a scene is warped onto."""
    grid = scene.options.get(GRID)
    return TargetGrid(**grid["target"]) if grid else None


def scene_windows(row: dict[str, Any], scene: SceneFiles, tiles: Tiles) -> list[Window]:
    """The windows of a scene (SCENES row) in their order: its cells on the ground grid, else those of its own pixels; an
    overview is one, whatever its size."""
    if target := target_of(scene):
        return cell_windows(row["footprint"], target)
    if scale_of(scene) == OVERVIEW:
        return [Window(0, 0, row["height_px"], row["width_px"])]
    return tile_windows(row["height_px"], row["width_px"], tiles, row["is_picture"] and scale_of(scene) is None)
