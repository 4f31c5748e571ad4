"""How a command reacts to Ctrl-C and SIGTERM.

One idea: the first signal becomes a KeyboardInterrupt, so that finished work is committed on the way out; the second ends the
process at once. Python runs handlers in its main thread and between two instructions only, which a library may keep it from for
minutes; so a thread of its own counts the signals as they arrive.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGINT and SIGTERM raise KeyboardInterrupt, a second one exits with 128 plus its number.

    A signal that is ignored (as a background job's SIGINT is) stays ignored. The former handlers are restored afterwards.
    """
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in former.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        with _watching():
            yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _watching() -> Iterator[None]:
    """Within the block a thread ends the process at its second SIGINT or SIGTERM, whatever the main thread waits for."""
    arrivals, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    former = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    threading.Thread(target=_count_signals, args=(arrivals,), daemon=True, name="signals").start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        os.close(wakeup)


def _count_signals(arrivals: int) -> None:
    count = 0
    with os.fdopen(arrivals, "rb", buffering=0) as stream:
        while numbers := stream.read(1):  # nothing where the block has ended
            count += numbers[0] in (signal.SIGINT, signal.SIGTERM)
            if count > 1:
                os._exit(128 + numbers[0])


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, _exit_at_once)
    # Not through sys.stderr: the signal may have come in the middle of a write to it.
    with contextlib.suppress(OSError):
        os.write(2, b"\nrsflow: ending: finished work is being committed; a second signal ends it at once\n")
    raise KeyboardInterrupt


def _exit_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
