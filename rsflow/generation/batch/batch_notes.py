"""Batches that were sent and are not finished, as files of the lake, so that no batch is sent twice.

A note is written before a batch is created and completed with its id afterwards. Where a process was killed in between, the
batch is found at the vendor by the note's name, which is part of the batch's metadata.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rsflow.errors import LakeError
from rsflow.files import storage


@dataclass(frozen=True, slots=True)
class BatchNote:
    """`batch`: the vendor's id, empty until it is known. `requests`: the digests of all requests of the batch."""

    name: str
    engine: str  # which settings it was sent with: their fingerprint
    batch: str
    requests: tuple[str, ...]

    @classmethod
    def new(cls, engine: str, requests: Sequence[str]) -> BatchNote:
        return cls(uuid.uuid4().hex, engine, "", tuple(requests))


def write_note(folder: str, note: BatchNote) -> None:
    storage.write_bytes(storage.join(folder, f"{note.name}.json"), json.dumps(asdict(note)).encode())


def remove_note(folder: str, note: BatchNote) -> None:
    storage.remove(storage.join(folder, f"{note.name}.json"))


def read_notes(folder: str, engine: str) -> list[BatchNote]:
    """The notes of batches that these settings have sent, by name."""
    notes = []
    for name in storage.list_files(folder):
        place = storage.join(folder, name)
        try:
            found = json.loads(storage.read_bytes(place))
            notes.append(BatchNote(found["name"], found["engine"], found["batch"], tuple(found["requests"])))
        except (ValueError, TypeError, KeyError) as error:
            raise LakeError(f"{place}: is no note of a batch ({error}): delete it, and its requests are sent again") from error
    return [note for note in notes if note.engine == engine]
