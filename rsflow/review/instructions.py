"""Corrected texts of instructions."""

from __future__ import annotations

from typing import Any

from rsflow.instructions import instruction_id
from rsflow.records import Instruction
from rsflow.review.decisions import REVIEWED
from rsflow.review.resolve import TileDecisions
from rsflow.text.turns import Turn


def corrected_turns(row: dict[str, Any], decided: TileDecisions) -> list[dict[str, str]] | None:
    """The turns that an INSTRUCTIONS row is to have after its correction, and those of its result; None where it was not
    corrected."""
    turns, name, passed = None, row["instruction_id"], set[str]()
    while (decision := decided.instructions.get(name)) and decision.action == "correct" and name not in passed:
        passed.add(name)
        turns = (decision.after or {})["turns"]
        name = instruction_id(row["tile_id"], as_instruction(row, turns, {}))
    return turns


def as_instruction(row: dict[str, Any], turns: list[dict[str, str]], answer: dict[str, Any]) -> Instruction:
    """An INSTRUCTIONS row with the turns that a person wrote."""
    boxes = tuple(tuple(box) for box in row["boxes"] or ())
    dialogue = tuple(Turn("user" if turn["role"] == "user" else "assistant", turn["text"]) for turn in turns)
    return Instruction(row["task"], dialogue, boxes, (), answer, REVIEWED)
