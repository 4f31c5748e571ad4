"""What a model is asked to write of a tile, and what its answers become. Pure: nothing here asks anybody.

One idea: the labels are the truth and the model is the pen. A prompt hands the labels over as facts, asks for JSON of a stated
form, and what comes back is read into the same instructions that rules make. Whether it is true is for the checks to say.
"""

from __future__ import annotations

from rsflow.instructions.prompts.answer_schemas import parse_answer
from rsflow.instructions.prompts.kinds import KINDS, PromptContext, PromptText, TextKind, prompt_digests, repair_prompt

__all__ = ["KINDS", "VERSION", "PromptContext", "PromptText", "TextKind", "parse_answer", "prompt_digests", "repair_prompt"]

VERSION = 1  # raised when the facts are worded otherwise, or an answer becomes other instructions
