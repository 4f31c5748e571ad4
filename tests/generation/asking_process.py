"""A process that asks an engine through the record of a lake: SETTINGS (JSON) ROOT REQUESTS LIMITS (JSON)."""

from __future__ import annotations

import json
import sys
from typing import Any

from rsflow.config.settings import Engine
from rsflow.engine.shared_allowance import shared_allowance
from rsflow.generation import Allowance, LocalAllowance, RecordedEngine, Request, from_settings

PADDING = "A long system prompt. " * 25  # so long that no server here charges more than a run expects at most
PRICES = {"per_million_in": 2.5, "per_million_out": 10.0}


def endpoint(address: str, concurrency: int, timeout_seconds: float = 10.0) -> dict[str, Any]:
    limits = {"concurrency": concurrency, "attempts": 3, "first_wait_seconds": 0.01, "timeout_seconds": timeout_seconds}
    return {"name": "openai", "model": "writer", "address": address, "key": None, "prices": PRICES, "limits": limits}


def recorded(settings: dict[str, Any], root: str, allowance: Allowance | None = None) -> RecordedEngine:
    engine = from_settings(settings)
    return RecordedEngine(engine, root, engine.model_identity, allowance or LocalAllowance())


def questions(number: int) -> list[Request]:
    kinds = ("description", "reasoning")
    return [Request(PADDING, f"question {i}", max_tokens=64, source=f"s{i % 3}", kind=kinds[i % 2]) for i in range(number)]


if __name__ == "__main__":
    settings, root, number, limits = sys.argv[1:]
    with shared_allowance(json.loads(limits), Engine(kind="inline")) as allowance:
        asker = recorded(json.loads(settings), root, allowance)
        print("ready", flush=True)
        for _ in asker(questions(int(number))):
            pass
