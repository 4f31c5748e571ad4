"""What a run may still spend: shared by all workers that send requests.

An attempt is allowed as long as no limit is reached and nobody has stopped the run, so a limit on requests is exact, and limits
on tokens and money are passed by no more than the requests that were in flight when they were reached.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rsflow.generation.contract import FREE, Cost


class Allowance(Protocol):
    def begin(self) -> bool:
        """Count one more attempt. False, and nothing is counted, where it must not be sent."""
        ...

    def add(self, cost: Cost) -> None:
        """Count what an attempt has cost."""
        ...

    def stop(self, reason: str) -> None:
        """Allow nothing more; the first reason stays."""
        ...

    def reason(self) -> str:
        """Why nothing more is allowed; empty while it is."""
        ...


@dataclass(slots=True)
class LocalAllowance:
    """Of one process. `limits`: by the name of the setting (`requests`, `tokens`, `money`); without one there is none."""

    limits: Mapping[str, float] = field(default_factory=dict)
    requests: int = 0
    cost: Cost = FREE
    _reason: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> bool:
        with self._lock:
            if not self._reason:
                self._reason = self._limit_reached()
            if self._reason:
                return False
            self.requests += 1
            return True

    def add(self, cost: Cost) -> None:
        with self._lock:
            self.cost += cost

    def stop(self, reason: str) -> None:
        with self._lock:
            self._reason = self._reason or reason

    def reason(self) -> str:
        return self._reason

    def _limit_reached(self) -> str:
        tokens = self.cost.tokens_in + self.cost.tokens_out
        for name, spent in (("requests", self.requests), ("tokens", tokens), ("money", self.cost.money)):
            limit = self.limits.get(name)
            if limit is not None and spent >= limit:
                return f"budget.{name}={limit:g} is spent ({spent:g})"
        return ""
