"""A vector layer compared with the scenes of its source: what each scene takes from it, and what of it is lost.

Whatever can be wrong with a layer is reported before a tile is cut. A layer that overlaps no scene at all is a mistake (another
place, another reference system, latitudes for longitudes) and an error that names both bounding boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rsflow.config.annotation_settings import Annotations
from rsflow.config.settings import Source
from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.layer_copy import LayerSummary, read_features
from rsflow.ground.layer_settings import Validity, VectorOptions
from rsflow.ground.layer_store import LayerCopy, check_vector_options, interest_copy, layer_copy, local_copy
from rsflow.ground.registration import search_reach
from rsflow.ground.scene_grid import project_box
from rsflow.ground.scene_layer import AreaOfInterest, SceneLayer, feature_reach
from rsflow.planning.sources.layer_overlap import LayerPlan, check_overlap, has_overlap, layer_name, scene_bounds
from rsflow.records import Reject
from rsflow.spatial.geometry import Box

SHOWN = 8  # values that no rule maps, in one message


def plan_vector_layer(source: Source, entry: Annotations, rows: Sequence[dict[str, Any]], root: str, where: str) -> LayerPlan:
    """What the scenes of `rows` (SCENES rows with a map projection) take from a vector layer. `root`: where copies are kept.

    ConfigError for a layer that cannot be read, names no reference system, has no feature or overlaps no scene.
    """
    options = check_vector_options(entry, where)
    copy = layer_copy(entry, options, root, where)
    name = layer_name(entry)
    _check_content(copy.summary, entry, where)
    boxes = {row["scene_id"]: project_box(copy.summary.crs, scene_bounds(row), row["crs"]) for row in rows}
    check_overlap(copy.summary.bounds, copy.summary.crs, boxes, where, entry)
    interest = interest_copy(options, root, where) if options.area_of_interest else None
    of_scene = {row["scene_id"]: _scene_layer(row, entry, options, copy, interest, root, name) for row in rows}
    lost = [*_rejects(copy.summary, name, entry), *_rejects_without_time(rows, options, name)]
    return LayerPlan(of_scene, lost, _note(source.name, name, copy.summary))


def _scene_layer(
    row: dict[str, Any],
    entry: Annotations,
    options: VectorOptions,
    copy: LayerCopy,
    interest: LayerCopy | None,
    root: str,
    name: str,
) -> SceneLayer:
    summary = copy.summary
    categories = {*summary.categories, *(rule.category for rule in options.every_rule if isinstance(rule.category, str))}
    complete = [name for name in entry.complete_categories(sorted(categories)) if name not in summary.misplaced]
    ground = _ground_bounds(row, summary.forms, options)
    boxes = project_box(summary.crs, ground, row["crs"])
    near = has_overlap(summary.bounds, boxes)
    features = read_features(local_copy(storage.join(root, copy.file)), summary.forms, boxes) if near else None
    return SceneLayer(
        name=name,
        crs=summary.crs,
        digest=features.digest() if features is not None and len(features) else "",
        bounds=_common(summary.bounds, boxes) if complete and not interest else None,
        complete=tuple(complete),
        interest=_interest(ground, row["crs"], interest, root) if interest else None,
        outline=options.outline or ("box" if summary.are_boxes else "polygon"),
        licence=entry.licence,
        attribution=entry.attribution,
        file=copy.file,
        forms=summary.forms,
    )


def _ground_bounds(row: dict[str, Any], forms: Sequence[FeatureForm], options: VectorOptions) -> Box:
    """The bounds (scene coordinates) of all features that may decide a label of the scene: those that are uncertain in place,
    wider than they are drawn, or moved by a shift that is measured later, may lie outside of it."""
    pixel_m = row["pixel_m"]
    if not pixel_m:  # nothing is measured in metres then
        return scene_bounds(row)
    shift_px = search_reach(options.registration, tuple(pixel_m)) if options.registration else 0
    metres = feature_reach(forms) + shift_px * math.hypot(*pixel_m)
    return scene_bounds(row, (metres / pixel_m[0], metres / pixel_m[1]))


def _interest(ground: Box, crs: str, copy: LayerCopy, root: str) -> AreaOfInterest:
    """`ground`: the scene's bounds in coordinates of `crs`."""
    boxes = project_box(copy.summary.crs, ground, crs)
    features = read_features(local_copy(storage.join(root, copy.file)), copy.summary.forms, boxes)
    return AreaOfInterest(copy.summary.crs, features.digest(), copy.file, copy.summary.forms)


def _common(bounds: Box | None, boxes: Sequence[Box]) -> Box | None:
    """The part of a layer's extent within the boxes' hull: what lies beyond changes nothing for a scene."""
    if bounds is None or not has_overlap(bounds, boxes):
        return None
    x0s, y0s, x1s, y1s = zip(*(box for box in boxes if has_overlap(bounds, [box])), strict=True)
    return (max(bounds[0], min(x0s)), max(bounds[1], min(y0s)), min(bounds[2], max(x1s)), min(bounds[3], max(y1s)))


def _check_content(summary: LayerSummary, entry: Annotations, where: str) -> None:
    if not summary.read:
        raise ConfigError(f"{where}: {entry.files} has no feature at all: give another file or layer, or leave the entry out")
    if not summary.features:
        values = ", ".join(f"{attribute}={value} ({count:,})" for attribute, value, count in summary.unmapped[:SHOWN])
        faults = ", ".join(f"{reason} ({count:,})" for reason, (count, _) in summary.faults.items())
        raise ConfigError(
            f"{where}: of {summary.read:,} features of {entry.files} no rule takes one that can be used; "
            f"values found: {values or 'none'}{'; faults: ' + faults if faults else ''}: change options.rules"
        )


def _rejects(summary: LayerSummary, name: str, entry: Annotations) -> list[Reject]:
    """One reject per reason with the ids of its first features, and one per value that no rule maps."""
    file = entry.files if isinstance(entry.files, str) else entry.files[0]
    lost = [
        Reject("annotation", f"{name}: {count:,} features", reason, _fault_detail(count, ids), file)
        for reason, (count, ids) in summary.faults.items()
    ]
    unmapped = [
        Reject("annotation", f"{name}: {attribute}={value}", "no_rule", f"{count:,} features that no rule takes", file)
        for attribute, value, count in summary.unmapped
    ]
    return [*lost, *unmapped]


def _rejects_without_time(rows: Sequence[dict[str, Any]], options: VectorOptions, name: str) -> list[Reject]:
    """Scenes of which it is not known when they were taken, where features are there for a period only."""
    if options.validity == Validity():
        return []
    detail = f"its time is not known, so features of {name} that have a period are unknown there: set scenes.acquired_at"
    return [Reject("annotation", row["scene_id"], "no_time", detail) for row in rows if row["acquired_at"] is None]


def _fault_detail(count: int, ids: Sequence[str]) -> str:
    if not ids:
        return "records that draw a feature of the layer again: it counts once"
    return f"features {', '.join(ids)}{' …' if count > len(ids) else ''}"


def _note(source: str, name: str, summary: LayerSummary) -> str:
    counts = ", ".join(
        f"{count:,} {category}" for category, count in sorted(summary.counts.items(), key=lambda item: -item[1])[:SHOWN]
    )
    values = ", ".join(f"{attribute}={value} ({count:,})" for attribute, value, count in summary.unmapped[:SHOWN])
    left = f"; no rule takes {values}{' …' if len(summary.unmapped) > SHOWN else ''}" if values else ""
    return f"layer {name} of {source}: {summary.features:,} of {summary.read:,} features: {counts}{left}"
