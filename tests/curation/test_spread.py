"""However a whole is cut into tasks, and wherever these are done, what comes back is the same."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from rsflow.curation.duplicates.pairs.hamming import Indices, iter_cross_pairs, iter_near_pairs
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner


def elsewhere(function: Callable[..., Iterator[Any]], pieces: Sequence[Any], shared: tuple[Any, ...]) -> Iterator[Any]:
    """As another process would: on copies."""
    for piece in pieces:
        work, own, others = pickle.loads(pickle.dumps((function, piece, shared)))
        yield from list(work(own, *others))


def in_order(pieces: Iterator[Indices]) -> list[tuple[int, int]]:
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *pieces])
    return sorted(map(tuple, pairs.tolist()))


def test_pieces_are_done_in_their_order() -> None:
    def counted(piece: int, step: int) -> Iterator[int]:
        yield from range(0, piece, step)

    assert list(LOCAL_RUNNER.each(counted, [3, 0, 5], (2,))) == [0, 2, 0, 2, 4]


@pytest.mark.parametrize("tasks", [2, 7, 450])
def test_near_pairs_are_the_same_in_any_number_of_tasks(tasks: int) -> None:
    random = np.random.default_rng(tasks)
    values = random.integers(0, 2**64, 400, dtype=np.uint64)
    values[200:] = values[:200] ^ (np.uint64(1) << random.integers(0, 64, 200, dtype=np.uint64))
    runner = TaskRunner(elsewhere, tasks)
    near = in_order(iter_near_pairs(values, 4, runner))
    assert near == in_order(iter_near_pairs(values, 4))
    assert len(near) >= 200
    crossed = in_order(iter_cross_pairs(values[:200], values[200:], 4, runner))
    assert crossed == in_order(iter_cross_pairs(values[:200], values[200:], 4))
    assert len(crossed) >= 200
