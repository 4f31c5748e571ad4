"""Questions to an image-text-to-text model: what captions and answers have in common.

The model's processor decides the prompt: its chat template formats the question with its picture and opens the answer
(https://huggingface.co/docs/transformers/tasks/image_text_to_text), for LLaVA, Qwen-VL, InternVL, SmolVLM and the others
behind `AutoModelForImageTextToText`. Decoding is greedy, so the same picture and question give the same answer. An answer that
was cut off at `max_tokens` is marked as unfinished.

In a question `{picture}` stands for the name of a picture of its sensor ("infrared remote sensing image").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from rsflow.errors import ConfigError
from rsflow.labellers.models.model_labeller import LabellerInput, ModelLabeller, not_finite_error
from rsflow.pretrained.checkpoint import Loaded
from rsflow.sensors import SENSORS

Text = Annotated[str, Field(min_length=1)]


class Answer(NamedTuple):
    """What a model wrote to one question, and how many tokens it read and wrote."""

    text: str
    finished: bool
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Chat:
    """A model that can be asked."""

    loaded: Loaded
    max_tokens: int

    def prepare(self, batch: Sequence[LabellerInput], question: str) -> Any:
        """One question about each of the pictures as the model's batch."""
        return self.loaded.processor.apply_chat_template(
            [_chat_message(item, question) for item in batch],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",  # SmolVLM's takes no notice of it among the others
            processor_kwargs={"padding": True},
        )

    def ask(self, inputs: Any) -> list[Answer]:
        """The answers to a prepared batch. DataError `not_finite` where the model's logits are no numbers."""
        model = self.loaded.model
        read = inputs["attention_mask"].sum(dim=1).tolist()
        start = inputs["input_ids"].shape[1]
        written = self._generate(inputs)[:, start:].tolist()
        ends = model.generation_config.eos_token_id
        end_tokens = set(ends if isinstance(ends, list) else [ends])
        return [self._decode(tokens, count, end_tokens) for tokens, count in zip(written, read, strict=True)]

    def _generate(self, inputs: Any) -> Any:
        from transformers import LogitsProcessorList

        from rsflow.pretrained.finite_logits import FiniteLogits, NotFiniteLogitsError

        settings = {"do_sample": False, "max_new_tokens": self.max_tokens}
        try:
            return self.loaded.run(
                self.loaded.model.generate, inputs, **settings, logits_processor=LogitsProcessorList([FiniteLogits()])
            )
        except NotFiniteLogitsError as error:
            raise not_finite_error(str(error)) from error

    def _decode(self, tokens: list[int], read: int, end_tokens: set[int]) -> Answer:
        end = next((place for place, token in enumerate(tokens) if token in end_tokens), None)
        answer_tokens = tokens if end is None else tokens[:end]
        text = self.loaded.processor.tokenizer.decode(answer_tokens, skip_special_tokens=True)
        return Answer(" ".join(text.split()), end is not None, read, len(answer_tokens) + (end is not None))


def open_chat(labeller: ModelLabeller, max_tokens: int) -> Chat:
    """Load a labeller's model for asking. Raises RsflowError where it cannot be loaded or has no chat template."""
    loaded = labeller.load("AutoModelForImageTextToText")
    if not getattr(loaded.processor, "chat_template", None):
        raise ConfigError(f"{labeller.model}: its processor has no chat template, so it is not known how to ask it")
    loaded.processor.tokenizer.padding_side = "left"  # generated tokens follow the prompt, so the prompt must end the row
    return Chat(loaded, max_tokens)


def _chat_message(item: LabellerInput, question: str) -> list[dict[str, Any]]:
    text = question.replace("{picture}", SENSORS[item.sensor].picture)
    content: list[dict[str, Any]] = [{"type": "image", "image": item.image}, {"type": "text", "text": text}]
    return [{"role": "user", "content": content}]


def token_usage(answers: Sequence[Answer]) -> dict[str, float]:
    """The usage of one picture's answers."""
    return {
        "tokens_in": float(sum(answer.tokens_in for answer in answers)),
        "tokens_out": float(sum(answer.tokens_out for answer in answers)),
    }
