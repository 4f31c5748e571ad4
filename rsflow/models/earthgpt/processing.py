"""The processor: pictures padded to a square and resized, text with one image token for each place of the ViT's grid.

The padding is MMRS's, so that boxes in its dialect (shares of the padded square) are right. The template is ours: the paper
shows none.
"""

from __future__ import annotations

from typing import Any

from transformers import LlavaProcessor
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

IMAGE_TOKEN = "<image>"
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>", IMAGE_TOKEN)

# No space at the end: it would be one token with the answer's first word in training, and one of its own in a prompt.
SPEAKERS = ("Human:\n", "Assistant:\n")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'][0]['text'] + '\n' }}"
    "{% else %}{{ 'Human:\n' if message['role'] == 'user' else 'Assistant:\n' }}"
    "{% for content in message['content'] if content['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for content in message['content'] if content['type'] == 'text' %}{{ content['text'] }}{% endfor %}"
    "{{ '</s>' if message['role'] == 'assistant' else '\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}Assistant:\n{% endif %}"
)


class EarthGPTProcessor(LlavaProcessor):
    """LLaVA's, whose pictures stand for all places of the grid and no token more."""


def make_processor(tokenizer: Any, size_px: int, patch_size: int) -> EarthGPTProcessor:
    """A processor for pictures of size_px × size_px. The tokenizer has SPECIAL_TOKENS, and adds none to a text by itself."""
    pictures = LlavaImageProcessorPil(
        do_pad=True, size={"height": size_px, "width": size_px}, do_center_crop=False, do_convert_rgb=True
    )
    return EarthGPTProcessor(  # type: ignore[no-untyped-call]
        pictures, tokenizer, patch_size=patch_size, vision_feature_select_strategy="full", chat_template=CHAT_TEMPLATE,
        image_token=IMAGE_TOKEN, num_additional_image_tokens=0,
    )  # fmt: skip
