"""Visual question answering by an image-text-to-text model: fixed questions about every picture, each answer a label.

An answer is worth keeping only where it is short and finished, for the sets that are trained on answer in a word or a
number; one that ran into `max_tokens` is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.config.validation import Positive
from rsflow.labellers.models.chat import Answer, Text, open_chat, token_usage
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, ModelLabeller, OpenedModel
from rsflow.records import Label


@dataclass(frozen=True, kw_only=True)
class Answerer(ModelLabeller):
    """`hint` follows every question that the model is asked, and is no part of the label's question."""

    name: ClassVar[str] = "answerer"

    questions: tuple[Text, ...] = ()
    hint: str = "Answer in one word or a short phrase."
    max_tokens: Positive = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.questions:
            raise ValueError("questions is empty: give what to ask of every picture")

    @property
    def prompt(self) -> str:
        return "\n".join(self._prompt_for(question) for question in self.questions)

    def open(self) -> OpenedModel:
        chat = open_chat(self, self.max_tokens)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return [chat.prepare(batch, self._prompt_for(question)) for question in self.questions]

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            columns = [chat.ask(question_inputs) for question_inputs in inputs]
            return [LabellerOutput(self.labels(answers), usage=token_usage(answers)) for answers in zip(*columns, strict=True)]

        return OpenedModel(prepare, infer)

    def labels(self, answers: Sequence[Answer]) -> tuple[Label, ...]:
        pairs = zip(self.questions, answers, strict=True)
        kept = [(question, answer.text.rstrip(".").strip()) for question, answer in pairs if answer.finished]
        return tuple(Label("question", answer, self.origin, text=question) for question, answer in kept if answer)

    def _prompt_for(self, question: str) -> str:
        return f"{question} {self.hint}".strip()
