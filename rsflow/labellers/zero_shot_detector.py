"""Zero-shot detection: a model that takes the categories as words (Grounding DINO, OWLv2, OWL-ViT, OmDet).

`categories` maps the phrases that the model is asked for to the dataset's categories, several to one if wanted; a
phrase that is mapped to "" is a distractor, asked beside the others so that it takes what is not meant. The rest is
`AutoModelForZeroShotObjectDetection` and its processor's `post_process_grounded_object_detection`
(https://huggingface.co/docs/transformers/tasks/zero_shot_object_detection).

Grounding DINO answers with words out of all that it was asked: they count for the one phrase that holds them all, and for none
where several do.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.config.validation import Share
from rsflow.labellers.models.detections import DetectionLabeller, RawDetection
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel, require_finite

_WORD = re.compile(r"[\w'-]+")
_MARKS = re.compile(r"\[[A-Z]+\]")  # of the tokenizer: [SEP]


@dataclass(frozen=True, kw_only=True)
class ZeroShotDetector(DetectionLabeller):
    """`text_threshold`: Grounding DINO's least score for a word to belong to a box."""

    name: ClassVar[str] = "zero_shot_detector"

    text_threshold: Share = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.categories:
            raise ValueError("categories is empty: give what to look for, as {a ship: ship}")
        wrong = [phrase for phrase in self.categories if "." in phrase or not phrase.strip()]
        if wrong:
            raise ValueError(f"categories has the phrase {wrong[0]!r}: it must have words, and no full stop")

    @property
    def prompt(self) -> str:
        return ". ".join(self.categories)

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForZeroShotObjectDetection")
        phrases = list(self.categories)
        finish = loaded.processor.post_process_grounded_object_detection
        own = {"text_threshold": self.text_threshold} if "text_threshold" in inspect.signature(finish).parameters else {}

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return loaded.processor(images=[item.image for item in batch], text=[phrases for _ in batch], return_tensors="pt")

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            sizes = [item.size for item in batch]
            text_queries = [phrases for _ in batch]
            output = require_finite(loaded(inputs), "logits", "pred_boxes", "decoder_class_logits", "decoder_coord_logits")
            results = finish(output, threshold=self.lowest_threshold, target_sizes=sizes, text_labels=text_queries, **own)
            return [
                LabellerOutput(self.labels(_raw_detections(result, phrases), size))
                for result, size in zip(results, sizes, strict=True)
            ]

        return OpenedModel(prepare, infer)


def _raw_detections(result: Any, phrases: Collection[str]) -> list[RawDetection]:
    rows = zip(result["text_labels"], result["scores"].tolist(), result["boxes"].tolist(), strict=True)
    return [
        RawDetection(phrase, score, box)
        for returned, score, box in rows
        if (phrase := matching_phrase(returned, phrases)) is not None
    ]


def matching_phrase(text: str, phrases: Collection[str]) -> str | None:
    """The phrase that has just the words of a model's answer, or the only one that holds them all."""
    words = {phrase: _split_words(phrase) for phrase in phrases}
    text_words = _split_words(_MARKS.sub(" ", text))
    same = [phrase for phrase in phrases if words[phrase] == text_words]
    holds = same or [phrase for phrase in phrases if text_words and set(text_words) <= set(words[phrase])]
    return holds[0] if len(holds) == 1 else None


def _split_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
