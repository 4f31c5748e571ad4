"""An EarthGPT assembled from pretrained parts: a DINOv2 ViT, a ConvNeXt and a LLaMA-type decoder.

One idea: every part keeps its weights; new are the projection, drawn at random, and the image token's row in the decoder's
embeddings. CLIP's ConvNeXt is published for open_clip; what is taken here is its form in transformers (`ConvNextModel`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

from rsflow.errors import ConfigError
from rsflow.models.earthgpt.configuration import EarthGPTConfig
from rsflow.models.earthgpt.modeling import EarthGPTForConditionalGeneration
from rsflow.models.earthgpt.processing import IMAGE_TOKEN, make_processor

_TYPES = {"vit": ("dinov2", "dinov2_with_registers"), "cnn": ("convnext", "convnextv2"), "text": ("llama", "mistral", "qwen2")}


def assemble(vit: str, cnn: str, text: str, folder: Path, size_px: int, seed: int = 0) -> None:
    """Write the model and its processor into `folder`. `vit`, `cnn`, `text`: folders that save_pretrained wrote. `size_px`:
    side of the pictures, a multiple of the ViT's patch. ConfigError where a part is of another kind, or the side does not
    fit."""
    autos: Any = (AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer)  # whose methods have no types
    configs, models, decoders, words = autos
    parts = {name: configs.from_pretrained(place) for name, place in (("vit", vit), ("cnn", cnn), ("text", text))}
    for name, part in parts.items():
        if part.model_type not in _TYPES[name]:
            raise ConfigError(f"{name}: found a model of type {part.model_type}, expected {' or '.join(_TYPES[name])}")
    patch = parts["vit"].patch_size
    if size_px % patch:
        raise ConfigError(f"size_px: found {size_px}, expected a multiple of the ViT's patch of {patch} pixels")
    tokenizer = words.from_pretrained(text)
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE_TOKEN]})
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.unk_token or tokenizer.eos_token
    decoder = decoders.from_pretrained(text, dtype="auto")
    if len(tokenizer) > decoder.get_input_embeddings().weight.shape[0]:
        decoder.resize_token_embeddings(len(tokenizer))
    torch.manual_seed(seed)
    image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    config = EarthGPTConfig(parts["vit"], parts["cnn"], decoder.config, image_token_id=image_token_id)
    model = EarthGPTForConditionalGeneration(config)
    model.vit, model.cnn = models.from_pretrained(vit, dtype="auto"), models.from_pretrained(cnn, dtype="auto")
    model.language_model = decoder
    model.save_pretrained(folder)
    make_processor(tokenizer, size_px, patch).save_pretrained(folder)
