"""Where pieces of work run: in this process, or as tasks of a cluster.

A generator function is applied to each piece with shared arguments; results come in the order of the pieces, so they do not
depend on where the work ran. The engine provides the runner for a cluster.
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
