"""What a trained labeller is worth: its calibration, and how right it is about each category on held-out tiles.

One idea: the labeller itself is asked, opened from the checkpoint as a build would open it; its boxes are compared by
rsflow.labellers.quality.coco_metrics, as `rsflow evaluate-labels` compares them, and its classes with the annotated ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rsflow.labeller_training.annotated_tiles import AnnotatedTile, is_sure
from rsflow.labellers.contract import Picture
from rsflow.labellers.models.model_labeller import LabellerInput
from rsflow.labellers.quality.calibration import CalibrationFile, Judged, fit
from rsflow.labellers.quality.coco_metrics import ANY, EvaluatedPicture, ScoredBox, evaluate_boxes
from rsflow.records import Label

Predict = Callable[[Sequence[LabellerInput]], Iterable[tuple[Label, ...]]]
Labelled = tuple[AnnotatedTile, tuple[Label, ...]]  # a tile, and the labeller's labels of it


@dataclass(frozen=True, slots=True)
class CategoryQuality:
    """Of one category, or of all ("*", compared by place alone for boxes): counts, and AP at IoU 0.5 for boxes.

    `true`: annotated; `found`: labels that reach the threshold; `right`: of those.
    """

    category: str
    true: int
    found: int
    right: int
    ap50: float | None

    @property
    def precision(self) -> float | None:
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        return self.right / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        return 2 * self.right / (self.found + self.true) if self.found + self.true else None


def label_tiles(tiles: Sequence[AnnotatedTile], pictures: dict[str, Picture], predict: Predict) -> list[Labelled]:
    """The labeller's labels of each tile, one picture at a time."""
    found = []
    for tile in tiles:
        (labels,) = predict([LabellerInput(pictures[tile.tile_id], tile.row["sensor"], tile.row["gsd_m"])])
        found.append((tile, labels))
    return found


def fit_calibration(
    labeller: str, rows: Sequence[Labelled], categories: Sequence[str], iou: float, threshold: float
) -> CalibrationFile | None:
    """The labeller's calibration by all labels it gave, whatever their score; None where it gave none.

    `threshold` is of the calibrated score: the quality of a category is that of the labels which reach it.
    """
    judged: dict[str, list[Judged]] = defaultdict(list)
    for category, score, right in _judge(rows, categories, iou):
        judged[category].append((score, right))
    if not judged:
        return None
    return CalibrationFile((fit(labeller, judged, dict.fromkeys(judged, threshold), iou),))


def measure(rows: Sequence[Labelled], categories: Sequence[str], iou: float, threshold: float) -> list[CategoryQuality]:
    """All categories together first, then each."""
    if any(label.kind == "category" for tile, _ in rows for label in tile.labels):
        return [_class_quality(rows, name, categories) for name in (ANY, *categories)]
    return [_box_quality(rows, name, iou, threshold, categories) for name in (ANY, *categories)]


def _judge(rows: Sequence[Labelled], categories: Sequence[str], iou: float) -> Iterator[tuple[str, float, bool]]:
    """(category, score, whether it is right) of every label."""
    for tile, labels in rows:
        for label in labels:
            if label.kind == "category":
                yield label.category, label.score or 0.0, label.category == tile.labels[0].category
    for name in categories:
        pictures = [_compared(row, name, 0.0, categories) for row in rows]
        if any(picture.scored_boxes for picture in pictures):
            for one in evaluate_boxes(pictures, iou).judged:
                yield name, one.scored_box.score, one.right


def _compared(row: Labelled, name: str, threshold: float, categories: Sequence[str]) -> EvaluatedPicture:
    tile, labels = row
    shapes = [(label.shape.box, is_sure(label)) for label in tile.labels if label.shape and _matches(label, name, categories)]
    uncertain = [label.shape.box for label in tile.labels if label.shape and not is_sure(label)]
    found = [
        ScoredBox(label.shape.box, label.score or 0.0, label.category, threshold)
        for label in labels
        if label.kind == "box" and label.shape and name in (ANY, label.category)
    ]
    return EvaluatedPicture(tuple(box for box, sure in shapes if sure), tuple(uncertain), tuple(found))


def _matches(label: Label, name: str, categories: Sequence[str]) -> bool:
    return label.category in categories if name == ANY else label.category == name


def _box_quality(
    rows: Sequence[Labelled], name: str, iou: float, threshold: float, categories: Sequence[str]
) -> CategoryQuality:
    found = evaluate_boxes([_compared(row, name, threshold, categories) for row in rows], iou)
    return CategoryQuality(name, found.true, found.used, found.right, found.ap50)


def _class_quality(rows: Sequence[Labelled], name: str, categories: Sequence[str]) -> CategoryQuality:
    pairs = [(tile.labels[0].category, labels[0].category if labels else "") for tile, labels in rows]
    true = sum(annotated in categories if name == ANY else annotated == name for annotated, _ in pairs)
    found = sum(bool(predicted) if name == ANY else predicted == name for _, predicted in pairs)
    right = sum(annotated == predicted and name in (ANY, predicted) for annotated, predicted in pairs)
    return CategoryQuality(name, true, found, right, None)
