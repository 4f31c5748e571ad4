"""The layers on the ground of every source, compared with its scenes.

A scene without a map projection takes nothing from a layer, and is a counted reject. The misregistration of a vector layer is
measured once for each scene, on the picture that samples show, and kept beside the layer; a scene whose pixels cannot be read
has no known shift.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rsflow.config.annotation_settings import Annotations
from rsflow.config.settings import BuildConfig, Render
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.ground.layer_settings import Registration
from rsflow.ground.layer_shift import LayerShift
from rsflow.ground.layer_store import FOLDER, check_vector_options, temporary_store
from rsflow.ground.registration import register_layer
from rsflow.ground.scene_grid import SceneGrid
from rsflow.ground.scene_layer import SceneLayer
from rsflow.ground.validity import microseconds, parse_period
from rsflow.lake.json_files import read_cached_json, write_cached_json
from rsflow.planning.sources.layer_overlap import GroundLayer, LayerPlan
from rsflow.planning.sources.raster_layers import plan_raster_layer
from rsflow.planning.sources.vector_layers import plan_vector_layer
from rsflow.records import Reject, SceneFiles
from rsflow.spatial.geometry import Window
from rsflow.stage import fingerprint
from rsflow.stages.label.cut_scenes import open_with_stretch
from rsflow.tiles.render import render

REGISTRATION_VERSION = 2  # raised when the same layer and scene give another shift
SHIFT_FILE_SUFFIX = ".shift.json"

PLANNERS: dict[str, Callable[..., LayerPlan]] = {
    "vector": plan_vector_layer,
    "cover": plan_raster_layer,
    "field": plan_raster_layer,
}


@dataclass(frozen=True)
class GroundLayers:
    """`of_scene`: by scene_id, what it takes. `rejects`: by source, what of its layers is lost. `notes`: a line per layer."""

    of_scene: dict[str, list[GroundLayer]] = field(default_factory=dict)
    rejects: dict[str, list[Reject]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def ground_layers(
    built: BuildConfig, rows: Sequence[dict[str, Any]], files: Mapping[str, SceneFiles], root: str | None
) -> GroundLayers:
    """What the scenes of `rows` (SCENES) take from their sources' layers. `files`: of the scenes, by scene_id. `root`: the lake
    that keeps copies, if any.

    ConfigError for a layer that cannot be read, has no place on the ground, holds nothing or overlaps no scene.
    """
    found = GroundLayers()
    for source in built.sources:
        mine = [row for row in rows if row["source"] == source.name and not row["probe_reason"]]
        placed = [row for row in mine if row["transform"]]
        lost = [_without_place(row) for row in mine if not row["transform"]]
        for entry in source.ground_layers:
            number = source.annotation_entries.index(entry)
            where = f"sources.{source.name}.annotations" + (f".{number}" if len(source.annotation_entries) > 1 else "")
            if not placed:
                raise ConfigError(
                    f"{where}: none of the source's scenes has a place on the ground, so {entry.files} can label none: "
                    "georeference the scenes, or leave the entry out"
                )
            described, other = _of_period(placed, entry, where)
            lost += other
            if not described:
                continue
            store = root or temporary_store()
            plan = PLANNERS[entry.format](source, entry, described, store, where)
            if entry.format == "vector" and (registration := check_vector_options(entry, where).registration):
                plan = _register_scenes(plan, registration, described, files, built.render, store)
            for scene_id, layer in plan.of_scene.items():
                found.of_scene.setdefault(scene_id, []).append(layer)
            lost += plan.rejects
            found.notes.append(plan.note)
        if lost and source.ground_layers:
            found.rejects[source.name] = lost
    return found


def _of_period(rows: list[dict[str, Any]], entry: Annotations, where: str) -> tuple[list[dict[str, Any]], list[Reject]]:
    """(the scenes of the dates that a layer describes, rejects of those whose time is not known)."""
    if entry.dates is None:
        return rows, []
    since, until = (_bound(getattr(entry.dates, name), f"{where}.dates.{name}") for name in ("since", "until"))
    detail = f"its time is not known, and {entry.files} describes scenes of some dates: set scenes.acquired_at"
    rejects = [Reject("annotation", row["scene_id"], "no_time", detail) for row in rows if row["acquired_at"] is None]
    timed = [(row, microseconds(row["acquired_at"])) for row in rows if row["acquired_at"] is not None]
    found = [row for row, time in timed if (since is None or since[0] <= time) and (until is None or time < until[1])]
    if not found and not rejects:
        raise ConfigError(f"{where}.dates: none of the source's scenes was acquired then, so {entry.files} can label none")
    return found, rejects


def _bound(text: str | None, where: str) -> tuple[int, int] | None:
    if text is None:
        return None
    found = parse_period(text)
    if found is None:
        raise ConfigError(f"{where}: found {text!r}; expected a date such as 2015, 2015-07 or 2015-07-31")
    return found


def _without_place(row: dict[str, Any]) -> Reject:
    detail = f"its georeference is {row['georeference']!r}: features can only be placed on a scene with a map projection"
    return Reject("annotation", row["scene_id"], "no_place", detail, (row["files"] or [""])[0])


def _register_scenes(
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
    key = fingerprint(REGISTRATION_VERSION, ground, layer.digest, layer.crs, asdict(settings), picture)
    place = storage.join(root, FOLDER, f"{key}{SHIFT_FILE_SUFFIX}")
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
