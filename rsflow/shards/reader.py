"""Reads samples of one shard, in any order.

One idea: the index says where each sample is, so a sample is one range, of a local file or of an object afar. What the
manifest and the index say is checked as far as it costs nothing (the file's size, the index's digest, the header before each
member, the record's key); `rsflow.shards.verify` checks every byte.

A range of a local file is read, not mapped: it takes the same time, for both copy the picture once, and a file that is cut
while it is read is then a short read and an error with its name. Of a mapped one the process would die. Whoever brings memory
(`view`) gets the picture written there at once, and nothing is copied twice.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from rsflow import storage
from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, PICTURE_FORMATS, Sample
from rsflow.shards.index import Index, IndexedSample, Member, parse_index
from rsflow.shards.manifest import ShardEntry, expected

REPAIR = "restore the file, or delete it and build again"
MISSING = f"the manifest names it, but it is missing; {REPAIR}"

Buffer = bytes | memoryview
Room = Callable[[int], memoryview]  # memory for so many bytes


class Scratch:
    """Room that is used again: what a call gives holds until the next."""

    def __init__(self) -> None:
        self._memory = memoryview(bytearray(1 << 17))

    def __call__(self, size: int) -> memoryview:
        if size > len(self._memory):
            self._memory = memoryview(bytearray(2 * size))
        return self._memory[:size]


class View(NamedTuple):
    """A Sample (rsflow.shards.format) whose bytes may stand in memory that is used again."""

    key: str
    picture: Buffer
    picture_format: str
    record: dict[str, Any]
    others: Mapping[str, Buffer]


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
        start, stop = row.span
        if self._file is not None:
            return self.parse(row, os.pread(self._file, stop - start, start))
        with expected(self.place, MISSING):
            return self.parse(row, storage.read_bytes(self.place, start, stop))

    def parse(self, row: IndexedSample, data: bytes) -> Sample:
        """The sample of that row from its bytes, those of its span."""
        key, picture, name, record, others = self._parsed(row, _picture(row), memoryview(data), None)
        return Sample(key, bytes(picture), name, record, {extension: bytes(one) for extension, one in others.items()})

    def view(self, row: IndexedSample, picture: Room, rest: Room) -> View:
        """The sample of that row of a local shard: its picture where `picture` gives room, all else where `rest` does."""
        if self._file is None:
            raise ValueError(f"{self.place}: is not on this machine")
        start, stop = row.span
        at = _picture(row)
        _, offset, size = row.members[at]
        own, around = picture(size), rest(stop - start - size)
        found = os.preadv(self._file, [around[: offset - start], own, around[offset - start :]], start)
        for member in row.members if found < stop - start else ():
            if member.offset + member.size > start + found:
                raise self._broken(row, member)
        return self._parsed(row, at, around, own)

    def _parsed(self, row: IndexedSample, at: int, data: memoryview, own: memoryview | None) -> View:
        """`data`: the bytes of the row's span, without those of its picture, member `at`, where these are given as `own`."""
        key, first = row.key, row.members[0].offset - BLOCK
        parts: dict[str, memoryview] = {}
        for i, member in enumerate(row.members):
            extension, offset, size = member
            start = offset - first if own is None or i <= at else offset - first - len(own)
            name = f"{key}.{extension}\0".encode()
            found = data[start : start + size] if own is None or i != at else own
            if len(found) != size or data[start - BLOCK : start - BLOCK + len(name)] != name:
                raise self._broken(row, member)
            parts[extension] = found
        try:
            record = orjson.loads(parts.pop("json"))
            if record["key"] != key:
                raise ValueError(f"its record says {record['key']!r}")
            extension = row.members[at].extension
            return View(key, parts.pop(extension), extension.rpartition(".")[2], record, parts)
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"{self.place}: sample {key} is damaged ({error!r}); {REPAIR}") from error

    def _broken(self, row: IndexedSample, member: Member) -> SnapshotError:
        return SnapshotError(f"{self.place}: no whole member {row.key}.{member.extension} at byte {member.offset}; {REPAIR}")


def read_index(root: str, shard: ShardEntry) -> Index:
    """The index of a shard. SnapshotError where it is missing or its bytes are not those the manifest tells."""
    place = storage.join(root, shard.index_path)
    with expected(place, MISSING):
        data = storage.read_bytes(place) if storage.is_remote(place) else Path(_local(place)).read_bytes()
    if hashlib.sha256(data).hexdigest() != shard.index_sha256:
        raise SnapshotError(f"{place}: its SHA-256 is not the manifest's; {REPAIR}")
    return parse_index(data, place)


def _picture(row: IndexedSample) -> int:
    """Which of the row's members is its picture: the plain one, or that of its own sensor."""
    own = {f"{row.sensor}.{name}" for name in PICTURE_FORMATS} if len(row.members) > 2 else ()
    for i, member in enumerate(row.members):
        if member.extension in PICTURE_FORMATS or member.extension in own:
            return i
    names = [member.extension for member in row.members]
    raise SnapshotError(f"sample {row.key}: members {names}, expected a picture, plain or of sensor {row.sensor!r}")


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
