"""What is trained on under the chat templates that model families ship, which TRL keeps beside marked variants of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rsflow.errors import ConfigError
from rsflow.loading.collate import IGNORED, collate
from rsflow.training.model.base_model import check_prompt_tokens
from tests.loading.test_collate import QWEN, PicturesOnly, tokenizer

trl = pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
GEMMA = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
# Of llava-hf/llava-onevision-qwen2-0.5b-ov-hf and llava-hf/llava-1.5-7b-hf, without what they do with videos.
ONEVISION = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + ' '}}{% for content in message['content'] | "
    "selectattr('type', 'equalto', 'image') %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}{% endfor %}{% for content in "
    "message['content'] | selectattr('type', 'equalto', 'text') %}{% if message['role'] == 'assistant' %}{% generation %}"
    "{{ '\\n' + content['text'] }}{% endgeneration %}{% else %}{{ '\\n' + content['text'] }}{% endif %}{% endfor %}"
    "{{'<|im_end|>'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
OPEN = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}{% for content in message['content'] %}"
    "{{ '<image>\\n' if content['type'] == 'image' else content['text'] + ' ' }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def qwen(template: str) -> Any:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    words = tokenizer(QWEN, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    words.image_token, words.video_token = "<|image_pad|>", "<|video_pad|>"
    return PicturesOnly(Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56), words, chat_template=template)


def gemma3(template: str) -> Any:
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    words = tokenizer(["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", *GEMMA.values()])
    usual = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "extra_special_tokens": GEMMA}
    words = transformers.PreTrainedTokenizerFast(tokenizer_object=words.backend_tokenizer, **usual)
    pictures = Gemma3ImageProcessorPil(size={"height": 28, "width": 28})
    return transformers.Gemma3Processor(pictures, words, chat_template=template, image_seq_length=4)


def llava(template: str) -> Any:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = tokenizer(["<pad>", "<s>", "</s>", "<image>"], pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    return transformers.LlavaProcessor(
        pictures, words, patch_size=14, vision_feature_select_strategy="default", chat_template=template,
        num_additional_image_tokens=1,
    )  # fmt: skip


def idefics3(template: str) -> Any:
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>"]
    rows = [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    words = tokenizer(
        ["<pad>", "<|begin_of_text|>", "<|im_start|>", *marks, *rows], pad_token="<pad>", eos_token="<end_of_utterance>"
    )
    words.bos_token = "<|im_start|>" if "<|im_start|>" in template else "<|begin_of_text|>"
    pictures = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    return transformers.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=template)


TURNS = [
    ("user", "How many ships are there?"),
    ("assistant", "Two ships at the quay."),
    ("user", "Where?"),
    ("assistant", "at [1, 2, 10.5, 20]"),
]


def example() -> dict[str, Any]:
    turns = [{"role": role, "text": text} for role, text in TURNS]
    image = torch.arange(3 * 40 * 60).remainder(251).to(torch.uint8).reshape(3, 40, 60)
    return {"key": "a", "image": image, "sensor": "optical", "instructions": [{"task": "vqa", "turns": turns, "boxes": []}]}


def learned(processor: Any) -> str:
    batch = collate(processor)([example()])
    return str(processor.tokenizer.decode(batch["labels"][0][batch["labels"][0] != IGNORED]))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gemma3", gemma3),
        ("qwen2_5_vl", qwen),
        ("qwen3_vl", qwen),
        ("idefics3", idefics3),
        ("smolvlm", idefics3),
        ("llava_next", llava),
    ],
)
def test_what_is_learned_is_what_the_marked_variant_of_a_released_template_marks(
    name: str, family: Callable[[str], Any]
) -> None:
    processor = family((TEMPLATES / f"{name}.jinja").read_text())
    check_prompt_tokens(processor)
    messages = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in TURNS]
    messages[0]["content"].insert(0, {"type": "image"})  # type: ignore[attr-defined]  # a list, see above
    marked = processor.tokenizer.apply_chat_template(
        messages,
        chat_template=(TEMPLATES / f"{name}_training.jinja").read_text(),
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids = [number for number, mark in zip(marked["input_ids"], marked["assistant_masks"], strict=True) if mark]
    # LLaVA-NeXT's template ends with a space after </s>, which the marked variant leaves out.
    assert learned(processor).rstrip() == processor.tokenizer.decode(ids).rstrip()


def test_an_end_token_right_after_a_marked_answer_is_learned() -> None:
    processor = qwen(ONEVISION)
    assert learned(processor).replace(" ", "") == "".join(f"\n{TURNS[i][1]}<|im_end|>" for i in (1, 3)).replace(" ", "")
    check_prompt_tokens(processor)  # its prompt has a space less before the line break


def test_a_template_that_never_closes_an_answer_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="rsflow.loading"):
        collate(llava(OPEN))
    assert "the chat template of LlavaProcessor closes answers with no special token" in caplog.text
    caplog.clear()
    collate(llava((TEMPLATES / "llava_next.jinja").read_text()))
    assert not caplog.records


def test_a_prompt_with_other_words_than_training_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ends a prompt with ' ASSISTANT:\\n', but in training .*ASSISTANT: ' stands"):
        check_prompt_tokens(llava(OPEN.replace("'ASSISTANT:'", "'ASSISTANT:\\n'")))
