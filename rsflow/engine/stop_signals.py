"""Ctrl-C and SIGTERM while requests are in flight: nothing more is sent, and what was sent is waited for.

An answer that is on its way is paid for, so the first signal stops the sending instead of raising; KeyboardInterrupt is raised
when the work has stopped. The second signal has its former effect.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
MESSAGE = b"\nrsflow: ending: requests in flight are waited for and recorded; a second signal ends it at once\n"


@contextlib.contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block the first signal calls `stop` in a thread; at the block's end it becomes a KeyboardInterrupt.

    Signals that are ignored stay ignored. Outside of the main thread signals are not handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in SIGNALS}
    received: list[int] = []

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        restore()
        with contextlib.suppress(OSError):
            os.write(2, MESSAGE)
        # In a thread: the code that the signal has interrupted may hold a lock that `stop` needs.
        threading.Thread(target=stop, name="stop").start()

    for number, handler in former.items():
        if handler is not signal.SIG_IGN and not (number == signal.SIGTERM and handler is signal.SIG_DFL):
            signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
    if received:
        raise KeyboardInterrupt
