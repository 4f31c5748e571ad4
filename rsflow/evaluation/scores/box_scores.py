"""Regions against regions: overlap of boxes, rotated boxes and their polygons, and average precision of lists of boxes.

Average precision is COCO's at one IoU threshold (https://cocodataset.org/#detection-eval), computed by pycocotools. Boxes in
text carry no score, so all have the same: the curve has one point, which is what a list without scores is worth.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from rsflow.spatial.geometry import Region, bounding_box, corners

IOU_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of DIOR-RSVG's protocol (https://arxiv.org/abs/2210.12634)


def region_overlap(one: Region, other: Region) -> tuple[float, float]:
    """(intersection, union) of two regions, each a box or four corners, in square pixels."""
    a, b = (shapely.make_valid(shapely.Polygon(np.reshape(corners(region), (4, 2)))) for region in (one, other))
    return float(shapely.intersection(a, b).area), float(shapely.union(a, b).area)


def region_iou(one: Region, other: Region) -> float:
    """Intersection over union of two regions; 0 where both have no area."""
    intersection, union = region_overlap(one, other)
    return intersection / union if union > 0 else 0.0


def mean_matched_iou(expected: Sequence[Region], found: Sequence[Region]) -> float:
    """Mean IoU over the larger of the two lists, of the pairs that give most together; what has no partner counts 0."""
    if not expected and not found:
        return 1.0
    if not expected or not found:
        return 0.0
    from scipy.optimize import linear_sum_assignment

    ious = np.array([[region_iou(a, b) for b in found] for a in expected])
    rows, cols = linear_sum_assignment(-ious)
    return float(ious[rows, cols].sum() / max(len(expected), len(found)))


@dataclass(frozen=True, slots=True)
class BoxList:
    """The boxes of one picture and category: `expected` by the lake, `found` in the answer."""

    picture: str
    category: str
    expected: tuple[Region, ...]
    found: tuple[Region, ...]


def average_precision(lists: Sequence[BoxList], threshold: float = 0.5) -> float | None:
    """Mean over categories of the average precision at an IoU, on upright boxes; None where nothing is expected anywhere.

    Needs pycocotools (`pip install rsflow[evaluate]`).
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not any(each.expected for each in lists):
        return None
    pictures = {name: number for number, name in enumerate(sorted({each.picture for each in lists}), 1)}
    categories = {name: number for number, name in enumerate(sorted({each.category for each in lists if each.expected}), 1)}
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for each in lists:
        # A category that is nowhere expected has no precision; its boxes count in the accuracy of their question.
        if each.category in categories:
            where = {"image_id": pictures[each.picture], "category_id": categories[each.category]}
            truth += [{**where, **_coco_box(box), "id": len(truth) + i, "iscrowd": 0} for i, box in enumerate(each.expected, 1)]
            found += [{**where, **_coco_box(box), "score": 1.0} for box in each.found]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in pictures.values()],
            "categories": [{"id": number} for number in categories.values()],
            "annotations": truth,
        }
        coco.createIndex()
        if not found:
            return 0.0
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.params.iouThrs = np.array([threshold])
        evaluation.params.maxDets = [max(1, *(len(each.found) for each in lists))]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, 0]
    return float(precision[precision > -1].mean())


def _coco_box(region: Region) -> dict[str, Any]:
    x0, y0, x1, y1 = bounding_box(region)
    return {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
