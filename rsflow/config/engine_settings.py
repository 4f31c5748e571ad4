"""How work is run, and what models may spend while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Positive


@dataclass(frozen=True)
class Engine:
    """How work is run; nothing here changes a byte of the output.

    `address`: a running cluster's (default: RAY_ADDRESS, else a local one). `workers`: tasks at a time (default: all CPUs).
    `select`: whether the select phase reads its tables in this process or on the cluster (auto: there where they are long).
    """

    __pydantic_config__ = STRICT
    kind: Literal["ray", "inline"] = "ray"
    workers: Positive | None = None
    address: str | None = None
    attempts: Positive = 3  # after so many crashes of its worker a unit is rejected
    stall_seconds: Positive = 900  # no progress for so long fails the run
    commit_seconds: Annotated[float, Field(gt=0)] = 10.0  # how often receipts are committed
    select: Literal["auto", "local", "ray"] = "auto"

    def __post_init__(self) -> None:
        if self.select == "ray" and self.kind == "inline":
            raise ValueError("select is ray, kind is inline: without a cluster it can be auto or local")


@dataclass(frozen=True)
class Budget:
    """What models may spend in one run; at any of these it stops, and the next run goes on with as much again.

    `requests` that generating models send are counted one by one, retries too; `tokens` and `money` are passed by no more than
    the requests that are in flight when they are reached.

    `money` in the unit of the engine's prices. `gpu_hours` count a pool at its full size for as long as it runs.
    """

    __pydantic_config__ = STRICT
    tokens: Positive | None = None
    requests: Positive | None = None
    money: Annotated[float, Field(gt=0)] | None = None
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
