"""The SHA-256 of every file of a local Delta table, noted beside it after each commit and checked where the file is read.

One idea: Delta's files are immutable, so what is noted once stays true. Each file is checked once in a process. A commit whose
process died before it noted anything is noted by the next one; until then its files are taken as they are, as are tables of
earlier versions of rsflow. Object stores keep checksums of their own, so nothing is noted there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from rsflow.errors import LakeError, StorageError
from rsflow.files import storage

FOLDER = "digests"
_MUTABLE = "_last_checkpoint"  # a hint that Delta overwrites
_checked: set[tuple[str, str]] = set()


def record(root: str, table: str) -> None:
    """Note the files of a table that are not noted yet."""
    if storage.is_remote(root):
        return
    folder, notes, known = storage.join(root, "tables", table), storage.join(root, FOLDER, table), recorded(root, table)
    places = [file.place for file in storage.scan_folder(folder) if file.place.rpartition("/")[2] != _MUTABLE]
    before = storage.list_files(notes)
    text = json.dumps({place: known.get(place) or _sha256(storage.join(folder, place)) for place in places}, sort_keys=True)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    written = f"{sha256[:32]}.json"
    if written not in before:
        storage.write_bytes(storage.join(notes, written), f"{sha256}\n{text}".encode())
    for name in {*before} - {written}:
        storage.remove(storage.join(notes, name))


def recorded(root: str, table: str) -> dict[str, str]:
    """SHA-256 by file of a table, relative to it. LakeError where a note is damaged."""
    folder = storage.join(root, FOLDER, table)
    found: dict[str, str] = {}
    for name in [] if storage.is_remote(root) else storage.list_files(folder):
        place = storage.join(folder, name)
        try:
            data = storage.read_bytes(place)
        except StorageError:  # another writer's newer note says the same
            continue
        digest, _, text = data.partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise LakeError(f"{place}: is damaged (its text does not have the SHA-256 of its first line): delete it")
        found |= json.loads(text)
    return found


def verify(root: str, table: str, places: Iterable[str] | None = None) -> None:
    """LakeError where one of these files of a table (default: of its log) is not what was committed."""
    known = recorded(root, table)
    wanted = [place for place in known if place.startswith("_delta_log/")] if places is None else places
    folder = storage.join(root, "tables", table)
    for place in wanted:
        if place in known and (folder, place) not in _checked:
            if fault := _fault(folder, place, known[place]):
                raise LakeError(fault)
            _checked.add((folder, place))


def find_damage(root: str, table: str) -> Iterator[str]:
    """What is wrong with each noted file of a table, whatever was checked before."""
    folder = storage.join(root, "tables", table)
    for place, sha256 in sorted(recorded(root, table).items()):
        if fault := _fault(folder, place, sha256):
            yield fault


def _fault(folder: str, place: str, sha256: str) -> str:
    full = storage.join(folder, place)
    with suppress(StorageError):  # Delta deletes old files, and misses those that it needs
        if _sha256(full) != sha256:
            return f"{full}: is damaged (it does not have the SHA-256 that was committed): restore it from a backup"
    return ""


def _sha256(place: str) -> str:
    return hashlib.sha256(storage.read_bytes(place)).hexdigest()
