"""How a command reacts to Ctrl-C and SIGTERM.

One idea: the first signal becomes a KeyboardInterrupt, so that finished work is committed on the way out; the second ends the
process at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
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
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, _exit_at_once)
    # Not through sys.stderr: the signal may have come in the middle of a write to it.
    with contextlib.suppress(OSError):
        os.write(2, b"\nrsflow: ending: finished work is being committed; a second signal ends it at once\n")
    raise KeyboardInterrupt


def _exit_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
