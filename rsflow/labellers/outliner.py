"""Masks by a promptable segmentation model (SAM, SAM 2, SAM-HQ): the boxes of a picture become outlines.

A box says roughly where an object is, and a promptable model says which pixels are its own (`AutoModelForMaskGeneration`,
https://huggingface.co/docs/transformers/model_doc/sam). An object is never doubled, so an outline is a fact about the box,
which rsflow.stages.predict.merge_labels makes the polygon of a model's box: kind "fact", category "outline", the box that was
given, the polygon found in it, `value` the polygon's share of the box and `score` the model's own estimate of its overlap with
the truth. The polygon has all parts and holes of the mask inside the box. Boxes that have a polygon are kept, and a
picture without boxes costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rsflow.config.validation import Positive, Share
from rsflow.labellers.models.model_labeller import (
    Amount,
    LabellerInput,
    LabellerOutput,
    ModelLabeller,
    OpenedModel,
    clip_score,
    require_finite,
)
from rsflow.pretrained.checkpoint import Loaded
from rsflow.records import Label, Shape
from rsflow.spatial.geometry import Box, Parts, area, ring_area
from rsflow.spatial.polygons import from_geometry, parts_area, round_parts

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Outliner(ModelLabeller):
    """`threshold`: the least estimated overlap of an outline that is kept. `most`: boxes of one picture that are outlined, the
    first ones. `simplify_px`: how far an outline may lie from the mask's pixel edges, for fewer corners."""

    name: ClassVar[str] = "outliner"
    version: ClassVar[int] = 2

    threshold: Share = 0.7
    most: Positive = 100
    simplify_px: Amount = 1.0

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForMaskGeneration")

        def prepare(batch: Sequence[LabellerInput]) -> list[Any]:
            return [_prepare_prompt(loaded, item, self.boxes(item)) for item in batch]

        def infer(batch: Sequence[LabellerInput], inputs: list[Any]) -> list[LabellerOutput]:
            return [self._outline_boxes(loaded, item, prompt) for item, prompt in zip(batch, inputs, strict=True)]

        return OpenedModel(prepare, infer)

    def boxes(self, item: LabellerInput) -> list[Box]:
        """The boxes to outline."""
        shapes = [label.shape for label in item.labels if label.kind == "box" and label.shape is not None]
        return [shape.box for shape in shapes if not shape.polygon and area(shape.box) > 0][: self.most]

    def _outline_boxes(self, loaded: Loaded, item: LabellerInput, prompt: Any) -> LabellerOutput:
        if prompt is None:
            return LabellerOutput()
        sizes = {name: prompt.pop(name) for name in ("original_sizes", "reshaped_input_sizes") if name in prompt}
        output = require_finite(loaded.run(loaded.model, prompt, multimask_output=False), "iou_scores", "pred_masks")
        (masks,) = loaded.processor.post_process_masks(output.pred_masks.cpu(), *sizes.values())
        scores = output.iou_scores.reshape(-1).tolist()
        found = zip(self.boxes(item), masks[:, 0].numpy(), scores, strict=True)
        labels = (self.label(box, mask, clip_score(score)) for box, mask, score in found)
        return LabellerOutput(tuple(label for label in labels if label is not None))

    def label(self, box: Box, mask: Mask, score: float) -> Label | None:
        """The outline of a box by a mask (rows, cols) of the whole picture; None below the threshold or without an area."""
        parts = outline(mask, box, self.simplify_px) if score >= self.threshold else ()
        if not parts:
            return None
        share = clip_score(parts_area(parts) / area(box))
        return Label("fact", "outline", self.origin, Shape.of_parts(box, parts), value=share, score=score)


def outline(mask: Mask, box: Box, simplify_px: float) -> Parts:
    """The outline of a mask inside the box, in pixels of the picture, with all parts and holes; empty where there is none.

    Parts and holes of less than (2 x simplify_px) squared pixels are dropped: simplification makes lines of them.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    row_off, col_off = max(0, int(np.floor(box[1]))), max(0, int(np.floor(box[0])))
    cells = mask[row_off : int(np.ceil(box[3])), col_off : int(np.ceil(box[2]))]
    if not cells.any():
        return ()
    traced = shapes(cells.astype(np.uint8), mask=cells, connectivity=4, transform=Affine.translation(col_off, row_off))
    polygons = [shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:]) for shape, _ in traced]
    inside = shapely.MultiPolygon(polygons).intersection(shapely.box(*box))
    simple = inside.simplify(simplify_px) if simplify_px else inside
    least = (2 * simplify_px) ** 2
    parts = ((part[0], *(hole for hole in part[1:] if ring_area(hole) >= least)) for part in from_geometry(simple))
    return round_parts(tuple(part for part in parts if ring_area(part[0]) >= least), 2)


def _prepare_prompt(loaded: Loaded, item: LabellerInput, boxes: Sequence[Box]) -> Any:
    if not boxes:
        return None
    return loaded.processor(item.image, input_boxes=[[list(box) for box in boxes]], return_tensors="pt")
