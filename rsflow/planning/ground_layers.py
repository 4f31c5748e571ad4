"""The layers on the ground of every source, held against its scenes: what each scene takes from them, and what is lost.

Whatever can be wrong with a layer is reported before a tile is cut. A layer that overlaps no scene at all is a mistake (another
place, another reference system, latitudes for longitudes) and an error that names both bounding boxes. A scene without a map
projection takes nothing from a layer, and is a counted reject.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.config.annotation_settings import Annotations
from rsflow.config.settings import BuildConfig, Source
from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.files.faults import mask_secrets
from rsflow.ground.layer_copy import LayerSummary, read_features
from rsflow.ground.layer_settings import VectorOptions
from rsflow.ground.layer_store import LayerCopy, check_vector_options, interest_copy, layer_copy, local_copy, temporary_store
from rsflow.ground.scene_grid import SceneGrid, project_box
from rsflow.ground.scene_layer import AreaOfInterest, SceneLayer
from rsflow.planning.layer_overlap import check_overlap, has_overlap
from rsflow.records import Reject
from rsflow.spatial.geometry import Box

SHOWN = 8  # values that no rule maps, in one message


@dataclass(frozen=True)
class GroundLayers:
    """`of_scene`: by scene_id, what it takes. `rejects`: by source, what of its layers is lost. `notes`: what a plan tells."""

    of_scene: dict[str, list[SceneLayer]] = field(default_factory=dict)
    rejects: dict[str, list[Reject]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def ground_layers(built: BuildConfig, rows: Sequence[dict[str, Any]], root: str | None) -> GroundLayers:
    """What the scenes of `rows` (SCENES) take from their sources' layers. `root`: the lake that keeps copies, if any.

    ConfigError for a layer that cannot be read, names no reference system, has no feature or overlaps no scene.
    """
    found = GroundLayers()
    for source in built.sources:
        mine = [row for row in rows if row["source"] == source.name and not row["probe_reason"]]
        for number, entry in enumerate(source.ground_layers):
            where = f"sources.{source.name}.annotations" + (f".{number}" if len(source.annotation_entries) > 1 else "")
            _add_layer(found, source, entry, mine, root or temporary_store(), where)
        if source.ground_layers:
            lost = found.rejects.setdefault(source.name, [])
            lost += [_without_place(row) for row in mine if not row["transform"]]
    return found


def _add_layer(
    found: GroundLayers, source: Source, entry: Annotations, rows: Sequence[dict[str, Any]], root: str, where: str
) -> None:
    options = check_vector_options(entry, where)
    copy = layer_copy(entry, options, root, where)
    name = _name(entry)
    found.rejects.setdefault(source.name, []).extend(_rejects(copy.summary, name, entry))
    found.notes.append(_note(source.name, name, copy.summary))
    _check_content(copy.summary, entry, where)
    placed = [row for row in rows if row["transform"]]
    boxes = {row["scene_id"]: project_box(copy.summary.crs, _bounds(row), row["crs"]) for row in placed}
    check_overlap(copy.summary, placed, boxes, where, entry)
    interest = interest_copy(options, root, where) if options.area_of_interest else None
    for row in placed:
        layer = _scene_layer(row, boxes[row["scene_id"]], entry, options, copy, interest, root, name)
        found.of_scene.setdefault(row["scene_id"], []).append(layer)


def _scene_layer(
    row: dict[str, Any],
    boxes: list[Box],
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
    near = has_overlap(summary.bounds, boxes)
    features = read_features(local_copy(storage.join(root, copy.file)), summary.forms, boxes) if near else None
    return SceneLayer(
        name=name,
        crs=summary.crs,
        digest=features.digest() if features is not None and len(features) else "",
        bounds=_common(summary.bounds, boxes) if complete and not interest else None,
        complete=tuple(complete),
        interest=_interest(row, interest, root) if interest else None,
        outline=options.outline,
        licence=entry.licence,
        attribution=entry.attribution,
        file=copy.file,
        forms=summary.forms,
    )


def _interest(row: dict[str, Any], copy: LayerCopy, root: str) -> AreaOfInterest:
    boxes = project_box(copy.summary.crs, _bounds(row), row["crs"])
    features = read_features(local_copy(storage.join(root, copy.file)), copy.summary.forms, boxes)
    return AreaOfInterest(copy.summary.crs, features.digest(), copy.file, copy.summary.forms)


def _bounds(row: dict[str, Any]) -> Box:
    grid = SceneGrid(row["crs"], tuple(row["transform"]))
    return grid.bounds((0.0, 0.0, float(row["width_px"]), float(row["height_px"])))


def _common(bounds: Box | None, boxes: Sequence[Box]) -> Box | None:
    """The part of a layer's extent within the boxes' hull: what lies beyond changes nothing for a scene."""
    if bounds is None or not has_overlap(bounds, boxes):
        return None
    x0s, y0s, x1s, y1s = zip(*(box for box in boxes if has_overlap(bounds, [box])), strict=True)
    return (max(bounds[0], min(x0s)), max(bounds[1], min(y0s)), min(bounds[2], max(x1s)), min(bounds[3], max(y1s)))


def _name(entry: Annotations) -> str:
    first = entry.files if isinstance(entry.files, str) else entry.files[0]
    return str(mask_secrets(first)).rstrip("/").rpartition("/")[2]


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


def _without_place(row: dict[str, Any]) -> Reject:
    detail = f"its georeference is {row['georeference']!r}: features can only be placed on a scene with a map projection"
    return Reject("annotation", row["scene_id"], "no_place", detail, (row["files"] or [""])[0])
