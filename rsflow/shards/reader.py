"""Reads samples of one shard, in any order.

One idea: the index says where each sample is, so a sample is one range, of a local file or of an object afar. What the
manifest and the index say is checked as far as it costs nothing (the file's size, the index's digest, the header before each
member, the record's key); `rsflow.shards.verify` checks every byte.

A range of a local file is read, not mapped: it takes the same time, for both copy the picture once, and a file that is cut
while it is read is then a short read and an error with its name. Of a mapped one the process would die.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from rsflow import storage
from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, Sample
from rsflow.shards.index import Index, IndexedSample, Member, parse_index
from rsflow.shards.manifest import ShardEntry, expected

REPAIR = "restore the file, or delete it and build again"
MISSING = f"the manifest names it, but it is missing; {REPAIR}"


class ShardReader:
    """One open shard. `samples` is its index; a local shard's file stays open until the reader is collected."""

    def __init__(self, root: str, shard: ShardEntry) -> None:
        """Raises SnapshotError where the shard or its index is missing or not what `shard` says."""
        self.place = storage.join(root, shard.path)
        self.samples = read_index(root, shard)
        if len(self.samples) != shard.samples:
            raise SnapshotError(f"{self.place}: its index has {len(self.samples)} samples, the manifest says {shard.samples}")
        self._file = None
        if not storage.is_remote(self.place):
            self._file = _opened(self.place, shard.bytes)
            weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        """All samples in key order."""
        return (self.read(i) for i in range(len(self)))

    @property
    def remote(self) -> bool:
        return self._file is None

    def read(self, i: int) -> Sample:
        """Sample `i` of the index. SnapshotError, naming the shard, where its bytes are not such a sample."""
        return self.take(self.samples[i])

    def take(self, row: IndexedSample) -> Sample:
        """The sample of that row of the index."""
        if self._file is not None:
            # Each member by itself: cut out of the whole span, a picture would be copied twice.
            file = self._file
            return self._parsed(row, lambda start, size: os.pread(file, size, start))
        with expected(self.place, MISSING):
            return self.parse(row, storage.read_bytes(self.place, *row.span))

    def parse(self, row: IndexedSample, data: bytes) -> Sample:
        """The sample of that row from its bytes, those of its span."""
        first = row.span[0]
        return self._parsed(row, lambda start, size: data[start - first : start - first + size])

    def _parsed(self, row: IndexedSample, read: Callable[[int, int], bytes]) -> Sample:
        parts = {member.extension: self._member(row, member, read) for member in row.members}
        try:
            record = orjson.loads(parts["json"])
            if record["key"] != row.key:
                raise ValueError(f"its record says {record['key']!r}")
            return Sample.of(row.key, parts, record)
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"{self.place}: sample {row.key} is damaged ({error!r}); {REPAIR}") from error

    def _member(self, row: IndexedSample, member: Member, read: Callable[[int, int], bytes]) -> bytes:
        extension, offset, size = member
        name = f"{row.key}.{extension}\0".encode()
        data = read(offset, size)
        if len(data) != size or read(offset - BLOCK, len(name)) != name:
            raise SnapshotError(f"{self.place}: no whole member {row.key}.{extension} at byte {offset}; {REPAIR}")
        return data


def read_index(root: str, shard: ShardEntry) -> Index:
    """The index of a shard. SnapshotError where it is missing or its bytes are not those the manifest tells."""
    place = storage.join(root, shard.index_path)
    with expected(place, MISSING):
        data = storage.read_bytes(place) if storage.is_remote(place) else Path(_local(place)).read_bytes()
    if hashlib.sha256(data).hexdigest() != shard.index_sha256:
        raise SnapshotError(f"{place}: its SHA-256 is not the manifest's; {REPAIR}")
    return parse_index(data, place)


def _opened(place: str, size: int) -> int:
    """A descriptor of the file, which has to be of that size."""
    with expected(place, MISSING):
        file = os.open(_local(place), os.O_RDONLY)
    found = os.fstat(file).st_size
    if found != size:
        os.close(file)
        raise SnapshotError(f"{place}: has {found} bytes, the manifest says {size}; {REPAIR}")
    return file


def _local(place: str) -> str:
    """The path of a place on this machine: asking fsspec for it takes longer than to open the file."""
    return os.path.expanduser(place.removeprefix("file://"))
