"""How often a unit was begun and not finished: the guard against a scene that crashes its worker.

One idea: a worker writes an empty marker file before it starts a unit and removes it after. Python cannot catch a segmentation
fault or the out-of-memory killer, but the marker stays, so the next worker that gets the unit counts how often it killed
one and, at the limit, rejects the unit instead of starting it. Ray may therefore retry crashed tasks without a limit of its
own: every crash uses up one attempt of one unit. A lost device is as good as a crash: its marker stays, and says why.

A crash in the unit's own code (segmentation fault, abort) leaves a line in the marker, written by Python's faulthandler. A
process that was killed from outside, as by the out-of-memory killer, leaves none: that is no verdict on the data.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rsflow.errors import DataError, DeviceLostError, UnavailableError
from rsflow.files import storage


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
        raise _given_up([_last_words(storage.join(folder, name)) for name in begun])
    marker = storage.join(folder, uuid.uuid4().hex)
    storage.write_bytes(marker, b"")
    try:
        with _told_of_crashes(marker):
            yield
    except DeviceLostError as error:
        storage.write_bytes(marker, str(error).partition("\n")[0].encode())
        raise
    except BaseException:
        _finished(marker)
        raise
    _finished(marker)


def _given_up(causes: list[str]) -> DataError | UnavailableError:
    if all(causes):
        said = f"its worker process died {len(causes)} times ({'; '.join(sorted(set(causes)))}): tried no more in this run"
        return DataError("crashed_worker", said)
    return UnavailableError(
        f"the worker process of a unit died {len(causes)} times, {causes.count('')} of them killed from outside, as for "
        "memory: give workers more memory, or run fewer at a time (engine.workers)"
    )


@contextmanager
def _told_of_crashes(marker: str) -> Iterator[None]:
    """While the block runs, a fatal signal of this process leaves its name in the marker's file."""
    before = faulthandler.is_enabled()
    with open(_words_file(marker), "a", encoding="utf-8") as words:
        faulthandler.enable(words, all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()
            if before and sys.__stderr__ is not None:
                with suppress(OSError, ValueError, RuntimeError):  # where there is no real stderr
                    faulthandler.enable(sys.__stderr__)


def _last_words(marker: str) -> str:
    """Why the attempt's process died: what it said of a lost device or a fatal signal; empty where it was killed."""
    said = storage.read_text(marker)
    if not said and os.path.exists(_words_file(marker)):
        with open(_words_file(marker), encoding="utf-8") as words:
            said = words.read()
    return said.partition("\n")[0]


def _words_file(marker: str) -> str:
    """The local file that a signal handler can write to: the marker, or for a remote one a temporary file of this machine."""
    if storage.is_remote(marker):
        return os.path.join(tempfile.gettempdir(), f"rsflow-attempt-{marker.rpartition('/')[2]}")
    return str(storage.filesystem(marker)[1])


def _finished(marker: str) -> None:
    storage.remove(marker)
    with suppress(FileNotFoundError):
        os.remove(_words_file(marker))
