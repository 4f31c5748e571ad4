"""Base of the detecting models: from raw detections to box labels.

The model's class names are mapped to the dataset's categories; boxes are rounded and clipped to the picture; boxes below their
category's threshold or without area are dropped; with `max_overlap` set, a box that overlaps a better one by more is dropped
whatever its category (class-agnostic non-maximum suppression within the tile). Labels are ordered by score, ties by position.

With a `calibration` file (`rsflow evaluate-labels --calibrate`) scores are first mapped to the share of such boxes that were
right, so thresholds are probabilities, and each category has its own measured quality.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from rsflow.config.validation import Positive, Share
from rsflow.labellers.calibration import Calibration
from rsflow.labellers.model_labeller import ModelLabeller, not_finite_error, round_score
from rsflow.records import Label, Provenance, Shape
from rsflow.spatial.geometry import Box, area, clip_box, iou_matrix


class RawDetection(NamedTuple):
    """One raw box, in pixels of the picture, in the model's own words."""

    word: str
    score: float
    box: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class DetectionLabeller(ModelLabeller):
    """`thresholds` are per category of the dataset, over `threshold`. `most`: no more boxes of a picture than so many."""

    threshold: Share = 0.3
    thresholds: dict[str, Share] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)  # the model's word -> the dataset's category ("" drops it)
    max_overlap: Share | None = None  # intersection over union
    most: Positive = 300
    calibration: str = field(default="", compare=False)  # a file, of which the numbers count
    calibrated: Calibration | None = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "calibrated", Calibration.load(self.calibration, self.name) if self.calibration else None)

    @property
    def lowest_threshold(self) -> float:
        """A score of the model's own below all thresholds, rounding included."""
        if self.calibrated is not None:
            return 0.0
        return max(0.0, min([self.threshold, *self.thresholds.values()]) - 1e-4)

    def labels(self, found: Iterable[RawDetection], size: tuple[int, int]) -> tuple[Label, ...]:
        """The labels of a picture of `size` (rows, cols). DataError `not_finite` where a score or a corner is no number."""
        rows, cols = size
        kept: list[tuple[float, Box, str]] = []
        for word, raw, place in found:
            if not all(map(math.isfinite, (raw, *place))):
                raise not_finite_error(f"a {word!r} with score {raw} at {list(place)}")
            category = self.categories.get(word, word)
            score = round_score(self.calibrated.score(category, raw) if self.calibrated else raw)
            x0, y0, x1, y1 = (round(float(value), 2) for value in place)
            box = clip_box((x0, y0, x1, y1), (0.0, 0.0, float(cols), float(rows)))
            if category and area(box) > 0 and score >= self.thresholds.get(category, self.threshold):
                kept.append((score, box, category))
        kept.sort(key=lambda one: (-one[0], one[1], one[2]))
        if self.max_overlap is not None:
            kept = _suppress_overlaps(kept, self.max_overlap)
        return tuple(
            Label("box", category, self._provenance(category), Shape(box), score=score)
            for score, box, category in kept[: self.most]
        )

    def _provenance(self, category: str) -> Provenance:
        return replace(self.origin, quality=self.calibrated.quality(category)) if self.calibrated else self.origin


def _suppress_overlaps(ordered: list[tuple[float, Box, str]], most: float) -> list[tuple[float, Box, str]]:
    """Without the boxes that overlap an earlier one that stays by more than `most`."""
    boxes = np.array([box for _, box, _ in ordered], dtype=np.float64).reshape(-1, 4)
    overlap = iou_matrix(boxes, boxes)
    stays: list[int] = []
    for i in range(len(ordered)):
        if not (overlap[i, stays] > most).any():
            stays.append(i)
    return [ordered[i] for i in stays]
