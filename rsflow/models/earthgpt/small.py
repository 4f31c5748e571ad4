"""An EarthGPT of a few million parameters with random weights, and a tokenizer of its own made from texts: nothing to download.

One idea: the architecture whole, every part small, so that it can be trained from scratch on CPUs in minutes. Its encoders
know nothing at first, so unlike the paper's they have to be trained too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import ConvNextConfig, Dinov2Config, LlamaConfig

from rsflow.models.earthgpt.configuration import EarthGPTConfig
from rsflow.models.earthgpt.modeling import EarthGPTForConditionalGeneration
from rsflow.models.earthgpt.processing import IMAGE_TOKEN, SPEAKERS, SPECIAL_TOKENS, make_processor


@dataclass(frozen=True, slots=True)
class SmallSize:
    """Sizes of the parts. `size_px`: side of the pictures that it sees, a multiple of `patch_px`."""

    size_px: int = 96
    patch_px: int = 24
    vit_hidden: int = 128
    vit_layers: int = 3
    cnn_hidden: tuple[int, ...] = (32, 64, 128, 256)
    hidden: int = 128
    layers: int = 3
    vocabulary: int = 1200


def write_small_checkpoint(folder: Path, texts: Iterable[str], size: SmallSize, seed: int) -> int:
    """Write model and processor as save_pretrained does; returns the number of parameters. `texts`: what words are made
    from."""
    tokenizer = train_tokenizer((f"{speaker}{text}" for text in texts for speaker in SPEAKERS), size.vocabulary)
    heads = 4
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=size.hidden, intermediate_size=3 * size.hidden, num_hidden_layers=size.layers,
        num_attention_heads=heads, num_key_value_heads=heads, max_position_embeddings=2048, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    vit = Dinov2Config(
        hidden_size=size.vit_hidden, num_hidden_layers=size.vit_layers, num_attention_heads=heads, mlp_ratio=3,
        image_size=size.size_px, patch_size=size.patch_px, layerscale_value=1.0,
    )  # fmt: skip
    cnn = ConvNextConfig(hidden_sizes=list(size.cnn_hidden), depths=[1] * len(size.cnn_hidden), layer_scale_init_value=1.0)
    torch.manual_seed(seed)
    config = EarthGPTConfig(vit, cnn, text, image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN))
    model = EarthGPTForConditionalGeneration(config)
    model.save_pretrained(folder)
    make_processor(tokenizer, size.size_px, size.patch_px).save_pretrained(folder)
    return sum(value.numel() for value in model.parameters())


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Byte-level BPE: any text has tokens. The same texts give the same tokenizer."""
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL_TOKENS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    inner.train_from_iterator(texts, trainer)
    made: Any = transformers.PreTrainedTokenizerFast
    return made(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        extra_special_tokens={"image_token": IMAGE_TOKEN},
    )  # fmt: skip
