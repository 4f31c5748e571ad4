"""The processes of a local cluster whose driver was killed: finding and ending them.

One idea: everything that a driver starts inherits its environment, whatever becomes of its parents and sessions. So a driver
writes its own id there, and a process that carries the id of a driver that is gone belongs to nobody.
"""

from __future__ import annotations

import os
from contextlib import suppress

import psutil

DRIVER = "RSFLOW_DRIVER"  # the process id of the driver and when it was started


def sign() -> None:
    """Mark all processes that this one starts from now on as its own."""
    os.environ[DRIVER] = _sign_of(psutil.Process())


def end_leftovers() -> int:
    """End the processes of this user whose driver is gone; returns their number."""
    ended = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            mark = process.environ().get(DRIVER, "")
            if mark and process.pid != os.getpid() and process.uids().real == os.getuid() and not _alive(mark):
                process.kill()
                ended += 1
    return ended


def _alive(mark: str) -> bool:
    with suppress(psutil.Error, ValueError):
        process = psutil.Process(int(mark.partition(":")[0]))
        return _sign_of(process) == mark and process.status() != psutil.STATUS_ZOMBIE
    return False


def _sign_of(process: psutil.Process) -> str:
    return f"{process.pid}:{process.create_time():.2f}"
