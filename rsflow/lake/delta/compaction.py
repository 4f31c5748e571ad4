"""Tables that many commits wrote are compacted, so that reading one costs an object store a few requests.

One idea: every commit adds a data file and a file of the log, and opening a table reads them all. A build ends with
this, for the tables that it wrote to: small data files become one, and a checkpoint stands for the log before it. Rows stay,
and so do the files of earlier versions, until a vacuum deletes them.
"""

from __future__ import annotations

import json
from functools import partial

from deltalake import DeltaTable

from rsflow.files import storage
from rsflow.lake.delta.commits import commit
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity import digests
from rsflow.lake.tables import Lake

MAX_FILES = 8  # data files of a table, beyond which they are compacted
MAX_COMMITS = 6  # files of the log behind the last checkpoint: beyond, reading a checkpoint takes fewer requests


def compact_written_tables(lake: Lake) -> None:
    """Compact the tables that this lake object committed to, where they have many files; their digests are one record."""
    with digests.one_record(lake.root):
        for name in TABLES:
            if name in lake.written and (table := lake.delta(name)) is not None:
                place = lake.place("tables", name)
                if len(digests.data_files(table)) > MAX_FILES:
                    digests.record(lake.root, name, commit(place, partial(_compact, table)))
                if table.version() - _last_checkpoint(lake, name) > MAX_COMMITS:
                    commit(place, partial(_write_checkpoint, table))
                    digests.record_checkpoint(lake.root, name, table.version())


def _compact(table: DeltaTable, attempt: int) -> DeltaTable:
    if attempt > 1:
        table.update_incremental()
    table.optimize.compact()
    return table


def _write_checkpoint(table: DeltaTable, attempt: int) -> DeltaTable:
    table.create_checkpoint()
    return table


def _last_checkpoint(lake: Lake, name: str) -> int:
    text = storage.read_text_if_exists(lake.place("tables", name, "_delta_log", "_last_checkpoint"))
    return -1 if text is None else int(json.loads(text)["version"])
