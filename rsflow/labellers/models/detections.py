"""Base of the detecting models: from raw detections to box labels.

The model's class names are mapped to the dataset's categories; boxes are rounded and clipped to the picture; boxes below their
category's threshold or without area are dropped; with `max_overlap` set, a box that overlaps a better one by more is dropped
whatever its category (class-agnostic non-maximum suppression within the tile). Labels are ordered by score, ties by position.

Calibrated scores (rsflow.labellers.models.calibrated) are probabilities, and so are the thresholds then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rsflow.config.validation import Positive, Share
from rsflow.labellers.models.calibrated import CalibratedLabeller
from rsflow.labellers.models.model_labeller import not_finite_error
from rsflow.records import Label, Shape
from rsflow.spatial.geometry import Box, Parts, area, clip_box, iou_matrix


class RawDetection(NamedTuple):
    """One raw box, in pixels of the picture, in the model's own words; `parts`: its outline, where the model gives one."""

    word: str
    score: float
    box: Sequence[float]
    parts: Parts = ()


@dataclass(frozen=True, kw_only=True)
class DetectionLabeller(CalibratedLabeller):
    """`thresholds` are per category of the dataset, over `threshold`. `most`: no more boxes of a picture than so many."""

    threshold: Share = 0.3
    thresholds: dict[str, Share] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)  # the model's word -> the dataset's category ("" drops it)
    max_overlap: Share | None = None  # intersection over union
    most: Positive = 300

    @property
    def lowest_threshold(self) -> float:
        """A score of the model's own below all thresholds, rounding included."""
        if self.calibrated is not None:
            return 0.0
        return max(0.0, min([self.threshold, *self.thresholds.values()]) - 1e-4)

    def labels(self, found: Iterable[RawDetection], size: tuple[int, int]) -> tuple[Label, ...]:
        """The labels of a picture of `size` (rows, cols). DataError `not_finite` where a score or a corner is no number."""
        rows, cols = size
        kept: list[tuple[float, Box, str, Parts]] = []
        for word, raw, place, parts in found:
            if not all(map(math.isfinite, (raw, *place))):
                raise not_finite_error(f"a {word!r} with score {raw} at {list(place)}")
            category = self.categories.get(word, word)
            score = self.probability(category, raw)
            x0, y0, x1, y1 = (round(float(value), 2) for value in place)
            box = clip_box((x0, y0, x1, y1), (0.0, 0.0, float(cols), float(rows)))
            if category and area(box) > 0 and score >= self.thresholds.get(category, self.threshold):
                kept.append((score, box, category, parts))
        kept.sort(key=lambda one: (-one[0], *one[1:]))
        if self.max_overlap is not None:
            kept = _suppress_overlaps(kept, self.max_overlap)
        return tuple(
            Label("box", category, self.category_origin(category), Shape.of_parts(box, parts), score=score)
            for score, box, category, parts in kept[: self.most]
        )


def _suppress_overlaps(ordered: list[tuple[float, Box, str, Parts]], most: float) -> list[tuple[float, Box, str, Parts]]:
    """Without the boxes that overlap an earlier one that stays by more than `most`."""
    boxes = np.array([box for _, box, _, _ in ordered], dtype=np.float64).reshape(-1, 4)
    overlap = iou_matrix(boxes, boxes)
    stays: list[int] = []
    for i in range(len(ordered)):
        if not (overlap[i, stays] > most).any():
            stays.append(i)
    return [ordered[i] for i in stays]
