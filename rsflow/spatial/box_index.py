"""Overlapping pairs among many boxes, without comparing all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely

from rsflow.spatial.geometry import Box, iou


def overlapping(boxes: Sequence[Box], min_iou: float) -> dict[int, list[int]]:
    """For each box that has any: the other boxes with an intersection over union of at least `min_iou` (above 0), in order."""
    found: dict[int, list[int]] = defaultdict(list)
    if len(boxes) < 2:
        return found
    shapes = shapely.box(*np.array(boxes, dtype=np.float64).T)
    for one, other in np.asarray(shapely.STRtree(shapes).query(shapes)).T.tolist():
        if one != other and iou(boxes[one], boxes[other]) >= min_iou:
            found[one].append(other)
    return {one: sorted(others) for one, others in found.items()}


def suppress_overlaps(boxes: Sequence[Box], min_iou: float) -> list[Box]:
    """The boxes in sorted order without those that overlap an earlier one that is kept."""
    ordered = sorted(set(boxes))
    near = overlapping(ordered, min_iou)
    kept: set[int] = set()
    for position in range(len(ordered)):
        if kept.isdisjoint(near.get(position, ())):
            kept.add(position)
    return [ordered[position] for position in sorted(kept)]
