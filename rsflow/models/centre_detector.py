"""An object detector of points: an object is a peak of a heat map, and its box and category are read off there.

CenterNet's idea (https://arxiv.org/abs/1904.07850) on a small U-Net: no anchors and no matching, which learns many small
objects from a few hundred pictures on a CPU, where detection transformers need days. One heat map for all categories learns
sooner than one for each, and an object whose category is in doubt is still an object. It is an AutoModelForObjectDetection:
input, targets and output are those of RT-DETR, whose image processor reads its output.

Targets may carry `ignored` boxes (objects that annotators were not sure of): nothing is learned where they lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForObjectDetection, PretrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from rsflow.models.unet import DEVIATION, MEAN, STRIDE, WIDTHS, UNet

_NO_PEAK = -20.0  # the logit of what is no peak: a probability of 2e-9
_PRIOR = 0.01  # the probability of an object that a new model gives every position
_SMALL = 0.1
_LEAST_DEVIATION = 0.05  # of a picture: noise is not magnified beyond
_MIN_RADIUS, _MAX_RADIUS = 0.7, 4.0  # standard deviation of a target's peak, in cells
_SAME_OBJECT = 0.5  # intersection over union of two peaks' boxes, above which they are of one object
_NEAR = 0.5  # of a peak: the least that learns its object's shape
_BOX_WEIGHT = 2.0
_EXTENTS = (-4.0, 6.0)  # logarithms of a box's sides in cells
_NEW_EXTENT = 1.5  # of a new model's boxes: 4.5 cells

Target = dict[str, Tensor]


class CentreDetectorConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """`widths`: channels of the U-Net's levels. `queries`: the most objects of one picture."""

    model_type = "rsflow_centre_detector"

    def __init__(self, widths: Sequence[int] = WIDTHS, queries: int = 300, **settings: Any) -> None:
        self.widths = list(widths)
        self.queries = queries
        super().__init__(**settings)


class Maps(NamedTuple):
    """What the network makes of a batch, by cell: `heat` (batch, 1, rows, cols), the logit that an object's middle lies there,
    whatever it is; `category` (batch, categories, …), logits of what it is; `size` (batch, 4, …), its box."""

    heat: Tensor
    category: Tensor
    size: Tensor


@dataclass
class CentreDetectorOutput(ModelOutput):
    """`logits` (batch, queries, categories); `pred_boxes` (batch, queries, 4): centre x, y, width, height as shares of the
    picture."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    pred_boxes: Tensor | None = None


class CentreDetector(PreTrainedModel):  # type: ignore[no-untyped-call]
    config_class = CentreDetectorConfig
    base_model_prefix = "network"
    main_input_name = "pixel_values"

    def __init__(self, config: CentreDetectorConfig) -> None:
        super().__init__(config)
        self.network = UNet(config.widths)
        width = config.widths[0]
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.ReLU())
        self.heat = nn.Conv2d(width, 1, 1)
        self.category = nn.Conv2d(width, len(config.id2label or ()), 1)
        self.size = nn.Conv2d(width, 4, 1)
        self.post_init()  # type: ignore[no-untyped-call]
        with torch.no_grad():  # a new model begins near its prior, and with boxes of a few cells
            self.heat.weight.mul_(_SMALL)
            self.size.weight.mul_(_SMALL)
            nn.init.constant_(self.heat.bias, math.log(_PRIOR / (1 - _PRIOR)))  # type: ignore[arg-type]
            nn.init.constant_(self.size.bias[2:], _NEW_EXTENT)  # type: ignore[index]  # it has a bias

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, pixel_values: Tensor, labels: Sequence[Target] | None = None, **_: Any) -> CentreDetectorOutput:
        """`labels`: of each picture `class_labels` (n), `boxes` (n, 4) as shares, and `ignored` (m, 4) where there are any."""
        features = self.last(self.network(_standardise(pixel_values)))
        # In float32 whatever the weights are: bfloat16 knows no position to the cell.
        maps = Maps(*(head(features).float() for head in (self.heat, self.category, self.size)))
        cells = (pixel_values.shape[-2] / STRIDE, pixel_values.shape[-1] / STRIDE)
        if labels is not None:
            return CentreDetectorOutput(loss=_loss(maps, labels, cells))
        return _decode(maps, self.config.queries, cells)


def _standardise(pictures: Tensor) -> Tensor:
    """Every picture with the mean and deviation that the U-Net expects: what is bright or rich in contrast in one flight is
    neither in another. Black is left out of both: it pads crops of small tiles, and stands for ground without data."""
    shown = (pictures.amax(dim=1, keepdim=True) > 0).expand_as(pictures)
    values = pictures.float()
    count = shown.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
    mean = (values * shown).sum(dim=(1, 2, 3), keepdim=True) / count
    variance = ((values - mean).square() * shown).sum(dim=(1, 2, 3), keepdim=True) / count
    return ((values - mean) / variance.sqrt().clamp(min=_LEAST_DEVIATION) * DEVIATION + MEAN).to(pictures.dtype)


def _decode(maps: Maps, queries: int, cells: tuple[float, float]) -> CentreDetectorOutput:
    """The strongest peaks of the heat map, at most `queries`; a peak is of its likeliest category alone, and counts only where
    no better one has nearly its box."""
    best, size = maps.heat[:, 0], maps.size
    is_peak = best == functional.max_pool2d(maps.heat, 3, 1, 1)[:, 0]
    scores = torch.where(is_peak, best, torch.full_like(best, _NO_PEAK)).flatten(1)
    top, where = scores.topk(min(queries, scores.shape[1]), dim=1)
    shape = size.flatten(2).gather(2, where[:, None].expand(-1, 4, -1)).transpose(1, 2)
    boxes = _boxes(shape, where, best.shape[-1], cells)
    top = torch.stack([torch.where(_is_best(each), score, _NO_PEAK) for each, score in zip(boxes, top, strict=True)])
    logits = top.new_full((*top.shape, maps.category.shape[1]), _NO_PEAK)
    logits.scatter_(2, maps.category.argmax(dim=1).flatten(1).gather(1, where)[..., None], top[..., None])
    return CentreDetectorOutput(logits=logits, pred_boxes=boxes)


def _is_best(boxes: Tensor) -> Tensor:
    """(n): False for boxes (n, 4; best first) that overlap a better one which stays (greedy non-maximum suppression)."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    shared = (torch.minimum(high[:, None], high) - torch.maximum(low[:, None], low)).clamp(min=0).prod(dim=2)
    areas = (high - low).prod(dim=1)
    near = shared / (areas[:, None] + areas - shared).clamp(min=1e-12) > _SAME_OBJECT
    stays = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for number in range(1, len(boxes)):
        stays[number] = not bool((near[number, :number] & stays[:number]).any())
    return stays


def _boxes(shape: Tensor, where: Tensor, cols: int, cells: tuple[float, float]) -> Tensor:
    """Boxes as shares of the picture from their regressed shapes (…, 4): offset of the middle from that of its cell, and the
    logarithms of width and height, all in cells."""
    rows, extent = where // cols, shape[..., 2:].clamp(*_EXTENTS).exp()
    middle = torch.stack([where % cols, rows], dim=-1) + 0.5 + shape[..., :2]
    scale = shape.new_tensor([cells[1], cells[0]])
    return torch.cat([middle / scale, extent / scale], dim=-1)


def _loss(maps: Maps, labels: Sequence[Target], cells: tuple[float, float]) -> Tensor:
    """Quality focal loss of the heat map (https://arxiv.org/abs/2006.04388), and around the middles of objects the generalised
    IoU loss of boxes (https://arxiv.org/abs/1902.09630), twice, and the cross-entropy of categories."""
    made = [_targets(target, maps.heat[0, 0], cells) for target in labels]
    target, known, shape, category, weight = (torch.stack(part) for part in zip(*made, strict=True))
    objects, heat = max(1, sum(len(each["boxes"]) for each in labels)), maps.heat[:, 0]
    surprise = functional.binary_cross_entropy_with_logits(heat, target, reduction="none")
    heat_loss = (surprise * (target - heat.sigmoid()) ** 2 * known).sum() / objects
    at = weight > 0
    boxes = _giou_loss(maps.size.movedim(1, -1)[at], shape.movedim(1, -1)[at])
    categories = functional.cross_entropy(maps.category.movedim(1, -1)[at], category[at], reduction="none")
    return heat_loss + ((_BOX_WEIGHT * boxes + categories) * weight[at]).sum() / weight.sum().clamp(min=1)


def _giou_loss(shape: Tensor, target: Tensor) -> Tensor:
    """(n): 1 - generalised IoU of boxes of the same cells, given by their shapes (n, 4)."""
    size, target_size = shape[:, 2:].clamp(*_EXTENTS).exp(), target[:, 2:].exp()
    low, high = shape[:, :2] - size / 2, shape[:, :2] + size / 2
    target_low, target_high = target[:, :2] - target_size / 2, target[:, :2] + target_size / 2
    shared = (torch.minimum(high, target_high) - torch.maximum(low, target_low)).clamp(min=0).prod(dim=1)
    union = size.prod(dim=1) + target_size.prod(dim=1) - shared
    hull = (torch.maximum(high, target_high) - torch.minimum(low, target_low)).prod(dim=1)
    return 1 - shared / union + (hull - union) / hull


def _targets(target: Target, like: Tensor, cells: tuple[float, float]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """(heat, where it is known, shape (4, rows, cols), category, weight of both), (rows, cols) each as `like`."""
    rows, cols = like.shape
    scale = like.new_tensor([cells[1], cells[0], cells[1], cells[0]])
    y, x = (torch.arange(count, device=like.device, dtype=like.dtype) + 0.5 for count in (rows, cols))
    known = ~_inside(target.get("ignored", like.new_zeros(0, 4)) * scale, y, x).any(dim=0)
    boxes = target["boxes"] * scale
    if not len(boxes):
        empty = torch.zeros_like(like)
        return empty, known, empty.expand(4, -1, -1), empty.long(), empty
    # Each cell learns shape and category of the object whose middle is nearest, by the object's own extent.
    heat, owner = _bumps(boxes, y, x).max(dim=0)
    owned = boxes[owner]
    offset = torch.stack([owned[..., 0] - x, owned[..., 1] - y[:, None]])
    extent = owned[..., 2:].clamp(min=0.05).log().permute(2, 0, 1)
    weight = torch.where(heat > _NEAR, heat, 0.0)
    return heat, known, torch.cat([offset, extent]), target["class_labels"][owner], weight


def _bumps(boxes: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """(objects, rows, cols): 1 at the cell of an object's middle, falling off as a Gaussian of a fifth of its extent,
    within bounds: else large objects would be nearly all of the loss."""
    spread = (boxes[:, 2:] / 5).clamp(_MIN_RADIUS, _MAX_RADIUS)
    row, col = boxes[:, 1].clamp(0, len(y) - 1).floor() + 0.5, boxes[:, 0].clamp(0, len(x) - 1).floor() + 0.5
    across = torch.exp(-(((x - col[:, None]) / spread[:, :1]) ** 2) / 2)
    down = torch.exp(-(((y - row[:, None]) / spread[:, 1:]) ** 2) / 2)
    return down[:, :, None] * across[:, None, :]


def _inside(boxes: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """(boxes, rows, cols): the cells of each box, and half a cell around it."""
    down = (y - boxes[:, 1:2]).abs() * 2 <= boxes[:, 3:4] + 1
    across = (x - boxes[:, 0:1]).abs() * 2 <= boxes[:, 2:3] + 1
    return down[:, :, None] & across[:, None, :]


AutoConfig.register(CentreDetectorConfig.model_type, CentreDetectorConfig, exist_ok=True)
AutoModelForObjectDetection.register(CentreDetectorConfig, CentreDetector, exist_ok=True)
