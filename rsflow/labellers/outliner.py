"""Masks by a promptable segmentation model (SAM, SAM 2, SAM-HQ): the boxes of a picture become outlines.

One idea: a box says roughly where an object is, and a promptable model says which pixels are its own
(`AutoModelForMaskGeneration`, https://huggingface.co/docs/transformers/model_doc/sam). An object is never doubled, so an
outline is a fact about the box, which rsflow.stages.merge_labels makes the polygon of a model's box: kind "fact", category
"outline", the box that was given, the polygon found in it, `value` the polygon's share of the box and `score` the model's own
estimate of its overlap with the truth. The polygon is the outer ring of the largest connected part inside the box. Boxes that
come with a polygon are left alone, and a picture without boxes costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rsflow.config.validation import Positive, Share
from rsflow.labellers.bright_targets import largest_region
from rsflow.labellers.model_labeller import (
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
from rsflow.spatial.geometry import Box, area, ring_area

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Outliner(ModelLabeller):
    """`threshold`: the least estimated overlap of an outline that is kept. `most`: boxes of one picture that are outlined, the
    first ones. `simplify_px`: how far an outline may lie from the mask's pixel edges, for fewer corners."""

    name: ClassVar[str] = "outliner"

    threshold: Share = 0.7
    most: Positive = 100
    simplify_px: Amount = 1.0

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModelForMaskGeneration")

        def prepare(batch: Sequence[LabellerInput]) -> list[Any]:
            return [_prompt(loaded, item, self.boxes(item)) for item in batch]

        def infer(batch: Sequence[LabellerInput], inputs: list[Any]) -> list[LabellerOutput]:
            return [self._seen(loaded, item, prompt) for item, prompt in zip(batch, inputs, strict=True)]

        return OpenedModel(prepare, infer)

    def boxes(self, item: LabellerInput) -> list[Box]:
        """The boxes to outline."""
        shapes = [label.shape for label in item.labels if label.kind == "box" and label.shape is not None]
        return [shape.box for shape in shapes if not shape.polygon and area(shape.box) > 0][: self.most]

    def _seen(self, loaded: Loaded, item: LabellerInput, prompt: Any) -> LabellerOutput:
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
        """The outline of a box by a mask (rows, cols) of the whole picture; None where there is none worth keeping."""
        ring = outline(mask, box, self.simplify_px) if score >= self.threshold else ()
        if not ring:
            return None
        return Label(
            "fact", "outline", self.origin, Shape(box, ring), value=clip_score(ring_area(ring) / area(box)), score=score
        )


def outline(mask: Mask, box: Box, simplify_px: float) -> tuple[float, ...]:
    """The flat ring around the largest connected part of the mask inside the box, in pixels of the picture, or empty."""
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    rows = slice(max(0, int(np.floor(box[1]))), int(np.ceil(box[3])))
    cols = slice(max(0, int(np.floor(box[0]))), int(np.ceil(box[2])))
    part = largest_region(mask[rows, cols])
    if part is None:
        return ()
    place = Affine.translation(cols.start + part.cols.start, rows.start + part.rows.start)
    traced = shapes(part.mask.astype(np.uint8), mask=part.mask, connectivity=4, transform=place)
    polygons = [shapely.Polygon(shape["coordinates"][0]) for shape, _ in traced]
    inside = max(polygons, key=lambda polygon: polygon.area).intersection(shapely.box(*box))
    whole = max(shapely.get_parts(inside), key=lambda one: one.area)
    simple = whole.simplify(simplify_px) if simplify_px else whole
    if simple.geom_type != "Polygon" or simple.area == 0:
        return ()
    return tuple(round(float(value), 2) for point in simple.exterior.coords[:-1] for value in point)


def _prompt(loaded: Loaded, item: LabellerInput, boxes: Sequence[Box]) -> Any:
    if not boxes:
        return None
    return loaded.processor(item.image, input_boxes=[[list(box) for box in boxes]], return_tensors="pt")
