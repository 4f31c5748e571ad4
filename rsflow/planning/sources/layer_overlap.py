"""Whether a layer and the scenes of its source lie on the same ground at all, and what is likely wrong where they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from rsflow.files.faults import mask_secrets
from rsflow.ground.raster_layer import RasterLayer
from rsflow.ground.scene_grid import SceneGrid, parse_crs
from rsflow.ground.scene_layer import SceneLayer
from rsflow.records import Reject
from rsflow.spatial.geometry import Box, enclosing_box

GroundLayer = SceneLayer | RasterLayer


@dataclass(frozen=True)
class LayerPlan:
    """One layer against the scenes of its source: what each takes by scene_id, what is lost, and the layer in one line."""

    of_scene: Mapping[str, GroundLayer]
    rejects: list[Reject]
    note: str


def has_overlap(bounds: Box | None, boxes: Sequence[Box]) -> bool:
    """Whether bounds and any of the boxes share a point."""
    return bounds is not None and any(
        bounds[0] <= box[2] and bounds[2] >= box[0] and bounds[1] <= box[3] and bounds[3] >= box[1] for box in boxes
    )


def check_overlap(bounds: Box | None, crs: str, boxes: Mapping[str, Sequence[Box]], where: str, entry: Annotations) -> None:
    """ConfigError with both bounding boxes where the extent of a layer overlaps no scene.

    `bounds` and `boxes` (by scene_id; in degrees the others are the first, moved round the globe) are in coordinates of `crs`.
    """
    every = [box for found in boxes.values() for box in found]
    if bounds is None or has_overlap(bounds, every):
        return
    scenes = enclosing_box([found[0] for found in boxes.values() if all(map(math.isfinite, found[0]))])
    raise ConfigError(
        f"{where}: {entry.files} overlaps none of the {len(boxes)} scenes: the layer lies within {_format_bounds(bounds)} "
        f"({parse_crs(crs).name}), the scenes, in the same coordinates, within {_format_bounds(scenes)}; "
        f"{_suspicion(bounds, parse_crs(crs).is_geographic, every)}"
    )


def _suspicion(bounds: Box, in_degrees: bool, boxes: Sequence[Box]) -> str:
    x0, y0, x1, y1 = bounds
    if has_overlap((y0, x0, y1, x1), boxes):
        return "with x and y exchanged they would overlap: latitudes stand where longitudes belong, exchange them in the file"
    if in_degrees and (max(abs(x0), abs(x1)) > 360 or max(abs(y0), abs(y1)) > 90):
        return "these are no degrees: state the file's own coordinate reference system with options.crs"
    return "give the scenes or the layer of the same ground, or state the right coordinate reference system with options.crs"


def scene_bounds(row: Mapping[str, Any], margin_px: tuple[float, float] = (0.0, 0.0)) -> Box:
    """The bounds of a scene (SCENES row with a map projection) in its own coordinates, grown by a margin along x and y."""
    grid = SceneGrid(row["crs"], tuple(row["transform"]))
    x, y = margin_px
    return grid.bounds((-x, -y, row["width_px"] + x, row["height_px"] + y))


def layer_name(entry: Annotations) -> str:
    """What labels, rejects and plans call a layer: its (first) file."""
    first = entry.files if isinstance(entry.files, str) else entry.files[0]
    return str(mask_secrets(first)).rstrip("/").rpartition("/")[2]


def _format_bounds(box: Box) -> str:
    return "({:.8g}, {:.8g}, {:.8g}, {:.8g})".format(*box)
