"""What a model is asked to write of a tile, and what its answers become. Pure: nothing here asks anybody.

A prompt hands the labels over as facts and asks for JSON of a stated form, sentences with their claims where the kind has
them. What comes back is reviewed against the facts by its claims, and what stands becomes the same instructions that rules
make. Answers without claims are judged by the checks afterwards.
"""

from __future__ import annotations

from rsflow.instructions.prompts.answer_schemas import parse_answer
from rsflow.instructions.prompts.custom_prompts import CustomPrompt, load_custom_prompts, text_kinds
from rsflow.instructions.prompts.kinds import KINDS, PromptContext, PromptText, TextKind, prompt_digests, repair_prompt
from rsflow.instructions.prompts.review_answer import ReviewedAnswer, review_answer

__all__ = [
    "KINDS",
    "VERSION",
    "CustomPrompt",
    "PromptContext",
    "PromptText",
    "ReviewedAnswer",
    "TextKind",
    "load_custom_prompts",
    "parse_answer",
    "prompt_digests",
    "repair_prompt",
    "review_answer",
    "text_kinds",
]

VERSION = 3  # raised when the facts are worded otherwise, or an answer becomes other instructions
