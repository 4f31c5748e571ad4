"""The models of rsflow's own among the Auto classes of transformers, so that their checkpoints load like any other."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def register_own_models() -> None:
    """Make `from_pretrained` of the Auto classes know them. Done once in a process."""
    import transformers

    from rsflow.pretrained.centre_detector import CentreDetector, CentreDetectorConfig
    from rsflow.pretrained.unet_segmenter import UNetSegmenter, UNetSegmenterConfig

    auto: Any = transformers  # whose Auto classes have no types
    auto.AutoConfig.register(CentreDetectorConfig.model_type, CentreDetectorConfig)
    auto.AutoModelForObjectDetection.register(CentreDetectorConfig, CentreDetector)
    auto.AutoConfig.register(UNetSegmenterConfig.model_type, UNetSegmenterConfig)
    auto.AutoModelForSemanticSegmentation.register(UNetSegmenterConfig, UNetSegmenter)
