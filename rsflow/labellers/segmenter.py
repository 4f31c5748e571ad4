"""Semantic segmentation as objects: a model names the class of every pixel, and connected pixels of one class are one object.

Maps of each class come from semantic and universal models (rsflow.labellers.models.class_maps), also from the small network of
`rsflow train-labeller`. An object is a
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
from rsflow.labellers.models.class_maps import ClassMapLabeller, Shares
from rsflow.labellers.models.detections import DetectionLabeller, RawDetection
from rsflow.labellers.models.model_labeller import Amount, LabellerInput, LabellerOutput, OpenedModel
from rsflow.labellers.models.model_words import check_renamed
from rsflow.labellers.outliner import outline
from rsflow.spatial.geometry import Box

BACKGROUND = "background"


@dataclass(frozen=True, kw_only=True)
class Segmenter(DetectionLabeller, ClassMapLabeller):
    """`min_pixels`: smaller objects are dropped. `simplify_px`: how far an outline may lie from the pixels' edges."""

    name: ClassVar[str] = "segmenter"

    min_pixels: Positive = 16
    simplify_px: Amount = 1.0

    def open(self) -> OpenedModel:
        maps = self.open_maps()
        check_renamed(self.name, self.model, self.categories, maps.words)

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            every = maps.shares(batch, inputs)
            return [
                LabellerOutput(self.labels(self._objects(shares, maps.words), item.size))
                for shares, item in zip(every, batch, strict=True)
            ]

        return OpenedModel(maps.prepare, infer)

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
