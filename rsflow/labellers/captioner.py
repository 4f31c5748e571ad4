"""Captions by an image-text-to-text model: what it says to one request, as a caption label.

A caption is whole sentences. What was cut off at `max_tokens` loses its unfinished end, and where no sentence was
finished there is no caption.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.config.validation import Positive
from rsflow.labellers.models.chat import Answer, Text, open_chat, token_usage
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, ModelLabeller, OpenedModel
from rsflow.records import Label

_SENTENCES = re.compile(r".*[.!?](?=\s|$)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Captioner(ModelLabeller):
    name: ClassVar[str] = "captioner"

    ask: Text = "Describe this {picture} in one sentence."
    max_tokens: Positive = 64

    @property
    def prompt(self) -> str:
        return self.ask

    def open(self) -> OpenedModel:
        chat = open_chat(self, self.max_tokens)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return chat.prepare(batch, self.ask)

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            return [LabellerOutput(self.labels(answer), usage=token_usage([answer])) for answer in chat.ask(inputs)]

        return OpenedModel(prepare, infer)

    def labels(self, answer: Answer) -> tuple[Label, ...]:
        whole = answer.text if answer.finished else finished_sentences(answer.text)
        return (Label("caption", "", self.origin, text=whole),) if whole else ()


def finished_sentences(text: str) -> str:
    """The text up to the end of its last finished sentence; empty where there is none."""
    found = _SENTENCES.match(text)
    return found[0] if found else ""
