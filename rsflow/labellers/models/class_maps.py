"""How probable each class is at each pixel, by segmentation models of both kinds that transformers has.

One idea: a semantic model (SegFormer, UPerNet, DPT) gives a map per class; a universal one (Mask2Former, MaskFormer, EoMT)
gives masks with the classes of each, which add up to such maps: the sum over masks of class probability times mask
(https://arxiv.org/abs/2107.06278, section 3.4). Which kind a checkpoint is follows from its configuration. OneFormer, which is
asked its task in words, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rsflow.errors import ConfigError
from rsflow.labellers.models.model_labeller import LabellerInput, require_finite
from rsflow.labellers.models.model_words import model_words
from rsflow.labellers.models.raw_input import RawModelLabeller
from rsflow.pretrained.checkpoint import Loaded

Shares = npt.NDArray[np.float32]

SEMANTIC, UNIVERSAL = "AutoModelForSemanticSegmentation", "AutoModelForUniversalSegmentation"
_CLASS_LOGITS, _MASK_LOGITS = ("class_queries_logits", "logits"), ("masks_queries_logits", "pred_masks")


class ClassMaps(NamedTuple):
    """An opened segmentation model: `prepare` makes its inputs of a batch, `shares` gives (pictures, classes, rows, cols) of
    the pictures' own size; they add up to 1 at each pixel."""

    words: dict[int, str]
    prepare: Callable[[Sequence[LabellerInput]], Any]
    shares: Callable[[Sequence[LabellerInput], Any], Shares]


@dataclass(frozen=True, kw_only=True)
class ClassMapLabeller(RawModelLabeller):
    """A labeller that names the class of every pixel."""

    def open_maps(self) -> ClassMaps:
        kind = self._files().first_fitting(SEMANTIC, UNIVERSAL)
        loaded = self.load(kind, "AutoImageProcessor")
        if loaded.model.config.model_type == "oneformer":
            raise ConfigError(f"labeller {self.name}: {self.model} is a OneFormer, whose task is asked in words: take another")
        self.check_channels(loaded)
        maps = _semantic_maps if kind == SEMANTIC else _universal_maps

        def shares(batch: Sequence[LabellerInput], inputs: Any) -> Shares:
            found: Shares = maps(loaded, inputs, batch[0].size).cpu().numpy()
            return found

        return ClassMaps(model_words(loaded.model.config), lambda batch: self.model_inputs(loaded, batch), shares)


def _semantic_maps(loaded: Loaded, inputs: Any, size: tuple[int, int]) -> Any:
    from torch.nn.functional import interpolate

    logits = require_finite(loaded(inputs), "logits").logits
    return interpolate(logits, size, mode="bilinear", align_corners=False).softmax(dim=1)


def _universal_maps(loaded: Loaded, inputs: Any, size: tuple[int, int]) -> Any:
    import torch
    from torch.nn.functional import interpolate

    output = require_finite(loaded(inputs), *_CLASS_LOGITS, *_MASK_LOGITS)
    classes, masks = (
        next(found for name in names if (found := getattr(output, name, None)) is not None)
        for names in (_CLASS_LOGITS, _MASK_LOGITS)
    )
    named = classes.float().softmax(dim=-1)[..., :-1]  # the last is "no object"
    maps = torch.einsum("bqc,bqhw->bchw", named, masks.float().sigmoid())
    maps = interpolate(maps, size, mode="bilinear", align_corners=False)
    return maps / maps.sum(dim=1, keepdim=True).clamp_min(1e-9)
