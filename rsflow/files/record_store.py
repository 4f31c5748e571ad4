"""Small named JSON records that several processes write and read: what must be on the disk before a run goes on.

On a local disk records are lines of an append-only log (rsflow.files.append_log), because a file for each would cost several
times as much, and its durability another fsync. In an object store each is an object: every upload is durable by itself, and
nothing can be appended to. Records that an earlier version of rsflow left as files are read as well.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rsflow.files import storage
from rsflow.files.append_log import AppendLog, list_segments, read_line, read_lines


class RecordStore(Protocol):
    """Names are paths below one root. Safe to call from several threads."""

    def write(self, records: Mapping[str, bytes | None]) -> None:
        """Write records, JSON without line breaks, or remove those that are None. Durable, in this order, when it returns."""
        ...

    def refresh(self) -> None:
        """See what other processes have written meanwhile."""
        ...

    def read(self, name: str) -> bytes | None:
        """A record as of the last refresh, or later; None where there is none."""
        ...

    def names(self, folder: str) -> list[str]:
        """Of the records below a folder, sorted."""
        ...

    def versions(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """(name, record) of all that was ever written below a folder and is still there, overwritten or not."""
        ...


def open_records(root: str, log_folder: str) -> RecordStore:
    """The records below `root`; on a local disk their log is in `log_folder`, a path below it."""
    return FileRecords(root) if storage.is_remote(root) else LoggedRecords(FileRecords(root), log_folder)


@dataclass(frozen=True, slots=True)
class FileRecords:
    """A file for each record."""

    root: str

    def write(self, records: Mapping[str, bytes | None]) -> None:
        for name, record in records.items():
            place = storage.join(self.root, name)
            if record is None:
                storage.remove(place)
            else:
                storage.write_bytes(place, record)

    def refresh(self) -> None:
        """Files are looked up as they are."""

    def read(self, name: str) -> bytes | None:
        place = storage.join(self.root, name)
        return storage.read_bytes(place) if storage.exists(place) else None

    def names(self, folder: str) -> list[str]:
        names = storage.list_files(storage.join(self.root, folder))
        return [f"{folder}/{name}" for name in names if name.endswith(".json")]

    def versions(self, folder: str) -> Iterator[tuple[str, bytes]]:
        for name in self.names(folder):
            if (record := self.read(name)) is not None:
                yield name, record


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a record stands in a log."""

    segment: str
    offset: int
    size: int


@dataclass(slots=True)
class LoggedRecords:
    """A line for each record and each removal: name, tab, record, which is empty for a removal."""

    files: FileRecords  # of the same root, older than its log
    log_folder: str
    _log: AppendLog = field(init=False)
    _positions: dict[str, _Position] = field(default_factory=dict)
    _read_until: dict[str, int] = field(default_factory=dict)  # bytes of each segment that `_positions` knows
    _in_files: set[str] = field(default_factory=set)  # names that were found as files
    _refreshing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._log = AppendLog(storage.filesystem(storage.join(self.files.root, self.log_folder))[1])

    def write(self, records: Mapping[str, bytes | None]) -> None:
        known = [self._positions.get(name) for name in records]
        after = max((each.segment for each in known if each), default="")  # what is read last holds, so it has to sort last
        self._log.append([b"%b\t%b" % (name.encode(), record or b"") for name, record in records.items()], after)
        if self._in_files:
            self.files.write({name: None for name in records if name in self._in_files})

    def refresh(self) -> None:
        with self._refreshing:
            sizes = {segment: os.path.getsize(self._path(segment)) for segment in list_segments(self._log.folder)}
            if any(size < self._read_until.get(segment, 0) for segment, size in sizes.items()):
                self._positions, self._read_until = {}, {}  # lines that were read were never acknowledged, and are gone
            for segment, size in sizes.items():
                start = self._read_until.get(segment, 0)
                if size > start:
                    self._read_segment(segment, start)

    def _read_segment(self, segment: str, start: int) -> None:
        for offset, line in read_lines(self._path(segment), start):
            name, record = _parse_line(line)
            if record:
                self._positions[name] = _Position(segment, offset, len(line))
            else:
                self._positions.pop(name, None)
            self._read_until[segment] = offset + len(line) + 1

    def read(self, name: str) -> bytes | None:
        found = self._positions.get(name)
        if found is None:
            return self.files.read(name)
        return _parse_line(read_line(self._path(found.segment), found.offset, found.size))[1]

    def names(self, folder: str) -> list[str]:
        self.refresh()
        filed = self.files.names(folder)
        self._in_files.update(filed)
        with self._refreshing:
            logged = [name for name in self._positions if name.startswith(f"{folder}/")]
        return sorted({*filed, *logged})

    def versions(self, folder: str) -> Iterator[tuple[str, bytes]]:
        self.refresh()
        yield from self.files.versions(folder)
        for segment in list_segments(self._log.folder):
            for _, line in read_lines(self._path(segment)):
                name, record = _parse_line(line)
                if record and name.startswith(f"{folder}/") and name in self._positions:
                    yield name, record

    def _path(self, segment: str) -> str:
        return os.path.join(self._log.folder, segment)


def _parse_line(line: bytes) -> tuple[str, bytes]:
    name, _, record = line.partition(b"\t")
    return name.decode(), record
