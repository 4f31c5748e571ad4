"""Work that may be done in pieces, anywhere: the choice cuts it, who calls it says where it is done.

One idea: a generator function, pieces of work, and what all pieces share. All that the function yields comes back in the order
of the pieces, so where it was done cannot be told from the result. This folder knows one place, this process; the engine knows
another, tasks of a cluster, which are worth their start for work that is cut into several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# (function, pieces, shared) -> all that function(piece, *shared) yields, piece after piece
MapTasks = Callable[[Callable[..., Iterator[Any]], Sequence[Any], tuple[Any, ...]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """`each` does pieces of work; `tasks` is how many a whole is best cut into."""

    each: MapTasks
    tasks: int = 1


def _run_locally(function: Callable[..., Iterator[Any]], pieces: Sequence[Any], shared: tuple[Any, ...]) -> Iterator[Any]:
    for piece in pieces:
        yield from function(piece, *shared)


LOCAL_RUNNER = TaskRunner(_run_locally)
