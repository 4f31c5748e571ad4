"""Engines: how a model is asked to write.

A literal table. An engine is a frozen dataclass with the interface `contract.Engine`; which model, where it runs and what it
costs are its settings. To add one, write a file and name it below. Without an engine (the default) only rules write.
"""

from __future__ import annotations

import difflib
from typing import Any

from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.generation.batch_endpoint import BatchEndpoint
from rsflow.generation.contract import Attempts, Engine, Failure, Generate, Request, Response
from rsflow.generation.endpoint import Endpoint
from rsflow.generation.local_model import LocalModel
from rsflow.generation.recording import RecordedEngine
from rsflow.generation.spending.allowance import Allowance, LocalAllowance
from rsflow.generation.vllm_model import VllmModel

ENGINES: dict[str, type[Engine]] = {
    LocalModel.name: LocalModel,
    Endpoint.name: Endpoint,
    BatchEndpoint.name: BatchEndpoint,
    VllmModel.name: VllmModel,
}

__all__ = [
    "ENGINES",
    "Allowance",
    "Attempts",
    "Engine",
    "Failure",
    "Generate",
    "LocalAllowance",
    "RecordedEngine",
    "Request",
    "Response",
    "from_settings",
]


def from_settings(settings: dict[str, Any]) -> Engine:
    """The engine that a configuration asks for: `name` and that engine's own keys. Nothing is opened.

    Raises ConfigError that lists the known names, or the known keys, where one is unknown.
    """
    own = dict(settings)
    name = own.pop("name", None)
    if name not in ENGINES:
        close = difflib.get_close_matches(str(name), ENGINES, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"generation.engine: name is {name!r}: {hint}known engines: {', '.join(ENGINES)}")
    return check(ENGINES[name], own, f"engine {name}")
