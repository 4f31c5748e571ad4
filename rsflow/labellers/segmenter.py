"""Semantic segmentation as objects: a model names the class of every pixel, and connected pixels of one class are one object.

`AutoModelForSemanticSegmentation` gives a map of each class, which is resized to the picture (SegFormer, UPerNet, DPT, and the
small network of `rsflow train-labeller`; https://huggingface.co/docs/transformers/tasks/semantic_segmentation). An object is a
box with its outline; its score is the mean probability of its pixels. Objects that touch are one: for crowds of one category
take a detector. The class `background` is no object, and `categories` renames the others or drops them with "".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from rsflow.config.validation import Positive
from rsflow.labellers.models.detections import DetectionLabeller, RawDetection
from rsflow.labellers.models.model_labeller import Amount, LabellerInput, LabellerOutput, OpenedModel, require_finite
from rsflow.labellers.models.model_words import check_renamed, model_words
from rsflow.labellers.outliner import outline
from rsflow.spatial.geometry import Box

BACKGROUND = "background"

Shares = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Segmenter(DetectionLabeller):
    """`min_pixels`: smaller objects are dropped. `simplify_px`: how far an outline may lie from the pixels' edges."""

    name: ClassVar[str] = "segmenter"

    min_pixels: Positive = 16
    simplify_px: Amount = 1.0

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForSemanticSegmentation", "AutoImageProcessor")
        words = model_words(loaded.model.config)
        check_renamed(self.name, self.model, self.categories, words)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return loaded.processor(images=[item.image for item in batch], return_tensors="pt")

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            from torch.nn.functional import interpolate

            logits = require_finite(loaded(inputs), "logits").logits
            shares = interpolate(logits, batch[0].size, mode="bilinear", align_corners=False).softmax(dim=1).cpu().numpy()
            return [
                LabellerOutput(self.labels(self._objects(share, words), item.size))
                for share, item in zip(shares, batch, strict=True)
            ]

        return OpenedModel(prepare, infer)

    def _objects(self, shares: Shares, words: dict[int, str]) -> Iterator[RawDetection]:
        """The connected regions of each class but the background; `shares` (classes, rows, cols)."""
        best = shares.argmax(axis=0)
        for number in np.unique(best).tolist():
            if words[number] == BACKGROUND:
                continue
            regions, _ = scipy.ndimage.label(best == number)
            for region, place in enumerate(scipy.ndimage.find_objects(regions), 1):
                mask = _inside(regions, region, place)
                if int(mask[place].sum()) >= self.min_pixels:
                    box = _box(place)
                    score = float(shares[number][place][mask[place]].mean())
                    yield RawDetection(words[number], score, box, outline(mask, box, self.simplify_px))


def _inside(regions: npt.NDArray[Any], region: int, place: tuple[slice, slice]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(regions.shape, dtype=np.bool_)
    mask[place] = regions[place] == region
    return mask


def _box(place: tuple[slice, slice]) -> Box:
    rows, cols = place
    return (float(cols.start), float(rows.start), float(cols.stop), float(rows.stop))
