"""The processes of a local cluster whose driver was killed: finding and ending them.

One idea: everything that a driver starts inherits its environment, so the driver writes its own id there. Ray's agents
overwrite their environment with a title; they keep log files of their Ray session open, so the driver writes its id into the
session's folder too. A process that carries the id of a driver that is gone belongs to nobody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

DRIVER = "RSFLOW_DRIVER"  # the process id of the driver and when it was started
SESSION_FILE = "rsflow_driver"  # the same, in the folder of a Ray session
_RAY_TITLE = "ray::"


def mark_children() -> None:
    """Mark all processes that this one starts from now on as its own."""
    os.environ[DRIVER] = _id_of(psutil.Process())


def mark_session(folder: str) -> None:
    """Mark the processes of the Ray session in this folder as this process's own."""
    Path(folder, SESSION_FILE).write_text(_id_of(psutil.Process()), encoding="utf-8")


def end_leftovers() -> int:
    """End the processes of this user whose driver is gone; returns their number."""
    ended = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.uids().real != os.getuid():
                continue
            driver = driver_of(process)
            if driver and not _is_alive(driver):
                process.kill()
                ended += 1
    return ended


def driver_of(process: psutil.Process) -> str:
    """The id of the driver that a process belongs to; empty where there is none."""
    if driver := process.environ().get(DRIVER, ""):
        return str(driver)
    return _session_driver(process) if process.name().startswith(_RAY_TITLE) else ""


def _session_driver(process: psutil.Process) -> str:
    folders = {Path(file.path).parent.parent for file in process.open_files()}
    notes = [folder / SESSION_FILE for folder in sorted(folders) if folder.name.startswith("session_")]
    return next((note.read_text(encoding="utf-8") for note in notes if note.is_file()), "")


def _is_alive(driver: str) -> bool:
    with suppress(psutil.Error, ValueError):
        process = psutil.Process(int(driver.partition(":")[0]))
        return _id_of(process) == driver and process.status() != psutil.STATUS_ZOMBIE
    return False


def _id_of(process: psutil.Process) -> str:
    return f"{process.pid}:{process.create_time():.2f}"
