"""Records of an instruction set in Parquet, in the form of those of JSON, one at a time.

Read are the columns `conversations` or `messages` (lists of turns, or JSON text of them), and `instructions` of our own `hf`
export, each of which becomes a record; beside them `image` or `images` and what a record states of itself. A picture may lie in
the file (https://huggingface.co/docs/datasets/image_dataset): then it is named by a digest of its bytes, which are under
EMBEDDED. A row group is in memory at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.files.row_groups import read_row_batches

EMBEDDED = ("embedded", "pictures")  # key of a record, bytes by name; no JSON has such a key
TURNS = ("conversations", "messages", "instructions")
_PICTURES = ("image", "images")
_STATED = ("id", "sensor", "task", "objects", "height", "width", "height_px", "width_px")
ROWS = 16  # as Python values at a time: their pictures may be large


def is_parquet(file: str) -> bool:
    return file.lower().endswith(".parquet")


def read_parquet_records(file: str) -> Iterator[dict[Any, Any]]:
    """The file's records in order. UsageError where it is no Parquet file, is damaged, or has no column of TURNS."""
    fs, path = storage.filesystem(file)
    with storage.translate_errors(file, "read"), fs.open(path, "rb") as stream:
        try:
            table = pq.ParquetFile(stream, page_checksum_verification=True)
            columns = _columns(file, table.schema_arrow.names)
            for batch in read_row_batches(table, ROWS, columns):
                for row in batch.to_pylist():
                    yield from _records(row)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: is no whole Parquet file ({str(error).splitlines()[0][:200]})") from error


def _columns(file: str, names: list[str]) -> list[str]:
    turns = [name for name in TURNS if name in names][:1]
    if not turns:
        found = ", ".join(names[:12]) or "none"
        raise UsageError(f"{file}: has no column {', '.join(TURNS[:-1])} or {TURNS[-1]}; its columns are {found}")
    return turns + [name for name in (*_PICTURES, *_STATED) if name in names]


def _records(row: dict[str, Any]) -> Iterator[dict[Any, Any]]:
    record: dict[Any, Any] = {name: value for name, value in row.items() if value is not None}
    embedded: dict[str, bytes] = {}
    for name in _PICTURES:
        if name in record:
            cells = record[name] if isinstance(record[name], list) else [record[name]]
            record[name] = [_picture_name(cell, embedded) for cell in cells]
    if embedded:
        record[EMBEDDED] = embedded
    instructions = record.pop("instructions", None)
    if instructions is None:
        for name in TURNS:
            record.update({name: _parse(record[name])} if isinstance(record.get(name), str) else {})
        yield record
    else:
        yield from ({**record, **_as_messages(one)} for one in instructions)


def _picture_name(cell: Any, embedded: dict[str, bytes]) -> Any:
    """The path of a picture, or the name under which its bytes are kept."""
    data = (cell.get("bytes") or cell.get("path")) if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        return data
    name = f"picture {hashlib.blake2b(data, digest_size=8).hexdigest()}"
    embedded[name] = data
    return name


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text  # which is no list of turns, and is told so


def _as_messages(instruction: dict[str, Any]) -> dict[str, Any]:
    turns = instruction.get("turns") or []
    return {"id": instruction.get("id"), "messages": [{"role": turn["role"], "content": turn["text"]} for turn in turns]}
