"""Results of asynchronous work as a plain iterator.

The work runs in an event loop of its own in one thread and hands over each result as it is ready. An exception of the work is
raised by the iterator; closing the iterator early cancels the work and waits until it has ended.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[Callable[[T], None]], Coroutine[Any, Any, None]]


class _EndOfResults:
    """Stands behind the last result. `error` is what the work raised, None where it ended well."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def iterate_results(work: Work[T]) -> Iterator[T]:
    """What `work(hand_over)` hands over, in that order."""
    results: SimpleQueue[T | _EndOfResults] = SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(work(results.put))
    thread = threading.Thread(target=_run_loop, args=(loop, task, results), daemon=True)
    thread.start()
    try:
        while not isinstance(result := results.get(), _EndOfResults):
            yield result
        if result.error:
            raise result.error
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _run_loop(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], results: SimpleQueue[Any]) -> None:
    asyncio.set_event_loop(loop)
    # Any exception is raised in the consuming thread; in this one it would be lost.
    outcome = loop.run_until_complete(asyncio.gather(task, return_exceptions=True))[0]
    results.put(_EndOfResults(outcome))
