"""Special tokens and control characters: a text that holds one is read by a model as a command (rsflow.text.control_tokens)."""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.text.control_tokens import find_control_token


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for turn, said in enumerate(talk.instruction.turns):
        if found := find_control_token(said.text):
            yield Finding("control_text", turn, found, "plain text", found, True)
