"""Requests as a model's input tensors, and its tokens as text. The only module of this folder that imports torch.

The processor's own chat template and padding are used; sampling is added here, so that the random numbers belong to a row and
not to its batch.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, ClassVar

import jinja2
import torch
import transformers
from PIL import Image

from rsflow.errors import RsflowError
from rsflow.generation.contract import Failure, Request
from rsflow.pretrained.checkpoint import Loaded
from rsflow.pretrained.device import free_memory, is_out_of_memory, short_message
from rsflow.pretrained.finite_logits import FiniteLogits, NotFiniteLogitsError


class PictureError(ValueError):
    """The bytes of a request's picture are none that can be decoded."""


class ModelBatches:
    """One loaded model. `FAULTS`: exceptions that its input or a lack of memory can cause."""

    FAULTS: ClassVar = (RuntimeError, ValueError, IndexError, MemoryError)

    def __init__(self, loaded: Loaded) -> None:
        self.loaded, self.model, self.processor = loaded, loaded.model, loaded.processor
        if not getattr(self.processor, "chat_template", None):
            raise RsflowError(
                "engine transformers: the model's processor has no chat template, so it is not known how to ask it"
            )
        words = self.processor.tokenizer
        words.padding_side = "left"
        if words.pad_token_id is None:
            words.pad_token = words.eos_token
        ends = self.model.generation_config.eos_token_id
        ends = words.eos_token_id if ends is None else ends
        self._end_tokens = set(ends if isinstance(ends, list) else [ends]) - {None}
        self._system_role = self._takes_system_role()

    def inputs(self, requests: Sequence[Request]) -> Any:
        """What the model is called with, on the CPU."""
        pictures = [[_decode_picture(data) for data in request.pictures] for request in requests]
        texts = [self.processor.apply_chat_template(self._chat_turns(r), add_generation_prompt=True) for r in requests]
        images = {"images": pictures} if any(pictures) else {}
        begin = self.processor.tokenizer.bos_token
        # Some templates write the begin-of-text token themselves: do not add a second one.
        once = {"add_special_tokens": False} if begin and texts[0].startswith(begin) else {}
        return self.processor(text=texts, **images, **once, return_tensors="pt", padding=True)

    def generate(self, requests: Sequence[Request], inputs: Any) -> list[tuple[str, int, int, bool]]:
        """(text, tokens in, tokens out, whether it ended by itself) of each row."""
        chance = [GumbelNoise(requests, self.loaded.device)] if any(request.temperature for request in requests) else []
        # Override the checkpoint's own sampling settings.
        plain = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "num_beams": 1}
        made = self.loaded.run(
            self.model.generate,
            inputs,
            **plain,
            max_new_tokens=requests[0].max_tokens,
            pad_token_id=self.processor.tokenizer.pad_token_id,
            logits_processor=transformers.LogitsProcessorList([FiniteLogits(), *chance]),
        )
        new = made[:, inputs["input_ids"].shape[1] :].cpu()
        texts = self.processor.batch_decode(new, skip_special_tokens=True)
        taken = inputs["attention_mask"].sum(dim=1).tolist()
        return [(text.strip(), n, *self._answer_length(row)) for text, n, row in zip(texts, taken, new.tolist(), strict=True)]

    def failure(self, error: Exception) -> Failure:
        if isinstance(error, PictureError):
            return Failure("picture_unreadable", short_message(error))
        if isinstance(error, NotFiniteLogitsError):
            return Failure("not_finite", short_message(error))
        if is_out_of_memory(error):
            free_memory()
            return Failure("out_of_memory", short_message(error))
        return Failure("model_failed", short_message(error))

    def _answer_length(self, row: list[int]) -> tuple[int, bool]:
        end = next((i for i, token in enumerate(row) if token in self._end_tokens), None)
        return (len(row), False) if end is None else (end + 1, True)

    def _chat_turns(self, request: Request) -> list[dict[str, Any]]:
        (role, first), *others = request.turns
        if request.system and not self._system_role:
            first = f"{request.system}\n\n{first}"
        turns = [{"role": role, "content": [*({"type": "image"} for _ in request.pictures), _text_part(first)]}]
        turns += [{"role": role, "content": [_text_part(text)]} for role, text in others]
        if request.system and self._system_role:
            turns.insert(0, {"role": "system", "content": [_text_part(request.system)]})
        return turns

    def _takes_system_role(self) -> bool:
        """Whether the chat template has a place for a system message; some refuse one, some leave it out."""
        self._system_role = True
        try:
            return "zebra" in self.processor.apply_chat_template(
                self._chat_turns(Request("zebra", "?")), add_generation_prompt=True
            )
        except jinja2.TemplateError:
            return False


def _text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


class GumbelNoise(transformers.LogitsProcessor):
    """Adds Gumbel noise of each row's own seed to its logits over the temperature: the largest is then a draw from them."""

    def __init__(self, requests: Sequence[Request], device: Any) -> None:
        self._temperatures = [request.temperature for request in requests]
        self._sources = [torch.Generator(device).manual_seed(request.seed) for request in requests]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        drawn = scores.float()
        for row, (temperature, source) in enumerate(zip(self._temperatures, self._sources, strict=True)):
            if temperature:
                noise = torch.empty(scores.shape[1], device=scores.device).exponential_(generator=source).log()
                drawn[row] = drawn[row] / temperature - noise
        return drawn


def _decode_picture(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"a picture of {len(data)} bytes cannot be decoded: {error}") from error
