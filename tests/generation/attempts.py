"""Attempts that are counted in memory, for engines that are asked without a lake."""

from __future__ import annotations

from rsflow.generation import LocalAllowance
from rsflow.generation.spending.attempt_log import AttemptLog


def counted(allowance: LocalAllowance | None = None) -> AttemptLog:
    return AttemptLog("memory://attempts", {}, allowance or LocalAllowance(), lambda request, outcome: None)
