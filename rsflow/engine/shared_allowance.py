"""One allowance for all workers of a step: in this process, or as an actor of the cluster that they ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rsflow.config.settings import Engine
from rsflow.engine.execute import keep_cluster
from rsflow.engine.stop_signals import stop_on_signal
from rsflow.generation import Allowance, LocalAllowance

INTERRUPTED = "interrupted"


@contextmanager
def shared_allowance(limits: Mapping[str, float], engine: Engine) -> Iterator[Allowance]:
    """An allowance with these limits. Ctrl-C stops it, and is raised when the block has ended."""
    if engine.kind == "inline":
        allowance: Allowance = LocalAllowance(limits)
    else:
        from rsflow.engine.cluster.ray_allowance import RayAllowance

        keep_cluster(engine)
        allowance = RayAllowance.start(limits)
    with stop_on_signal(lambda: allowance.stop(INTERRUPTED)):
        yield allowance
