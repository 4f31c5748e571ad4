"""Land cover by a segmentation model: the share of the valid pixels that each class covers.

One idea: what `spectral` decides from bands by thresholds, a trained model predicts for every pixel; both become labels of
kind "cover", with the box of the largest connected region. The score of a class is the mean probability of its pixels. Pixels
without data are in no class: where a tile has some, it must have kept its bands (`render.raw_bands`), which say which they
are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import scipy.ndimage

from rsflow.config.validation import Share
from rsflow.errors import DataError
from rsflow.labellers.models.class_maps import ClassMapLabeller, Shares
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel, round_score
from rsflow.labellers.models.model_words import check_renamed
from rsflow.records import Label, Shape

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class LandCover(ClassMapLabeller):
    """`categories` renames the model's classes, several may become one; "" makes a class unknown ground. `min_share`: a smaller
    share of the valid pixels gives no label. `threshold`: pixels whose best class is less probable are unknown."""

    name: ClassVar[str] = "land_cover"

    categories: dict[str, str] = field(default_factory=dict)
    min_share: Share = 0.0
    threshold: Share = 0.0

    @property
    def needs_raster_of_gaps(self) -> bool:
        return True

    def check_input(self, item: LabellerInput) -> None:
        super().check_input(item)
        if item.raster is None and item.valid_share < 1:
            detail = f"only {item.valid_share:.0%} of the tile has data, and which pixels is not known: set render.raw_bands"
            raise DataError("valid_unknown", detail)

    def open(self) -> OpenedModel:
        maps = self.open_maps()
        check_renamed(self.name, self.model, self.categories, maps.words)

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            every = maps.shares(batch, inputs)
            return [LabellerOutput(self.labels(shares, maps.words, item)) for shares, item in zip(every, batch, strict=True)]

        return OpenedModel(maps.prepare, infer)

    def labels(self, shares: Shares, words: dict[int, str], item: LabellerInput) -> tuple[Label, ...]:
        """The covers of a tile, largest share first; `shares` (classes, rows, cols)."""
        valid = item.raster.valid if item.raster else np.ones(shares.shape[1:], np.bool_)
        best, certainty = shares.argmax(axis=0), shares.max(axis=0)
        classes: dict[str, list[int]] = defaultdict(list)
        for number in np.unique(best[valid]).tolist():
            classes[self.categories.get(words[number], words[number])].append(number)
        found = []
        unknown = valid & (certainty < self.threshold)
        for category, numbers in classes.items():
            mask = np.isin(best, numbers) & valid & ~unknown
            if not category:
                unknown |= mask
            else:
                found += self._cover(category, mask, certainty, valid)
        found += self._cover(UNKNOWN, unknown, certainty, valid)
        return tuple(sorted(found, key=lambda label: (-(label.value or 0), label.category)))

    def _cover(self, category: str, mask: Any, certainty: Any, valid: Any) -> list[Label]:
        share = float(mask.sum() / max(1, valid.sum()))
        if not share or (share < self.min_share and category != UNKNOWN):
            return []
        regions, _ = scipy.ndimage.label(mask)
        sizes = np.bincount(regions.reshape(-1))[1:]
        rows, cols = scipy.ndimage.find_objects(regions)[int(sizes.argmax())]
        box = (float(cols.start), float(rows.start), float(cols.stop), float(rows.stop))
        score = round_score(float(certainty[mask].mean()))
        return [Label("cover", category, self.origin, Shape(box), value=round(share, 4), score=score)]
