"""Whether a layer and the scenes of its source lie on the same ground at all, and what is likely wrong where they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from rsflow.ground.layer_copy import LayerSummary
from rsflow.ground.scene_grid import parse_crs
from rsflow.spatial.geometry import Box


def has_overlap(bounds: Box | None, boxes: Sequence[Box]) -> bool:
    """Whether bounds and any of the boxes share a point."""
    return bounds is not None and any(
        bounds[0] <= box[2] and bounds[2] >= box[0] and bounds[1] <= box[3] and bounds[3] >= box[1] for box in boxes
    )


def check_overlap(
    summary: LayerSummary,
    rows: Sequence[Mapping[str, Any]],
    boxes: Mapping[str, Sequence[Box]],
    where: str,
    entry: Annotations,
) -> None:
    """ConfigError with both bounding boxes where the layer's extent overlaps no scene (SCENES rows with a place)."""
    if not rows:
        raise ConfigError(
            f"{where}: none of the source's scenes has a place on the ground, so {entry.files} can label none: "
            "georeference the scenes, or leave the entry out"
        )
    every = [box for found in boxes.values() for box in found]
    known = parse_crs(summary.crs)
    if has_overlap(summary.bounds, every):
        return
    assert summary.bounds
    raise ConfigError(
        f"{where}: {entry.files} overlaps none of the {len(rows)} scenes: its features lie within {_spelled(summary.bounds)} "
        f"({known.name}), the scenes, in the same coordinates, within {_spelled(_hull(every))}; {_suspicion(summary, every)}"
    )


def _suspicion(summary: LayerSummary, boxes: Sequence[Box]) -> str:
    assert summary.bounds
    x0, y0, x1, y1 = summary.bounds
    in_degrees = parse_crs(summary.crs).is_geographic
    if has_overlap((y0, x0, y1, x1), boxes):
        return "with x and y exchanged they would overlap: latitudes stand where longitudes belong, exchange them in the file"
    if (in_degrees and max(abs(x0), abs(x1)) > 360) or (in_degrees and max(abs(y0), abs(y1)) > 90):
        return "these are no degrees: state the file's own coordinate reference system with options.crs"
    return "give the scenes or the layer of the same ground, or state the right coordinate reference system with options.crs"


def _hull(boxes: Sequence[Box]) -> Box:
    finite = [box for box in boxes if all(map(math.isfinite, box))]
    x0s, y0s, x1s, y1s = zip(*finite, strict=True)
    return (min(x0s), min(y0s), max(x1s), max(y1s))


def _spelled(box: Box) -> str:
    return "({:.8g}, {:.8g}, {:.8g}, {:.8g})".format(*box)
