"""Closed-set detection: a model that was trained on fixed classes (DETR, RT-DETR, Deformable DETR, YOLOS, D-FINE …).

Everything about the model is transformers' own: `AutoModelForObjectDetection`, and the image processor's
`post_process_object_detection`, which knows what that family's numbers mean
(https://huggingface.co/docs/transformers/tasks/object_detection). `categories` renames its classes; a name there that the
model does not have is refused with those that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.labellers.models.detections import DetectionLabeller, RawDetection
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel, require_finite
from rsflow.labellers.models.model_words import check_renamed, model_words


@dataclass(frozen=True, kw_only=True)
class Detector(DetectionLabeller):
    name: ClassVar[str] = "detector"

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForObjectDetection", "AutoImageProcessor")
        words = model_words(loaded.model.config)
        check_renamed(self.name, self.model, self.categories, words)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return loaded.processor(images=[item.image for item in batch], return_tensors="pt")

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            sizes = [item.size for item in batch]
            output = require_finite(loaded(inputs), "logits", "pred_boxes")
            results = loaded.processor.post_process_object_detection(
                output, threshold=self.lowest_threshold, target_sizes=sizes
            )
            return [
                LabellerOutput(self.labels(_raw_detections(result, words), size))
                for result, size in zip(results, sizes, strict=True)
            ]

        return OpenedModel(prepare, infer)


def _raw_detections(result: dict[str, Any], words: dict[int, str]) -> list[RawDetection]:
    numbers, scores, boxes = (result[name].tolist() for name in ("labels", "scores", "boxes"))
    return [RawDetection(words[number], score, box) for number, score, box in zip(numbers, scores, boxes, strict=True)]
