"""Average precision, precision, recall and calibration of a labeller's boxes, computed by pycocotools.

Nothing is counted here. Pictures are handed to COCOeval (https://cocodataset.org/#detection-eval), and what it
matched is read back: average precision from its curves, precision, recall and calibration from its pairs. One category at a
time, all sizes of objects together, at most `MOST_BOXES` boxes of a picture (its usual 100 would cut a parking lot short).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsflow.errors import UsageError
from rsflow.spatial.geometry import Box, area

ANY = "*"  # in the place of a category
MOST_BOXES = 1000
STEPS = 10  # of scores, for their reliability
_COCO_IOUS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True, slots=True)
class ScoredBox:
    """A labeller's box with its score in [0, 1], and the least score from which it is used."""

    box: Box
    score: float
    category: str
    threshold: float


@dataclass(frozen=True, slots=True)
class EvaluatedPicture:
    """One picture: its true boxes, the uncertain ones (matched or not, they count for nothing), and the predicted ones."""

    true: tuple[Box, ...]
    uncertain: tuple[Box, ...]
    scored_boxes: tuple[ScoredBox, ...]


@dataclass(frozen=True, slots=True)
class JudgedBox:
    """A predicted box that counts, and whether it matches a true box."""

    scored_box: ScoredBox
    right: bool


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Boxes whose scores lie in one bin of [0, 1]: their mean score beside the share that is right."""

    scored_boxes: int
    mean_score: float
    share_right: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`ap`: mean over IoU 0.50, 0.55, …, 0.95; `ap50`: at 0.50; None without true boxes. The rest is at the requested IoU."""

    pictures: int
    true: int
    ap: float | None
    ap50: float | None
    judged: tuple[JudgedBox, ...]

    @property
    def used(self) -> int:
        """How many boxes reach their threshold."""
        return sum(one.scored_box.score >= one.scored_box.threshold for one in self.judged)

    @property
    def right(self) -> int:
        return sum(one.right and one.scored_box.score >= one.scored_box.threshold for one in self.judged)

    @property
    def precision(self) -> float | None:
        return self.right / self.used if self.used else None

    @property
    def recall(self) -> float | None:
        return self.right / self.true if self.true else None

    @property
    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """Boxes in `STEPS` equal bins of score; empty bins are left out."""
        steps: list[list[JudgedBox]] = [[] for _ in range(STEPS)]
        for one in self.judged:
            steps[min(int(one.scored_box.score * STEPS), STEPS - 1)].append(one)
        return tuple(_reliability_bin(step) for step in steps if step)

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error (Naeini et al. 2015, https://doi.org/10.1609/aaai.v29i1.9602): the mean distance between
        score and share right, steps weighed by their claims."""
        if not self.judged:
            return None
        return sum(step.scored_boxes * abs(step.mean_score - step.share_right) for step in self.reliability) / len(self.judged)


@dataclass(frozen=True, slots=True)
class Quality:
    """How right one labeller (`key`, and its `name`) is in pictures of a sensor about a category: a noun, or `ANY`.

    `left_out`: annotated pictures that do not count, because the category is not annotated completely in them.
    """

    key: str
    name: str
    sensor: str
    category: str
    left_out: int
    evaluation: Evaluation

    @property
    def category_name(self) -> str:
        return "any" if self.category == ANY else self.category


def evaluate_boxes(pictures: Sequence[EvaluatedPicture], iou: float) -> Evaluation:
    """Compare predicted boxes with true ones. UsageError where pycocotools is not installed."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ModuleNotFoundError as error:
        raise UsageError(f"evaluating labels needs {error.name}: pip install 'rsflow[evaluate]'") from error
    claims = {
        number: (place, claim)
        for number, (place, claim) in enumerate(((i, claim) for i, one in enumerate(pictures) for claim in one.scored_boxes), 1)
    }
    true = [
        (i, box, crowd) for i, one in enumerate(pictures) for crowd in (0, 1) for box in (one.uncertain if crowd else one.true)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth, predictions = COCO(), COCO()
        truth.dataset = _dataset(len(pictures), [_annotation(n, *one) for n, one in enumerate(true, 1)])
        found = [{**_annotation(n, i, claim.box, 0), "score": claim.score} for n, (i, claim) in claims.items()]
        predictions.dataset = _dataset(len(pictures), found)
        truth.createIndex()
        predictions.createIndex()
        compared = COCOeval(truth, predictions, "bbox")
        compared.params.iouThrs = np.unique(np.append(_COCO_IOUS, iou).round(6))
        compared.params.areaRng, compared.params.areaRngLbl = [[0, 1e12]], ["all"]
        compared.params.maxDets = [MOST_BOXES]
        compared.evaluate()
        compared.accumulate()
    count = sum(len(one.true) for one in pictures)
    ious = compared.params.iouThrs
    curves = compared.eval["precision"][:, :, 0, 0, 0] if count else None
    judged = _read_matches(
        compared.evalImgs, {n: claim for n, (_, claim) in claims.items()}, int(np.argmin(np.abs(ious - iou)))
    )
    ap50 = None if curves is None else float(curves[np.isclose(ious, 0.5)].mean())
    ap = None if curves is None else float(curves[np.isclose(ious[:, None], _COCO_IOUS).any(axis=1)].mean())
    return Evaluation(len(pictures), count, ap, ap50, judged)


def _read_matches(matches: Sequence[Any], claims: Mapping[int, ScoredBox], at: int) -> tuple[JudgedBox, ...]:
    return tuple(
        JudgedBox(claims[number], bool(match))
        for picture in matches
        if picture is not None
        for number, match, ignored in zip(picture["dtIds"], picture["dtMatches"][at], picture["dtIgnore"][at], strict=True)
        if not ignored
    )


def _dataset(pictures: int, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"images": [{"id": i} for i in range(pictures)], "annotations": annotations, "categories": [{"id": 1}]}


def _annotation(number: int, picture: int, box: Box, crowd: int) -> dict[str, Any]:
    # Numbers start at 1: COCOeval takes a match with number 0 for none.
    x0, y0, x1, y1 = box
    place = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": area(box), "iscrowd": crowd}
    return {"id": number, "image_id": picture, "category_id": 1, **place}


def _reliability_bin(claims: Sequence[JudgedBox]) -> ReliabilityBin:
    return ReliabilityBin(
        len(claims), sum(one.scored_box.score for one in claims) / len(claims), sum(one.right for one in claims) / len(claims)
    )
