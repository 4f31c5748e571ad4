"""How often a unit was begun and not finished: the guard against a scene that crashes its worker.

One idea: a worker writes an empty marker file before it starts a unit and removes it after. Python cannot catch a segmentation
fault or the out-of-memory killer, but the marker stays, so the next worker that gets the unit counts how often it killed
one and, at the limit, rejects the unit instead of starting it. Ray may therefore retry crashed tasks without a limit of its
own: every crash uses up one attempt of one unit. A lost device is as good as a crash: its marker stays, and says why.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from rsflow import storage
from rsflow.errors import DataError, DeviceLostError


@contextmanager
def attempt(root: str, run: str, unit: str, limit: int) -> Iterator[None]:
    """Count the block as one attempt of `unit` in this run, and as finished when it ends, well or with an exception other than
    DeviceLostError.

    Raises DataError("crashed_worker") when the unit already killed `limit` workers in this run.
    """
    folder = storage.join(root, "attempts", run, unit)
    begun = storage.list_files(folder)
    if len(begun) >= limit:
        causes = {storage.read_text(storage.join(folder, name)) or "crash or out of memory" for name in begun}
        said = f"its worker process died {len(begun)} times ({'; '.join(sorted(causes))}): tried no more in this run"
        raise DataError("crashed_worker", said)
    marker = storage.join(folder, uuid.uuid4().hex)
    storage.write_bytes(marker, b"")
    try:
        yield
    except DeviceLostError as error:
        storage.write_bytes(marker, str(error).partition("\n")[0].encode())
        raise
    except BaseException:
        storage.remove(marker)
        raise
    storage.remove(marker)
