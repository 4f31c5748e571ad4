"""What differs between the tasks: the network from scratch, its image processor, and the targets of a batch.

One idea: networks, targets and losses are those of transformers' Auto classes, so a checkpoint of any family that the class has
is fine-tuned the same way as the small networks of rsflow.pretrained, which are made from scratch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.labeller_training.crops import Example, random_crop, whole_crop
from rsflow.labellers.segmenter import BACKGROUND

Crop = Callable[[Example, int, np.random.Generator, bool], Example]
ClassMap = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """`auto_class` of transformers; `words`: the model's classes of the categories; `targets`: of examples and their pixel
    values, what the model takes as `labels`; `new_model`: (model, image processor) from scratch, of words and the crop's side.
    """

    auto_class: str
    words: Callable[[Sequence[str]], list[str]]
    crop: Crop
    targets: Callable[[Sequence[Example], dict[str, int], Any], Any]
    new_model: Callable[[dict[str, Any], int], tuple[Any, Any]]


def detection_targets(examples: Sequence[Example], numbers: dict[str, int], pixel_values: Any) -> list[dict[str, Any]]:
    """Per picture `class_labels` (n), `boxes` (n, 4) and `ignored` (m, 4): centre x, y, width, height as shares."""
    import torch

    targets = []
    for example in examples:
        rows, cols = example.picture.shape[:2]
        boxes = np.array([thing.box for thing in example.objects], dtype=np.float32).reshape(-1, 4)
        shares = np.concatenate([boxes[:, :2] + boxes[:, 2:], 2 * (boxes[:, 2:] - boxes[:, :2])], axis=1) / 2
        scaled = torch.from_numpy(shares / np.array([cols, rows, cols, rows], dtype=np.float32))
        sure = torch.tensor([thing.sure for thing in example.objects], dtype=torch.bool)
        classes = torch.tensor([numbers[thing.category] for thing in example.objects if thing.sure], dtype=torch.long)
        targets.append({"class_labels": classes, "boxes": scaled[sure], "ignored": scaled[~sure]})
    return targets


def segmentation_targets(examples: Sequence[Example], numbers: dict[str, int], pixel_values: Any) -> Any:
    """(batch, rows, cols) class numbers of the pixels that the model sees; 255 where nothing is known."""
    import torch

    rows, cols = pixel_values.shape[-2:]
    return torch.from_numpy(np.stack([class_map(example, numbers, rows, cols) for example in examples]))


def class_map(example: Example, numbers: dict[str, int], rows: int, cols: int) -> ClassMap:
    """The class of every pixel, at another size. Of an object without an outline, or not sure, its box is not known."""
    from rasterio.features import rasterize
    from shapely.geometry import box, mapping

    from rsflow.models.unet_segmenter import NOT_LEARNED
    from rsflow.spatial.polygons import scale_parts, to_geometry

    sy, sx = rows / example.picture.shape[0], cols / example.picture.shape[1]
    shapes = []
    # Objects that are known over those that are not, small ones over large ones.
    for thing in sorted(example.objects, key=lambda one: (one.sure, -_area(one.box))):
        known = thing.sure and bool(thing.parts)
        x0, y0, x1, y1 = thing.box
        shape = to_geometry(scale_parts(thing.parts, sx, sy)) if known else box(x0 * sx, y0 * sy, x1 * sx, y1 * sy)
        if not shape.is_empty:
            shapes.append((mapping(shape), numbers[thing.category] if known else NOT_LEARNED))
    if not shapes:
        return np.zeros((rows, cols), dtype=np.int64)
    return np.asarray(rasterize(shapes, (rows, cols), fill=0, dtype="uint8"), dtype=np.int64)


def classification_targets(examples: Sequence[Example], numbers: dict[str, int], pixel_values: Any) -> Any:
    import torch

    return torch.tensor([numbers[example.category] for example in examples], dtype=torch.long)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _new_detector(names: dict[str, Any], side_px: int) -> tuple[Any, Any]:
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    from rsflow.models.centre_detector import CentreDetector, CentreDetectorConfig

    processor: Any = RTDetrImageProcessorPil
    return CentreDetector(CentreDetectorConfig(**names)), processor(do_resize=False, do_normalize=False, do_pad=False)


def _new_segmenter(names: dict[str, Any], side_px: int) -> tuple[Any, Any]:
    from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil

    from rsflow.models.unet_segmenter import UNetSegmenter, UNetSegmenterConfig

    processor: Any = SegformerImageProcessorPil
    return UNetSegmenter(UNetSegmenterConfig(**names)), processor(do_resize=False, do_normalize=False)


def _new_classifier(names: dict[str, Any], side_px: int) -> tuple[Any, Any]:
    import transformers
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

    config = transformers.ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 128, 128], depths=[1, 1, 1, 1], layer_type="basic", **names
    )
    size = {"height": side_px, "width": side_px}
    processor: Any = BitImageProcessorPil
    return transformers.ResNetForImageClassification(config), processor(size=size, do_center_crop=False)


TASKS: dict[str, TrainingTask] = {
    "detection": TrainingTask("AutoModelForObjectDetection", list, random_crop, detection_targets, _new_detector),
    "segmentation": TrainingTask(
        "AutoModelForSemanticSegmentation",
        lambda names: [BACKGROUND, *names],
        random_crop,
        segmentation_targets,
        _new_segmenter,
    ),
    "classification": TrainingTask(
        "AutoModelForImageClassification", list, whole_crop, classification_targets, _new_classifier
    ),
}
