"""What changed between two pictures of a cell, as labels of their group: class rasters and spectral indices of both dates.

Only pairs whose pictures lie on each other, as far as was measured, are compared. What one of the two does not show (fill,
cloud, what is white) is unknown in both.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from rsflow.changes.areas import AreaLimits, Mask
from rsflow.changes.class_maps import different_maps, read_class_map
from rsflow.changes.cover_changes import compare_covers
from rsflow.changes.index_changes import IndexLimits, compare_index, index_plane
from rsflow.config.group_settings import Changes
from rsflow.ground.raster_layer import RasterLayer
from rsflow.ground.scene_grid import SceneGrid
from rsflow.lake.raw_bands import as_physical, read_stored
from rsflow.records import Label, Raster
from rsflow.schemas import window_from_row
from rsflow.stages.group.cell_pictures import CellPictures
from rsflow.tiles.screen import is_bright_and_white, masked_cloud

CLOUD_EDGE_PX = 5  # beside cloud and what is white, where it may be thinner
MOST_CLOUD = 0.05  # of a picture whose cloud no mask places: above it nothing of it is compared
REGISTERED_PX = 0.5  # what a measured shift may be wrong by

Findings = tuple[list[Label], list[tuple[str, str]]]


@dataclass(frozen=True)
class CellChanges:
    """`rows`: of the tiles, by tile_id. `maps`: JSON, as in CELL_WORK."""

    root: str
    settings: Changes
    rows: dict[str, dict[str, Any]]
    pictures: CellPictures
    maps: str

    def compare(self, group: dict[str, Any]) -> Findings:
        """(labels, (reason, detail) of what could not be compared) of a GROUPS row; nothing of one that is no pair of dates."""
        members = group["members"]
        if group["kind"] not in ("pair", "dates") or len(members) != 2 or group["presence_only"]:
            return [], []
        last = members[-1]
        if last["dx_px"] is None or last["dy_px"] is None:
            return [], []
        first, second = (self.rows[member["tile_id"]] for member in members)
        if first["sensor"] != second["sensor"] or first["height_px"] != second["height_px"]:
            return [], []
        shift = (last["dx_px"], last["dy_px"])
        found, refused = self._covers(first, second, shift)
        measured, more = self._indices(first, second, shift)
        return [*found, *measured], [*refused, *more]

    def _covers(self, first: dict[str, Any], second: dict[str, Any], shift: tuple[float, float]) -> Findings:
        known = json.loads(self.maps or "{}")
        if not self.settings.covers or not {first["scene_id"], second["scene_id"]} <= known.keys():
            return [], []
        scenes = [known[row["scene_id"]] for row in (first, second)]
        layers = [[RasterLayer.from_row(layer) for layer in scene["layers"]] for scene in scenes]
        chosen = different_maps(*layers)
        visible = self._visible(first, second)
        if chosen is None or visible is None:
            return [], []
        maps = [
            read_class_map(layer, SceneGrid(scene["crs"], tuple(scene["transform"])), window_from_row(row))
            for layer, scene, row in zip(chosen, scenes, (first, second), strict=True)
        ]
        if maps[0].names != maps[1].names:
            detail = f"{maps[0].name} has the classes {', '.join(maps[0].names)}, {maps[1].name} {', '.join(maps[1].names)}"
            return [], [("legends_differ", f"{detail}: give both maps the same names with options.legend or categories")]
        displacement = max(math.hypot(*shift), *(each.pixel_px for each in maps))
        return compare_covers(maps[0], maps[1], visible, AreaLimits(self.settings.min_area_px, displacement)), []

    def _visible(self, first: dict[str, Any], second: dict[str, Any]) -> Mask | None:
        """What both pictures show, white or not; None where they do not, or too much of one is known to be cloud."""
        if any((row["cloud_share"] or 0.0) > MOST_CLOUD for row in (first, second)):
            return None
        found = [self.pictures.picture(row["tile_id"]) for row in (first, second)]
        return found[0][1] & found[1][1] if found[0] and found[1] else None

    def _indices(self, first: dict[str, Any], second: dict[str, Any], shift: tuple[float, float]) -> Findings:
        if not self.settings.indices or not first["raw"] or not second["raw"]:
            return [], []
        rasters, refused = list[Raster](), list[tuple[str, str]]()
        for row in (first, second):
            raster = self._raster(row)
            if isinstance(raster, tuple):
                refused.append(raster)
            else:
                rasters.append(raster)
        if refused:
            return [], refused[:1]
        limits = IndexLimits(self.settings.index_difference, self.settings.significance)
        areas = AreaLimits(self.settings.min_area_px, max(math.hypot(*shift), REGISTERED_PX))
        labels = list[Label]()
        for index in self.settings.indices:
            planes = [index_plane(raster, index) for raster in rasters]
            if planes[0] and planes[1]:
                labels += compare_index(index, planes[0], planes[1], shift, limits, areas)
            else:
                refused.append(("no_index", f"{index}: a band that it needs is missing in one of the two scenes"))
        return labels, refused

    def _raster(self, row: dict[str, Any]) -> Raster | tuple[str, str]:
        """The physical values of a tile, valid where it is clear; (reason, detail) where they cannot be compared."""
        raw = row["raw"]
        if raw["unit"] != "reflectance":
            unit = raw["unit"] or "not known"
            return "not_reflectance", f"the unit of {row['tile_id']} is {unit}: set scenes.scale, scenes.offset and scenes.unit"
        raster = read_stored(self.root, row)
        cloud = self._cloud(row, raster)
        if isinstance(cloud, tuple):
            return cloud
        values = as_physical(raster, raw)
        return Raster(values.pixels, values.valid & ~cloud, values.bands)

    def _cloud(self, row: dict[str, Any], raster: Raster) -> Mask | tuple[str, str]:
        """Where there is or may be cloud; (reason, detail) where that is not known."""
        found = self.pictures.picture(row["tile_id"])
        white = is_bright_and_white(found[0]) if found else np.zeros(raster.valid.shape, np.bool_)
        masked = masked_cloud({name: raster.pixels[i] for i, name in enumerate(raster.bands)})
        if masked is None and row["cloud_share"] is None and self.settings.clouds == "known":
            detail = (
                f"no band of {row['tile_id']} tells where cloud is: groups.changes.clouds: assume_clear takes it to be clear"
            )
            return "cloud_unknown", detail
        cloud = white if masked is None else white | masked
        return np.asarray(ndimage.binary_dilation(cloud, iterations=CLOUD_EDGE_PX))
