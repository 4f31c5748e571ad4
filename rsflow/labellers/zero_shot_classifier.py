"""Zero-shot classification: which of some phrases fits a whole picture best (CLIP, SigLIP, and their kin: RemoteCLIP,
GeoRSCLIP and StreetCLIP share CLIP's classes).

`categories` maps phrases to the dataset's categories, several to one if wanted, and `template` puts each into a
sentence. `AutoModelForZeroShotImageClassification` scores all of them; what it was trained with decides what its numbers are: a
softmax over the phrases, or for SigLIP a sigmoid each, where no phrase need fit
(https://huggingface.co/docs/transformers/tasks/zero_shot_image_classification). Phrases of one category add up under the
softmax, and the best counts under the sigmoid. The best category becomes the picture's label where it reaches `threshold`; one
that is "" is a distractor and gives none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rsflow.config.validation import Share
from rsflow.labellers.models.model_labeller import (
    LabellerInput,
    LabellerOutput,
    ModelLabeller,
    OpenedModel,
    clip_score,
    not_finite_error,
    require_finite,
)
from rsflow.records import Label


@dataclass(frozen=True, kw_only=True)
class ZeroShotClassifier(ModelLabeller):
    name: ClassVar[str] = "zero_shot_classifier"

    categories: dict[str, str] = field(default_factory=dict)  # phrase -> category
    template: str = "a satellite photo of {}."
    threshold: Share = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.categories) < 2:
            raise ValueError(
                "categories needs at least two phrases to choose between, as {an airport: airport, a forest: forest}"
            )
        if self.template.count("{}") != 1:
            raise ValueError(f"template is {self.template!r}: it needs one {{}}, where the phrase goes")

    @property
    def prompt(self) -> str:
        return " | ".join(self._sentences())

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForZeroShotImageClassification")
        independent = "siglip" in loaded.model.config.model_type
        # SigLIP was trained on texts padded to their full length, and gives other numbers for shorter ones.
        length = {"padding": "max_length", "max_length": 64} if independent else {"padding": True}
        texts = loaded.processor.tokenizer(self._sentences(), return_tensors="pt", truncation=True, **length)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            inputs = loaded.processor.image_processor([item.image for item in batch], return_tensors="pt")
            inputs.update(texts)
            return inputs

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            logits = require_finite(loaded(inputs), "logits_per_image").logits_per_image
            scores = (logits.sigmoid() if independent else logits.softmax(dim=-1)).tolist()
            return [LabellerOutput(self.labels(row, independent)) for row in scores]

        return OpenedModel(prepare, infer)

    def labels(self, scores: Sequence[float], independent: bool) -> tuple[Label, ...]:
        """The picture's category, if one is sure enough. `scores` are in the order of `categories`. DataError `not_finite`."""
        if not all(map(math.isfinite, scores)):
            raise not_finite_error("a score")
        whole: dict[str, float] = {}
        for category, score in zip(self.categories.values(), scores, strict=True):
            whole[category] = max(whole.get(category, 0.0), score) if independent else whole.get(category, 0.0) + score
        best, score = min(((name, clip_score(value)) for name, value in whole.items()), key=lambda one: (-one[1], one[0]))
        return (Label("category", best, self.origin, score=score),) if best and score >= self.threshold else ()

    def _sentences(self) -> list[str]:
        return [self.template.format(phrase) for phrase in self.categories]
