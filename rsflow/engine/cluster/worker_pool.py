"""How many workers a model gets: as many as its work can feed, from the start.

One idea: all of a model's work is known before it begins, so its pool need not find out how large it should be. Ray Data's own
growth follows use: it begins when the first model is loaded and goes in steps, each as long as a model takes to load; it loads
models for work that is done before they are ready; and it asks for no device that the cluster has not got yet
(https://github.com/ray-project/ray/issues/59144). Workers that cannot be placed at once wait for a device that comes free or is
added, and hold up nothing.
"""

from __future__ import annotations

from math import ceil

WORTH = 4  # blocks of work that one more worker is started for: it has to load its model first


def pool_size(workers: int | tuple[int, int], blocks: int) -> tuple[int, int]:
    """The least workers that a pool is kept at, and those that it starts with and never exceeds: of the stated least and most,
    what so many blocks can feed."""
    low, high = workers if isinstance(workers, tuple) else (workers, workers)
    most = max(low, min(high, ceil(blocks / WORTH)))
    return min(low, blocks), min(most, blocks)
