"""Stages on Ray Data: the one module that touches its interfaces.

Decisions, each from a measured trap of Ray 2.60 (`ray>=2.60,<2.64`): one task per block of work, never default parallelism (it
splits blocks and disables fusion); no errored blocks are tolerated (a tolerated one is lost in silence); no progress for
`stall_seconds` fails the run; Ray's own retries of crashed workers are left unlimited because rsflow.lake.attempts bounds them
per unit; results are streamed to the driver and nothing is written through a Datasink (it is not atomic).

A local cluster is started with `address="local"` and stopped by its own handle: `ray stop` would kill every Ray on the host.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pyarrow as pa
import ray
import ray.data
from ray.data.exceptions import ExecutionTimeoutError
from ray.exceptions import RayError, RayTaskError

from rsflow.config.settings import Engine
from rsflow.engine.cluster.leftover_processes import mark_children, mark_session
from rsflow.engine.cluster.worker_pool import pool_size
from rsflow.errors import DeviceLostError, RsflowError
from rsflow.stage import Stage

MAX_PENDING = 64  # pieces under way: a finished one waits in memory for those before it

GRACE_SECONDS = 5.0  # for a cluster's processes to end by themselves

SHARES = 16  # tasks that a whole is cut into which nothing else cuts

T = TypeVar("T")

OBJECT_STORE_BYTES = 512 * 2**20  # work and receipts only: pixels never enter it


def run(jobs: Sequence[tuple[Stage, Sequence[pa.Table]]], engine: Engine) -> Generator[pa.Table, None, None]:
    """Run every job's stage over its blocks and yield the results as they finish. Needs a connection (see `cluster`), which has
    to outlive the generator: close it first."""
    # It prints a report of a hundred lines where rsflow reports an error in one; the session's log files keep the whole story.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "The maximum number of concurrent tasks", UserWarning)  # little work is no mistake
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = 0
    context.execution_no_progress_timeout_s = engine.stall_seconds
    context.execution_options.preserve_order = False
    with ray.data.DataContext.current(context):
        datasets = [apply(list(blocks), stage, engine) for stage, blocks in jobs]
        dataset = datasets[0].union(*datasets[1:]) if len(datasets) > 1 else datasets[0]
        batches = iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1))
        try:
            yield from batches
        except RayError as error:
            raise _cause(error) from error
        except ExecutionTimeoutError as error:
            raise RsflowError(
                f"no task came to an end in {engine.stall_seconds} s, so the run was ended; what was committed stays. A file "
                "system, a labeller or the cluster hangs (`ray status` shows free resources): run again, and raise "
                f"engine.stall_seconds={engine.stall_seconds} if a block of work may take longer than that"
            ) from error
        finally:
            getattr(batches, "close", lambda: None)()


def each_in_order(function: Callable[..., Iterator[T]], pieces: Sequence[Any], shared: tuple[Any, ...]) -> Iterator[T]:
    """All that `function(piece, *shared)` yields, piece after piece, as tasks. `shared` lies once in each machine's memory."""
    task: Any = ray.remote(lambda piece, *values: list(function(piece, *values)))
    references = [ray.put(value) for value in shared]
    pending: deque[Any] = deque()
    try:
        for piece in pieces:
            if len(pending) == MAX_PENDING:
                yield from ray.get(pending.popleft())
            pending.append(task.remote(piece, *references))
        while pending:
            yield from ray.get(pending.popleft())
    except RayError as error:
        raise _cause(error) from error


def apply(blocks: list[pa.Table], stage: Stage, engine: Engine) -> ray.data.Dataset:
    """A stage over blocks of work: stateless tasks, or actors that open the stage once."""
    needs = stage.resources
    if needs.workers is None:
        return ray.data.from_arrow(blocks).map_batches(
            stage.open(),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.TaskPoolStrategy(size=engine.workers),
            num_cpus=needs.cpus,
            memory=needs.memory_bytes,
        )
    low, most = pool_size(needs.workers, len(blocks))
    return ray.data.from_arrow([_packed(block) for block in blocks]).map_batches(
        _Opened,
        fn_constructor_args=(stage,),
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=low, max_size=most, initial_size=most),
        num_cpus=needs.cpus,
        memory=needs.memory_bytes,
        num_gpus=needs.gpus or None,
    )


def _packed(block: pa.Table) -> pa.Table:
    """A block as one row. A stage makes its own batches of a block, so it has to come as it was planned; Ray wants a number of
    rows per call where there are GPUs, and puts small blocks together until they have it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, block.schema) as writer:
        writer.write_table(block)
    return pa.table({"block": pa.array([sink.getvalue().to_pybytes()], pa.large_binary())})


class _Opened:
    """An actor's copy of a stage, opened once. It takes packed blocks. Where its device is lost it ends its process, so that
    Ray starts another one and gives that the block again; rsflow.lake.attempts bounds how often."""

    def __init__(self, stage: Stage) -> None:
        self._unfit: RsflowError | None = None
        try:
            self._function = stage.open()
        except RsflowError as error:
            # Raised with the first block instead: of an actor that does not begin Ray keeps only a traceback's text.
            self._unfit = error

    def __call__(self, packed: pa.Table) -> Iterator[pa.Table]:
        if self._unfit:
            raise self._unfit
        try:
            for block in packed["block"]:
                yield from self._function(pa.ipc.open_stream(block.as_buffer()).read_all())
        except DeviceLostError as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)  # no clean-up: it would call the device, and might wait for it for ever


@contextmanager
def cluster(engine: Engine) -> Iterator[None]:
    """A connection to the cluster at `engine.address` or RAY_ADDRESS, else a local one that ends with the block."""
    if ray.is_initialized():
        yield
        return
    address = engine.address or os.environ.get("RAY_ADDRESS")
    _use_token(address)
    print(f"connecting to Ray at {address} …" if address else "starting Ray …", file=sys.stderr, flush=True)
    mark_children()
    terminate, ours = signal.getsignal(signal.SIGTERM), set(psutil.Process().children())
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(
                address="local",
                num_cpus=engine.workers,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        place = address or "a local Ray cluster"
        raise RsflowError(f"{place}: cannot connect: {error}\nCheck the address, or use engine.kind=inline") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)  # Ray puts its own in place, which ends the process silently
    if not address:
        node: Any = ray._private.worker.global_worker.node
        mark_session(node.get_session_dir_path())
    started = [] if address else list(set(psutil.Process().children()) - ours)
    try:
        yield
    finally:
        descendants = started + [process for one in started for process in _descendants(one)]
        ray.shutdown()
        _end(descendants)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        found = []
    return found


def _end(processes: Sequence[psutil.Process]) -> None:
    """End what a cluster left behind: a worker that was being started when its node went waits for it for a minute or more."""
    end = time.monotonic() + GRACE_SECONDS
    while (left := [process for process in processes if _alive(process)]) and time.monotonic() < end:
        time.sleep(0.05)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _alive(process: psutil.Process) -> bool:
    try:
        # Nobody may ever ask for the exit code of one whose parent is gone.
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _use_token(address: str | None) -> None:
    # A local `ray.init` since 2.59 leaves a token behind and clusters started later ask for it, but clients stay silent about
    # it without RAY_AUTH_MODE.
    given = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if address and (given or (Path.home() / ".ray" / "auth_token").exists()):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _cause(error: RayError) -> Exception:
    """The error that a stage raised, out of Ray's wrapping; what Ray itself says where the stage raised none of ours."""
    cause: BaseException | None = error
    while cause is not None:
        # What Ray raises is an instance of the cause's class as well, but its text is Ray's: look inside first.
        inner = cause.cause if isinstance(cause, RayTaskError) else None
        if inner is None and isinstance(cause, RsflowError):
            return type(cause)(str(cause).partition("\nFailed to apply UDF")[0])  # Ray appends its own advice
        cause = inner or cause.__cause__
    return RsflowError(f"Ray could not finish the run: {error}")
