"""The two ways to run the same stages: inline in this process, and on Ray Data. The resulting rows are the same.

One idea: a job is a stage and its work, cut into blocks; each block is one task. The results stream back to the driver as they
are ready, so receipts are committed while work goes on. Order is not kept: a block depends on nothing but itself and what it
makes is named by content, so keeping order would only hold finished receipts back behind a straggler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pyarrow as pa

from rsflow.config.settings import Engine
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.stage import Stage

BLOCK_BYTES = 16 * 2**20  # of input that a task should have at least, so that starting it costs little
BLOCK_UNITS = 32


_SESSION: ContextVar[ExitStack | None] = ContextVar("session", default=None)


@dataclass(frozen=True, slots=True)
class Job:
    stage: Stage
    blocks: Sequence[pa.Table]


@contextmanager
def session() -> Iterator[None]:
    """Keep the cluster that the first `execute` of the block starts until the block ends: starting one takes seconds."""
    with ExitStack() as stack:
        token = _SESSION.set(stack)
        try:
            yield
        finally:
            _SESSION.reset(token)


def keep_cluster(engine: Engine) -> None:
    """Start the cluster of the present session, or connect to it, where that was not done yet."""
    from rsflow.engine.cluster.ray_data import cluster

    stack = _SESSION.get()
    if stack is None:
        raise RuntimeError("no session is open")
    stack.enter_context(cluster(engine))


def execute(jobs: Sequence[Job], engine: Engine) -> Iterator[pa.Table]:
    """Run the jobs and yield what they make, in no stated order. Errors of a stage keep their type."""
    work = [job for job in jobs if job.blocks]
    if not work:
        return
    if engine.kind == "inline":
        yield from _inline(work)
        return
    # Ray's import alone takes seconds: it is paid only where Ray is used.
    from rsflow.engine.cluster.ray_data import cluster, run

    with ExitStack() as own:
        stack = _SESSION.get() or own
        stack.enter_context(cluster(engine))
        results = run([(job.stage, job.blocks) for job in work], engine)
        # The work has to end before its cluster: Ray Data's threads hang when theirs is gone. On an error or Ctrl-C in whoever
        # reads this, the traceback keeps this generator alive, so what closes it by itself would come too late.
        stack.callback(results.close)
        yield from results


@contextmanager
def task_runner(engine: Engine, many: bool) -> Iterator[TaskRunner]:
    """Where pieces of work are done: here, or as tasks of the cluster, with the same results.

    `engine.select` says where; left to us, `many` says whether a cluster is worth its start.
    """
    if engine.kind == "inline" or engine.select == "local" or (engine.select == "auto" and not many):
        yield LOCAL_RUNNER
        return
    from rsflow.engine.cluster.ray_data import SHARES, cluster, each_in_order

    with ExitStack() as own:
        (_SESSION.get() or own).enter_context(cluster(engine))
        yield TaskRunner(each_in_order, SHARES)


def _inline(jobs: Sequence[Job]) -> Iterator[pa.Table]:
    for job in jobs:
        function = job.stage.open()
        for block in job.blocks:
            yield from function(block)


def blocks_with(work: pa.Table, column: str, enough: int) -> list[pa.Table]:
    """Cut rows of work into blocks whose lists in `column` have `enough` items together, the last ones fewer."""
    counts = pa.compute.list_value_length(work[column]).to_pylist()
    blocks, start, items = [], 0, 0
    for i, count in enumerate(counts):
        items += count
        if items >= enough:
            blocks.append(work.slice(start, i + 1 - start))
            start, items = i + 1, 0
    return [*blocks, work.slice(start)] if start < work.num_rows else blocks


def blocks_of(work: pa.Table, sizes: Sequence[int], block_bytes: int = BLOCK_BYTES) -> list[pa.Table]:
    """Cut rows of work into blocks of at least `block_bytes` (the rows' `sizes` summed) or BLOCK_UNITS rows."""
    blocks, start, size = [], 0, 0
    for i, row_bytes in enumerate(sizes):
        size += row_bytes
        if size >= block_bytes or i + 1 - start >= BLOCK_UNITS:
            blocks.append(work.slice(start, i + 1 - start))
            start, size = i + 1, 0
    if start < work.num_rows:
        blocks.append(work.slice(start))
    return blocks
