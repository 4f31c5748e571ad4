"""Writes a folder that `datasets.load_from_disk` opens: one Arrow stream, its features, and what the folder is made of.

One idea: `datasets` maps the Arrow file as it is, so rows are written in small batches and nothing is held. The layout is
that of `Dataset.save_to_disk` (https://huggingface.co/docs/datasets/about_arrow); the fingerprint is a digest of the folder's
name and features, so that equal exports are equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pyarrow as pa

from rsflow.exports.contract import Record
from rsflow.exports.writing.parquet_files import dataset_schema
from rsflow.files import storage

_DATA, _INFO, _STATE = "data-00000-of-00001.arrow", "dataset_info.json", "state.json"
_ROWS = 16  # of a batch: raw bands are large


class DatasetFolder:
    """`with DatasetFolder(place, columns) as folder: folder.add(row)`. Complete once the block is left."""

    def __init__(self, place: str, columns: Mapping[str, pa.DataType]) -> None:
        self.place, self.rows = place, 0
        self._schema = dataset_schema(columns)
        self._held: list[Record] = []

    def __enter__(self) -> DatasetFolder:
        self._stack = ExitStack()
        stream = self._stack.enter_context(storage.create(storage.join(self.place, _DATA)))
        self._writer = self._stack.enter_context(pa.ipc.new_stream(stream, self._schema))
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._flush()
        self._stack.__exit__(*error)
        if error[0] is None:
            features = json.loads(self._schema.metadata[b"huggingface"])["info"]["features"]
            self._write(_INFO, {"citation": "", "description": "", "features": features, "homepage": "", "license": ""})
            self._write(_STATE, self._state())

    def add(self, row: Record) -> None:
        self.rows += 1
        self._held.append(row)
        if len(self._held) == _ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=self._schema))
            self._held = []

    def _state(self) -> Record:
        name = self.place.rstrip("/").rpartition("/")[2]
        return {
            "_data_files": [{"filename": _DATA}],
            "_fingerprint": hashlib.sha256(f"{name} {self._schema.metadata} {self.rows}".encode()).hexdigest()[:16],
            "_format_columns": None,
            "_format_kwargs": {},
            "_format_type": None,
            "_output_all_columns": False,
            "_split": None,
        }

    def _write(self, name: str, content: Record) -> None:
        storage.write_bytes(storage.join(self.place, name), (json.dumps(content, indent=2) + "\n").encode())
