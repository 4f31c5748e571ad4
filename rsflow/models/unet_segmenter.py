"""A semantic segmentation network of one U-Net: an AutoModelForSemanticSegmentation that learns from scratch in minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForSemanticSegmentation, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SemanticSegmenterOutput

from rsflow.models.unet import WIDTHS, UNet

NOT_LEARNED = 255  # in a map of classes: a pixel of which nothing is known


class UNetSegmenterConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """`widths`: channels of the U-Net's levels."""

    model_type = "rsflow_unet_segmenter"

    def __init__(self, widths: Sequence[int] = WIDTHS, **settings: Any) -> None:
        self.widths = list(widths)
        super().__init__(**settings)


class UNetSegmenter(PreTrainedModel):  # type: ignore[no-untyped-call]
    config_class = UNetSegmenterConfig
    base_model_prefix = "network"
    main_input_name = "pixel_values"

    def __init__(self, config: UNetSegmenterConfig) -> None:
        super().__init__(config)
        self.network = UNet(config.widths)
        self.classes = nn.Conv2d(config.widths[0], len(config.id2label or ()), 1)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None, **_: Any) -> SemanticSegmenterOutput:
        """`labels` (batch, rows, cols): class numbers, NOT_LEARNED where nothing is known. Logits have a quarter of the rows
        and columns."""
        logits = self.classes(self.network(pixel_values))
        if labels is None:
            return SemanticSegmenterOutput(logits=logits)
        larger = functional.interpolate(logits, labels.shape[-2:], mode="bilinear", align_corners=False)
        return SemanticSegmenterOutput(loss=functional.cross_entropy(larger, labels, ignore_index=NOT_LEARNED), logits=logits)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


AutoConfig.register(UNetSegmenterConfig.model_type, UNetSegmenterConfig, exist_ok=True)
AutoModelForSemanticSegmentation.register(UNetSegmenterConfig, UNetSegmenter, exist_ok=True)
