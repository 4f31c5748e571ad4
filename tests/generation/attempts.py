"""Attempts that are counted in memory, for engines that are asked without a lake."""

from __future__ import annotations

from rsflow.files.record_store import FileRecords
from rsflow.generation import LocalAllowance
from rsflow.generation.spending.attempt_log import AttemptLog


def counted(allowance: LocalAllowance | None = None) -> AttemptLog:
    records = FileRecords("memory://attempts")
    return AttemptLog(
        records.root, records, {}, allowance or LocalAllowance(), lambda request, outcome: ("responses/one.json", b"{}")
    )
