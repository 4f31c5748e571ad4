"""An allowance as an actor of the cluster, asked by workers on any of its machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray

from rsflow.generation import LocalAllowance
from rsflow.generation.contract import Cost


@dataclass(frozen=True)
class RayAllowance:
    """A handle of the actor; copies in workers are of the same one, which lives as long as the process that started it."""

    actor: Any

    @classmethod
    def start(cls, limits: Mapping[str, float]) -> RayAllowance:
        remote: Any = ray.remote(LocalAllowance)
        return cls(remote.options(num_cpus=0).remote(dict(limits)))

    def begin(self) -> bool:
        return bool(ray.get(self.actor.begin.remote()))

    def add(self, cost: Cost) -> None:
        ray.get(self.actor.add.remote(cost))

    def stop(self, reason: str) -> None:
        ray.get(self.actor.stop.remote(reason))

    def reason(self) -> str:
        return str(ray.get(self.actor.reason.remote()))
