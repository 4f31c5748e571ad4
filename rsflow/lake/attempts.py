"""How often a unit was begun and not finished: the guard against a scene that crashes its worker.

One idea: a worker writes an empty marker file before it starts a unit and removes it after. Python cannot catch a segmentation
fault or the out-of-memory killer, but the marker stays, so the next worker that gets the unit counts how often it killed
one and, at the limit, rejects the unit instead of starting it. Ray may therefore retry crashed tasks without a limit of its
own: every crash uses up one attempt of one unit.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from rsflow import storage
from rsflow.errors import DataError


@contextmanager
def attempt(root: str, run: str, unit: str, limit: int) -> Iterator[None]:
    """Count the block as one attempt of `unit` in this run, and as finished when it ends, well or with an exception.

    Raises DataError("crashed_worker") when the unit already killed `limit` workers in this run.
    """
    folder = storage.join(root, "attempts", run, unit)
    begun = storage.list_files(folder)
    if len(begun) >= limit:
        raise DataError(
            "crashed_worker", f"its worker process died {len(begun)} times (crash or out of memory): tried no more in this run"
        )
    marker = storage.join(folder, uuid.uuid4().hex)
    storage.write_bytes(marker, b"")
    try:
        yield
    finally:
        storage.remove(marker)
