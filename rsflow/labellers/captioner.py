"""Captions by an image-text-to-text model: what it says to one request, as a caption label.

One idea: a caption is whole sentences. What was cut off at `max_tokens` loses its unfinished end, and where no sentence was
finished there is no caption.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.config.validation import Positive
from rsflow.labellers.chat import Answer, Text, open_chat, spent
from rsflow.labellers.model_labeller import Eyes, ModelLabeller, Seen, Sight
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

    def open(self) -> Eyes:
        chat = open_chat(self, self.max_tokens)

        def prepare(sights: Sequence[Sight]) -> Any:
            return chat.prepare(sights, self.ask)

        def look(sights: Sequence[Sight], inputs: Any) -> list[Seen]:
            return [Seen(self.labels(answer), usage=spent([answer])) for answer in chat.ask(inputs)]

        return Eyes(prepare, look)

    def labels(self, answer: Answer) -> tuple[Label, ...]:
        whole = answer.text if answer.finished else sentences(answer.text)
        return (Label("caption", "", self.origin, text=whole),) if whole else ()


def sentences(text: str) -> str:
    """The text up to the end of its last finished sentence; empty where there is none."""
    found = _SENTENCES.match(text)
    return found[0] if found else ""
