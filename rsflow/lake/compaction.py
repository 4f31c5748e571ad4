"""Tables that many commits wrote are put together, so that reading one costs an object store a few requests.

One idea: every commit adds a data file and a file of the log, and whoever opens a table reads them all. A build ends with
this, for the tables that it wrote to: small data files become one, and a checkpoint stands for the log before it. Rows stay, and
so do the files of earlier versions, until a vacuum deletes them.
"""

from __future__ import annotations

import json

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from rsflow.errors import StorageError
from rsflow.files import storage
from rsflow.lake import digests
from rsflow.lake.formats import TABLES
from rsflow.lake.tables import Lake

MAX_FILES = 8  # data files of a table, beyond which they are put together
MAX_COMMITS = 6  # files of the log behind the last checkpoint: beyond, reading a checkpoint takes fewer requests


def compact_written_tables(lake: Lake) -> None:
    """Put together the tables that this lake object committed to, where they have many files."""
    for name in TABLES:
        if name in lake.written and (table := lake.delta(name)) is not None:
            try:
                _compact(lake, name, table)
            except CommitFailedError:  # another writer's rows: the next build puts them together
                continue
            except (OSError, DeltaError) as error:
                raise StorageError(
                    f"{lake.place('tables', name)}: cannot be compacted: {storage.describe_error(error)}"
                ) from error


def _compact(lake: Lake, name: str, table: DeltaTable) -> None:
    if len(digests.data_files(table)) > MAX_FILES:
        table.optimize.compact()
        digests.record(lake.root, name, table)
    if table.version() - _last_checkpoint(lake, name) > MAX_COMMITS:
        table.create_checkpoint()
        digests.record_checkpoint(lake.root, name, table.version())


def _last_checkpoint(lake: Lake, name: str) -> int:
    text = storage.read_text_if_exists(lake.place("tables", name, "_delta_log", "_last_checkpoint"))
    return -1 if text is None else int(json.loads(text)["version"])
