"""Chains of reasoning: small programs over a tile's facts, run before they are written and again whenever they are verified.

`program` has the steps and runs them, `questions` what is asked and how a run reads in words.
"""

from __future__ import annotations

from rsflow.instructions.chains.program import ChainError, Run, replay, run_program

__all__ = ["ChainError", "Run", "replay", "run_program"]
