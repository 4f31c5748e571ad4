"""The SHA-256 of every file of the lake's Delta tables, recorded after each commit and verified where a file is read.

One idea: Delta's files are immutable, so what is recorded once stays true, on disks and in object stores alike. A record is a
small file `digests/<hash of its text>.json` that holds what one commit added:

- `files`: SHA-256 by path below the root, of data files and of the log's commits and checkpoints;
- `states`: per table and version, the SHA-256 of the list of data files that the version consists of. It shows that the log
  was read as it was written, without a request for each of its files.

The records of a lake are read once in a process, and again only where they do not know a file. A file is verified once in a
process. A commit whose process died before it wrote a record is recorded by the next one; until then its files are taken as
they are, as are those of lakes of an earlier format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from rsflow.errors import LakeError, StorageError
from rsflow.files import storage

if TYPE_CHECKING:
    from deltalake import DeltaTable

FOLDER = "digests"
MOST_RECORDS = 32  # files of records, beyond which they are compacted
CHECKPOINT_EVERY = 100  # commits: Delta's default


@dataclass(slots=True)
class Records:
    """What this process knows of a lake's digests."""

    files: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[int, str]] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)  # names of the record files
    verified: set[str] = field(default_factory=set)  # files found sound
    waiting: dict[str, dict[str, str]] | None = None  # states that `one_record` is to write

    def add(self, files: dict[str, str], states: dict[str, dict[str, str]]) -> None:
        self.files |= files
        for table, versions in states.items():
            self.states.setdefault(table, {}).update({int(version): state for version, state in versions.items()})


_RECORDS: dict[str, Records] = {}


def clear_cache() -> None:
    """Forget what was loaded and verified, as in a process that has read nothing yet."""
    _RECORDS.clear()


def record_checkpoint(root: str, name: str, version: int) -> None:
    """Record the checkpoint that this process just wrote of a version."""
    place = f"tables/{name}/_delta_log/{version:020d}.checkpoint.parquet"
    known, added = load(root), {place: _sha256(storage.join(root, place))}
    known.add(added, {})
    known.verified.update(added)
    if known.waiting is None:
        _write_record(root, added, {})


@contextmanager
def one_record(root: str) -> Iterator[None]:
    """Write one record of all commits in the block, at its end."""
    known = load(root)
    before, known.waiting = set(known.files), {}
    try:
        yield
    finally:
        states, known.waiting = known.waiting, None
        added = {place: known.files[place] for place in known.files.keys() - before}
        if added or states:
            _write_record(root, added, states)


def record(root: str, name: str, table: DeltaTable) -> None:
    """Record the files and the state of a table's version that this process just committed, and of those before it that are
    not recorded yet."""
    known = load(root)
    versions = _unrecorded_versions(known, name, table.version())
    paths = data_files(table)
    files = [*(f"tables/{name}/{path}" for path in paths), *(_log_place(name, version) for version in versions)]
    files += _checkpoints(root, name, versions)
    fresh = {place for place in files if place not in known.files or place.startswith(f"tables/{name}/_delta_log/")}
    added = {place: _sha256(storage.join(root, place)) for place in sorted(fresh)}
    states = {name: {str(table.version()): state_of(paths)}}
    known.add(added, states)
    known.verified.update(added)
    if known.waiting is None:
        _write_record(root, added, states)
    else:
        known.waiting.setdefault(name, {}).update(states[name])


def _write_record(root: str, files: dict[str, str], states: dict[str, dict[str, str]]) -> None:
    known = load(root)
    known.loaded.add(_write(root, files, states))
    if len(known.loaded) > MOST_RECORDS:
        compact(root)


def compact(root: str) -> None:
    """Put all records together in one file, without files that are no longer there."""
    known = load(root, fresh=True)
    old = set(known.loaded)
    existing = {f"tables/{file.place}" for file in storage.scan_folder(storage.join(root, "tables"))}
    known.files = {place: sha256 for place, sha256 in known.files.items() if place in existing}
    states = {name: {str(v): state for v, state in sorted(found.items())} for name, found in sorted(known.states.items())}
    name = _write(root, known.files, states)
    for each in sorted(old - {name}):
        storage.remove(storage.join(root, FOLDER, each))
    known.loaded = {name}


def load(root: str, fresh: bool = False) -> Records:
    """The records of a lake. Read from storage the first time, or where `fresh`. LakeError where a record is damaged."""
    known = _RECORDS.get(root)
    if known is None or fresh:
        known = _RECORDS.setdefault(root, Records())
        for name in storage.list_files(storage.join(root, FOLDER)):
            if name not in known.loaded:
                _load_one(root, name, known)
    return known


def verify_log(root: str, name: str) -> None:
    """LakeError where a file of a table's log is not what was written. On local disks; elsewhere `verify_state` is enough."""
    if not storage.is_remote(root):
        log = f"tables/{name}/_delta_log/"
        for place in [place for place in load(root).files if place.startswith(log)]:
            verify_file(root, place)


def verify_state(root: str, name: str, table: DeltaTable) -> None:
    """LakeError where the version of a table does not consist of the data files that were committed."""
    version, state = table.version(), state_of(data_files(table))
    recorded = None
    for known in _known_then_fresh(root):
        recorded = known.states.get(name, {}).get(version)
        if recorded == state:
            return
    if recorded is not None:
        place = storage.join(root, "tables", name, "_delta_log")
        raise LakeError(f"{place}: is damaged (version {version} lists other files than were committed): {_RESTORE}")


def verify_file(root: str, place: str, data: bytes | None = None) -> None:
    """LakeError where the file at `place` (below the root; or its bytes `data`) is not what was committed. Once per process."""
    for known in _known_then_fresh(root):
        if place in known.verified:
            return
        if place in known.files and not (fault := _fault(root, place, known.files[place], data)):
            known.verified.add(place)
            return
    if place in known.files:
        raise LakeError(fault)
    known.verified.add(place)  # not recorded: taken as it is


def needs_verification(root: str, place: str) -> bool:
    """Whether this process has not verified the file yet."""
    return place not in load(root).verified


def find_damage(root: str, name: str) -> Iterator[str]:
    """What is wrong with each recorded file of a table, whatever was verified before."""
    for place, sha256 in sorted(load(root, fresh=True).files.items()):
        if place.startswith(f"tables/{name}/") and (fault := _fault(root, place, sha256)):
            yield fault


def data_files(table: DeltaTable) -> list[str]:
    """Paths of a version's data files below its table, sorted."""
    return sorted(pa.table(table.get_add_actions(flatten=True))["path"].to_pylist())


def state_of(paths: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(paths).encode()).hexdigest()


def _known_then_fresh(root: str) -> Iterator[Records]:
    """What is known, then what is known after the records were read again: another process may have written meanwhile."""
    yield load(root)
    yield load(root, fresh=True)


def _unrecorded_versions(known: Records, name: str, version: int) -> range:
    last = max(known.states.get(name, {-1: ""}))
    return range(min(last + 1, version), version + 1)


def _log_place(name: str, version: int) -> str:
    return f"tables/{name}/_delta_log/{version:020d}.json"


def _checkpoints(root: str, name: str, versions: Iterable[int]) -> list[str]:
    """The checkpoints that Delta wrote at these versions."""
    if not any(version and version % CHECKPOINT_EVERY == 0 for version in versions):
        return []
    folder = f"tables/{name}/_delta_log"
    files = storage.list_files(storage.join(root, folder))
    return [f"{folder}/{file}" for file in files if file.endswith(".parquet")]


def _write(root: str, files: dict[str, str], states: dict[str, dict[str, str]]) -> str:
    """Write a record; its name."""
    text = json.dumps({"files": files, "states": states}, sort_keys=True)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    name = f"{sha256[:32]}.json"
    storage.write_bytes(storage.join(root, FOLDER, name), f"{sha256}\n{text}".encode())
    return name


def _load_one(root: str, name: str, known: Records) -> None:
    place = storage.join(root, FOLDER, name)
    try:
        data = storage.read_bytes(place)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):  # compacted by another process, whose record is listed too
            return
        raise
    digest, _, text = data.partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise LakeError(f"{place}: is damaged (its text does not have the SHA-256 of its first line): delete it")
    content = json.loads(text)
    table, _, _ = name.rpartition("/")
    if table:  # format 1: a folder per table, with paths below the table
        content = {"files": {f"tables/{table}/{path}": sha256 for path, sha256 in content.items()}, "states": {}}
    known.add(content["files"], content["states"])
    known.loaded.add(name)


def _fault(root: str, place: str, sha256: str, data: bytes | None = None) -> str:
    full = storage.join(root, place)
    with suppress(FileNotFoundError):  # Delta deletes old files, and misses those that it needs
        if (_sha256(full) if data is None else hashlib.sha256(data).hexdigest()) != sha256:
            return f"{full}: is damaged (it does not have the SHA-256 that was committed): {_RESTORE}"
    return ""


_RESTORE = "restore it from a backup"


def _sha256(place: str) -> str:
    try:
        return hashlib.sha256(storage.read_bytes(place)).hexdigest()
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise error.__cause__ from None
        raise
