"""A process that asks an endpoint through the record of a lake: ADDRESS ROOT REQUESTS CONCURRENCY LIMITS (JSON)."""

from __future__ import annotations

import json
import sys

from rsflow.config.settings import Engine
from rsflow.engine.shared_allowance import shared_allowance
from rsflow.generation import RecordedEngine, Request, from_settings

PRICES = {"per_million_in": 2.5, "per_million_out": 10.0}


def recorded(address: str, root: str, concurrency: int, allowance: object = None) -> RecordedEngine:
    limits = {"concurrency": concurrency, "attempts": 3, "first_wait_seconds": 0.01, "timeout_seconds": 10.0}
    settings = {"name": "openai", "model": "writer", "address": address, "key": None, "prices": PRICES, "limits": limits}
    engine = from_settings(settings)
    return RecordedEngine(engine, root, engine.model_identity, *([allowance] if allowance else []))  # type: ignore[list-item]


def questions(number: int) -> list[Request]:
    kinds = ("description", "reasoning")
    return [Request("", f"question {i}", max_tokens=64, source=f"s{i % 3}", kind=kinds[i % 2]) for i in range(number)]


if __name__ == "__main__":
    address, root, number, concurrency, limits = sys.argv[1:]
    with shared_allowance(json.loads(limits), Engine(kind="inline")) as allowance:
        asker = recorded(address, root, int(concurrency), allowance)
        print("ready", flush=True)
        for _ in asker(questions(int(number))):
            pass
