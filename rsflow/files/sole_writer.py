"""One process at a time writes a folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsflow.errors import UsageError
from rsflow.files.faults import translate_errors


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made if need be. UsageError where another process holds it.

    Its file stays, empty of meaning: were it removed, two processes could each hold a file of that name.
    """
    with translate_errors(str(folder), "write"):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # A record lock: unlike flock's it is not held on by forked workers that outlive a killed process for some seconds.
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        os.close(lock)
        raise UsageError(f"{folder}: another process writes there: wait until it ends, or give another output") from error
    try:
        yield
    finally:
        os.close(lock)
