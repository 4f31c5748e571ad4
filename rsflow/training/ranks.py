"""The processes that train one model together: joining them, and the sums they exchange.

One idea: a launcher (torchrun, Ray Train) sets the environment or the process group; here it is only joined. Without one
there is one rank, and nothing is exchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from rsflow.loading.distributed import get_rank_and_world_size
from rsflow.pretrained.device import Device, select_device

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among all: `rank` of `world_size`, and the device that it computes on."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, *values: float) -> list[float]:
        """The sums of each value over all ranks."""
        if self.world_size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return [float(value) for value in total.tolist()]

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, in their order, on every rank."""
        if self.world_size == 1:
            return [value]
        found: list[Any] = [None] * self.world_size
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.world_size > 1:
            dist.barrier()


@contextmanager
def join_ranks(device: Device) -> Iterator[Ranks]:
    """This process's rank, in a process group where there are several; one that was made here ends with the block."""
    kind = select_device(device)
    made = False
    rank, world_size = get_rank_and_world_size()
    if kind == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank % torch.cuda.device_count())))
    if world_size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if kind == "cuda" else "gloo")
        made = True
    place = torch.device(kind, torch.cuda.current_device()) if kind == "cuda" else torch.device(kind)
    try:
        yield Ranks(rank, world_size, place)
    finally:
        if made:
            dist.destroy_process_group()
