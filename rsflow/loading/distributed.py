"""Which of how many ranks this process is, and what ranks must agree on.

One idea: what was given goes before the process group, that before the environment as torchrun sets it, and without any of them
there is one rank.
"""

from __future__ import annotations

import os

import torch.distributed

from rsflow.errors import ConfigError
from rsflow.loading.number_values import parse_integer


def check_ranks(rank: int | None, world_size: int | None) -> tuple[int, int] | None:
    """(rank, world size) as they were given, None where they were not. ConfigError where they cannot be."""
    if rank is None and world_size is None:
        return None
    if rank is None or world_size is None:
        raise ConfigError(f"rank {rank}, world_size {world_size}: expected both or neither")
    size = parse_integer("world_size", world_size, smallest=1)
    return parse_integer("rank", rank, size - 1), size


def broadcast_manifests(manifests: list[str]) -> list[str]:
    """What rank 0 of the process group says, so that a build which commits meanwhile cannot part the ranks."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.broadcast_object_list(manifests, src=0)
    return manifests


def get_rank_and_world_size() -> tuple[int, int]:
    """(rank, world size) of the process group, else of the environment (as torchrun sets it), else one process."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    rank, world_size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world_size is None:
        return 0, 1
    if not (rank.isdigit() and world_size.isdigit() and int(rank) < int(world_size)):
        raise ConfigError(f"environment RANK={rank!r}, WORLD_SIZE={world_size!r}: expected 0 <= RANK < WORLD_SIZE")
    return int(rank), int(world_size)
