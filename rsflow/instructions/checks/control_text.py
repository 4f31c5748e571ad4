"""Special tokens and control characters: a text that holds one is read by a model as a command (rsflow.text.control_tokens)."""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import Conversation
from rsflow.text.control_tokens import find_control_token


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn, said in enumerate(conversation.instruction.turns):
        if found := find_control_token(said.text):
            yield Finding("control_text", turn, found, "plain text", found, True)
