"""Annotations in the pixels of a scene's files, moved to the pixels of the ground grid or the scale that the scene is read at.

One idea: outlines go vertex by vertex through the same mapping as the pixels; a box without an outline becomes the box around
its corners. What is said of the whole scene is kept where one tile shows all of it. At a coarser scale every coordinate is
divided by the factor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rsflow.readers.warped_scene import WarpedScene
from rsflow.records import Label, Shape
from rsflow.schemas import label_from_row, label_row
from rsflow.spatial.geometry import Box, Parts, Ring, corners
from rsflow.spatial.polygons import parts_bounds


def place_labels(rows: list[dict[str, Any]], scene: WarpedScene, is_whole: bool) -> list[dict[str, Any]]:
    """LABEL_STRUCT rows in pixels of the grid. Objects whose place cannot be computed lie where the scene has no pixels."""
    labels = [label_from_row(row) for row in rows]
    return [label_row(_placed(label, scene)) for label in labels if is_whole or label.kind == "box"]


def reduce_labels(rows: list[dict[str, Any]], factor: int) -> list[dict[str, Any]]:
    """LABEL_STRUCT rows in pixels of the scene, `factor` times coarser."""
    return [label_row(_reduced(label_from_row(row), factor)) for row in rows]


def _reduced(label: Label, factor: int) -> Label:
    if label.shape is None:
        return label
    shape = label.shape
    x0, y0, x1, y1 = shape.box
    parts = tuple(tuple(tuple(value / factor for value in ring) for ring in part) for part in shape.parts)
    ring = tuple(value / factor for value in shape.polygon)
    box = (x0 / factor, y0 / factor, x1 / factor, y1 / factor)
    return replace(label, shape=replace(shape, box=box, polygon=ring, parts=parts))


def _placed(label: Label, scene: WarpedScene) -> Label:
    if label.shape is None:
        return label
    shape = label.shape
    parts: Parts = tuple(tuple(_ring(ring, scene) for ring in part) for part in shape.area_parts)
    box = parts_bounds(parts) if parts else _bounds(_ring(corners(shape.box), scene))
    return Label(
        label.kind,
        label.category,
        label.provenance,
        Shape.of_parts(box, parts, shape.visibility, shape.oriented, shape.flags),
        label.text,
        label.value,
        label.score,
    )


def _ring(ring: Ring, scene: WarpedScene) -> Ring:
    xs, ys = scene.from_file_pixels(np.array(ring[::2]), np.array(ring[1::2]))
    return tuple(np.stack([xs, ys], axis=1).reshape(-1).tolist())


def _bounds(ring: Ring) -> Box:
    return (min(ring[::2]), min(ring[1::2]), max(ring[::2]), max(ring[1::2]))
