"""How often a unit was begun and not finished: the guard against a scene that crashes its worker.

One idea: a worker writes an empty marker file before it starts a unit and removes it after. Python cannot catch a segmentation
fault or the out-of-memory killer, but the marker stays, so the next worker that gets the unit counts how often it killed
one and, at the limit, rejects the unit instead of starting it. Ray may therefore retry crashed tasks without a limit of its
own: every crash uses up one attempt of one unit. A lost device counts as a crash: its marker stays, and names the cause.

A crash in the unit's own code (segmentation fault, abort) leaves a line in the marker, written by Python's faulthandler, in an
object store through rsflow.lake.crash_reporter. A process that was killed from outside, as by the out-of-memory killer, leaves
none: that is no verdict on the data.
"""

from __future__ import annotations

import faulthandler
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rsflow.errors import DataError, DeviceLostError, UnavailableError
from rsflow.files import storage
from rsflow.lake.crash_reporter import CrashReporter

REPORT_SECONDS = 20.0  # how long the report of a crash may take to reach an object store


@contextmanager
def attempt(root: str, run: str, unit: str, limit: int) -> Iterator[None]:
    """Count the block as one attempt of `unit` in this run, and as finished when it ends, well or with an exception other than
    DeviceLostError.

    Raises DataError("crashed_worker") when the unit already crashed `limit` workers in this run, and UnavailableError when so
    many died and at least one of them was killed from outside.
    """
    folder = storage.join(root, "attempts", run, unit)
    begun = storage.list_files(folder)
    if len(begun) >= limit:
        raise _limit_error(_crash_causes([storage.join(folder, name) for name in begun]))
    marker = storage.join(folder, uuid.uuid4().hex)
    storage.write_bytes(marker, b"")
    try:
        with _crashes_reported(marker):
            yield
    except DeviceLostError as error:
        storage.write_bytes(marker, str(error).partition("\n")[0].encode())
        raise
    except BaseException:
        storage.remove(marker)
        raise
    storage.remove(marker)


def _limit_error(causes: list[str]) -> DataError | UnavailableError:
    if all(causes):
        detail = f"its worker process died {len(causes)} times ({'; '.join(sorted(set(causes)))}): tried no more in this run"
        return DataError("crashed_worker", detail)
    return UnavailableError(
        f"the worker process of a unit died {len(causes)} times, {causes.count('')} of them killed from outside, as for "
        "memory: give workers more memory, or run fewer at a time (engine.workers)"
    )


def _crash_causes(markers: list[str]) -> list[str]:
    """Why each attempt's process died: a lost device or a fatal signal; empty where it was killed. In an object store, a report
    that is still on its way is waited for."""
    deadline = time.monotonic() + (REPORT_SECONDS if storage.is_remote(markers[0]) else 0.0)
    while True:
        causes = [storage.read_text(marker).partition("\n")[0] for marker in markers]
        if all(causes) or time.monotonic() >= deadline:
            return causes
        time.sleep(0.5)


@contextmanager
def _crashes_reported(marker: str) -> Iterator[None]:
    """While the block runs, a fatal signal of this process leaves its name in the marker's file."""
    before = faulthandler.is_enabled()
    with _remote_report(marker) if storage.is_remote(marker) else _local_report(marker):
        try:
            yield
        finally:
            faulthandler.disable()
            if before and sys.__stderr__ is not None:
                with suppress(OSError, ValueError, RuntimeError):  # where there is no real stderr
                    faulthandler.enable(sys.__stderr__)


@contextmanager
def _local_report(marker: str) -> Iterator[None]:
    with open(storage.filesystem(marker)[1], "a", encoding="utf-8") as stream:
        faulthandler.enable(stream, all_threads=False)
        yield


_REPORTER: list[CrashReporter] = []  # of this process, at most one


@contextmanager
def _remote_report(marker: str) -> Iterator[None]:
    if not (_REPORTER and _REPORTER[0].alive):
        _REPORTER[:] = [CrashReporter()]
    reporter = _REPORTER[0]
    reporter.begin(marker)
    faulthandler.enable(reporter.stream, all_threads=False)
    try:
        yield
    finally:
        faulthandler.disable()
        with suppress(BrokenPipeError):
            reporter.end()
