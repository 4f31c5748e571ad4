"""Closed-set classification of whole pictures: a model that was trained on fixed classes (ResNet, ConvNeXt, Swin, ViT …).

`AutoModelForImageClassification` gives one number per class, their softmax is the score
(https://huggingface.co/docs/transformers/tasks/image_classification). The best class is the picture's where it reaches
`threshold`. `categories` renames the model's classes; "" drops one: where it is the best, the picture gets no class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rsflow.config.validation import Share
from rsflow.labellers.models.calibrated import CalibratedLabeller
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel, not_finite_error, require_finite
from rsflow.labellers.models.model_words import check_renamed, model_words
from rsflow.labellers.models.raw_input import RawModelLabeller
from rsflow.records import Label


@dataclass(frozen=True, kw_only=True)
class Classifier(CalibratedLabeller, RawModelLabeller):
    name: ClassVar[str] = "classifier"

    categories: dict[str, str] = field(default_factory=dict)  # the model's word -> the dataset's category ("" drops it)
    threshold: Share = 0.5

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForImageClassification", "AutoImageProcessor")
        words = model_words(loaded.model.config)
        check_renamed(self.name, self.model, self.categories, words)
        self.check_channels(loaded)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return self.model_inputs(loaded, batch)

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            logits = require_finite(loaded(inputs), "logits").logits
            return [LabellerOutput(self.labels(dict(enumerate(row)), words)) for row in logits.softmax(dim=-1).tolist()]

        return OpenedModel(prepare, infer)

    def labels(self, scores: dict[int, float], words: dict[int, str]) -> tuple[Label, ...]:
        """The picture's class, if the best one is sure enough. DataError `not_finite`."""
        if not all(map(math.isfinite, scores.values())):
            raise not_finite_error("a score")
        best = min(scores, key=lambda number: (-scores[number], words[number]))
        category = self.categories.get(words[best], words[best])
        score = self.probability(category, scores[best])
        if not category or score < self.threshold:
            return ()
        return (Label("category", category, self.category_origin(category), score=score),)
