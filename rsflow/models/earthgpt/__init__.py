"""EarthGPT's architecture (arXiv:2401.16822) as a model of `transformers`; importing this registers it with the Auto classes.

What the paper states is kept: a frozen DINOv2 ViT whose layers at several depths are taken, and a frozen ConvNeXt (CLIP's)
whose maps at several scales are taken, side by side; both brought to one grid and concatenated; one linear projection into a
LLaMA-type decoder. What it leaves open is a setting, and its default is ours: which layers, how maps are brought to the
grid (interpolation to the ViT's), along which axis features are concatenated (channels). Its weights were never released, so
a checkpoint is assembled from its parts, or has random weights.
"""

from __future__ import annotations

from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from rsflow.models.earthgpt.configuration import EarthGPTConfig
from rsflow.models.earthgpt.modeling import EarthGPTForConditionalGeneration
from rsflow.models.earthgpt.processing import EarthGPTProcessor, make_processor

__all__ = ["EarthGPTConfig", "EarthGPTForConditionalGeneration", "EarthGPTProcessor", "make_processor"]

AutoConfig.register(EarthGPTConfig.model_type, EarthGPTConfig, exist_ok=True)
AutoModelForImageTextToText.register(EarthGPTConfig, EarthGPTForConditionalGeneration, exist_ok=True)
AutoProcessor.register(EarthGPTConfig, EarthGPTProcessor, exist_ok=True)  # type: ignore[no-untyped-call]
AutoImageProcessor.register(EarthGPTConfig, image_processor_classes={"pil": LlavaImageProcessorPil}, exist_ok=True)
