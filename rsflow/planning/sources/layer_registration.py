"""The misregistration of a vector layer against the scenes of its source, measured once for each and kept beside the layer.

It is measured on the picture that samples show. A scene whose pixels cannot be read has no known shift; why it cannot, its
units will say.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from rsflow.config.settings import Render
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.ground.layer_settings import Registration
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import FOLDER
from rsflow.ground.registration import register_layer
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer
from rsflow.ground.validity import microseconds
from rsflow.lake.json_files import read_cached_json, write_cached_json
from rsflow.planning.sources.layer_overlap import LayerPlan
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window
from rsflow.stage import fingerprint
from rsflow.stages.label.cut_scenes import open_with_stretch
from rsflow.tiles.render import render

VERSION = 2  # raised when the same layer and scene give another shift
SUFFIX = ".shift.json"


def register_scenes(
    plan: LayerPlan,
    settings: Registration,
    rows: Sequence[dict[str, Any]],
    files: Mapping[str, SceneFiles],
    picture: Render,
    root: str,
) -> LayerPlan:
    """The plan with the shift of its layer against each scene (SCENES `rows`) that has features of it."""
    of_scene = dict(plan.of_scene)
    shifts = []
    for row in rows:
        layer = of_scene.get(row["scene_id"])
        if isinstance(layer, SceneLayer) and layer.digest and row["pixel_m"]:
            shifts.append(_kept_shift(layer, settings, row, files[row["scene_id"]], picture, root))
            of_scene[row["scene_id"]] = replace(layer, shift=shifts[-1])
    return replace(plan, of_scene=of_scene, note=f"{plan.note}; {_note(shifts, settings)}")


def _kept_shift(
    layer: SceneLayer, settings: Registration, row: dict[str, Any], scene: SceneFiles, picture: Render, root: str
) -> LayerShift:
    ground = [row["fingerprint"], row["crs"], list(row["transform"]), scene.options, str(row["acquired_at"])]
    key = fingerprint(VERSION, ground, layer.digest, layer.crs, asdict(settings), picture)
    place = storage.join(root, FOLDER, f"{key}{SUFFIX}")
    kept = read_cached_json(place)
    if kept is None:
        try:
            shift = _measure(layer, settings, row, scene, picture, root)
        except DataError:
            return LayerShift(0.0)
        kept = {"scene_id": row["scene_id"], "layer": layer.name, "shift": asdict(shift)}
        write_cached_json(place, kept)
    return LayerShift(**kept["shift"])


def _measure(
    layer: SceneLayer, settings: Registration, row: dict[str, Any], scene: SceneFiles, picture: Render, root: str
) -> LayerShift:
    reader, stretch = open_with_stretch(json.dumps(asdict(scene)), row["stats_key"], picture)

    def read_picture(window: Window) -> tuple[Any, Any]:
        raster = reader.read(window)
        return render(raster, stretch), raster.valid

    return register_layer(
        layer,
        root,
        SceneGrid(row["crs"], tuple(row["transform"])),
        (row["height_px"], row["width_px"]),
        tuple(row["pixel_m"]),
        microseconds(row["acquired_at"]) if row["acquired_at"] else None,
        read_picture,
        settings,
    )


def _note(shifts: Sequence[LayerShift], settings: Registration) -> str:
    known = [shift.length_m for shift in shifts if shift.length_m is not None]
    if not known:
        return f"misregistration known of none of {len(shifts)} scenes"
    done = "corrected" if settings.correct else "not corrected"
    return f"misregistration known of {len(known)} of {len(shifts)} scenes, median {statistics.median(known):.1f} m, {done}"
