"""Reads samples of one shard, in any order.

One idea: the index says where each sample is, so a sample is one range, of a local file or of a remote object. What the
manifest and the index say is checked as far as it costs little (the file's size, the index's digest, the name in the header
before each member, the CRC-32 of each sample's members, the record's key), so no changed bit of a picture or a record gets
through; `rsflow.shards.verify` checks every byte, headers and padding included. Where the index has no CRC-32, as an earlier
rsflow wrote it, a local shard's SHA-256 is checked when it is opened; ranges of a remote one are read without a check.

A range of a local file is read, not mapped: it takes the same time, for both copy the picture once, and a file that is
truncated while it is read is then a short read and an error with its name; with a mapped one the process would die. `view`
reads a picture straight into the caller's memory, so nothing is copied twice.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from rsflow.errors import SnapshotError
from rsflow.files import storage
from rsflow.shards.format import BLOCK, FIRST, PICTURE_FORMATS, Sample, crc32
from rsflow.shards.index import Index, SampleKind, parse_index
from rsflow.shards.manifest import ShardEntry, reading_required

REPAIR_HINT = "restore the file, or delete it and build again"
MISSING_MESSAGE = f"the manifest names it, but it is missing; {REPAIR_HINT}"

Buffer = bytes | memoryview
Allocator = Callable[[int], memoryview]  # memory for so many bytes


class ScratchBuffer:
    """An allocator that reuses its memory: what a call returns is valid until the next call."""

    def __init__(self) -> None:
        self._memory = memoryview(bytearray(1 << 17))

    def __call__(self, size: int) -> memoryview:
        if size > len(self._memory):
            self._memory = memoryview(bytearray(2 * size))
        return self._memory[:size]


class SampleView(NamedTuple):
    """A Sample (rsflow.shards.format) whose bytes may be in memory that is reused. `span_bytes`: what it takes of the
    shard, headers included."""

    key: str
    picture: Buffer
    picture_format: str
    record: dict[str, Any]
    others: Mapping[str, Buffer]
    span_bytes: int


class ShardReader:
    """One open shard. `samples` is its index; a local shard's file stays open until the reader is collected."""

    def __init__(self, root: str, shard: ShardEntry) -> None:
        """Raises SnapshotError where the shard or its index is missing or not what `shard` says."""
        self.place = storage.join(root, shard.path)
        self.samples = read_index(root, shard)
        if len(self.samples) != shard.samples:
            raise SnapshotError(f"{self.place}: its index has {len(self.samples)} samples, the manifest says {shard.samples}")
        self._layouts = [_layout(kind, self.place) for kind in self.samples.kinds]
        self._file = None
        if not storage.is_remote(self.place):
            self._file = _opened(self.place, shard.bytes)
            weakref.finalize(self, os.close, self._file)
            if self.samples.crc32 is None:
                self._check_digest(shard)

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        """All samples in key order."""
        return (self.read(i) for i in range(len(self)))

    @property
    def remote(self) -> bool:
        return self._file is None

    def _check_digest(self, shard: ShardEntry) -> None:
        with open(_local(self.place), "rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != shard.sha256:
                raise SnapshotError(f"{self.place}: its SHA-256 is not the manifest's; {REPAIR_HINT}")

    def read(self, i: int) -> Sample:
        """Sample `i` of the index. SnapshotError, naming the shard, where its bytes are not such a sample."""
        start, stop = self.samples.span(i)
        if self._file is not None:
            return self.parse(i, os.pread(self._file, stop - start, start))
        with reading_required(self.place, MISSING_MESSAGE):
            return self.parse(i, storage.read_bytes(self.place, start, stop))

    def parse(self, i: int, data: bytes) -> Sample:
        """Sample `i` from its bytes, those of its span."""
        offsets, sizes = self.samples.member_places(i)
        key, picture, name, record, others, _ = self._parsed(i, offsets, sizes, memoryview(data), None)
        return Sample(key, bytes(picture), name, record, {extension: bytes(one) for extension, one in others.items()})

    def view(self, i: int, picture: Allocator, rest: Allocator) -> SampleView:
        """Sample `i` of a local shard: its picture in memory from `picture`, everything else in memory from `rest`."""
        if self._file is None:
            raise ValueError(f"{self.place}: is not on this machine")
        offsets, sizes = self.samples.member_places(i)
        at = self._layouts[self.samples.kind[i]].picture
        start, size = offsets[0] - BLOCK, offsets[-1] + sizes[-1] - offsets[0] + BLOCK
        before, own, around = offsets[at] - start, picture(sizes[at]), rest(size - sizes[at])
        found = os.preadv(self._file, [around[:before], own, around[before:]], start)
        if found < size:
            raise self._broken(i, next(n for n, offset in enumerate(offsets) if offset + sizes[n] > start + found))
        return self._parsed(i, offsets, sizes, around, own)

    def _parsed(self, i: int, offsets: list[int], sizes: list[int], data: memoryview, own: memoryview | None) -> SampleView:
        """`data`: the bytes of the sample's span, without those of its picture where these are given as `own`."""
        coded, (members, at, picture_format) = self.samples.keys[i], self._layouts[self.samples.kind[i]]
        begin = first = offsets[0] - BLOCK
        parts: dict[str, memoryview] = {}
        for n, (extension, suffix) in enumerate(members):
            start, size, name = offsets[n] - first, sizes[n], coded + suffix
            if n == at and own is not None:
                found, first = own, first + size
            else:
                found = data[start : start + size]
            if len(found) != size or data[start - BLOCK : start - BLOCK + len(name)] != name:
                raise self._broken(i, n)
            parts[extension] = found
        if self.samples.crc32 is not None and crc32(parts.values()) != self.samples.crc32[i]:
            raise SnapshotError(
                f"{self.place}: sample {coded.decode()} is damaged: its CRC-32 is not that of the index; {REPAIR_HINT}"
            )
        try:
            key, record = coded.decode(), orjson.loads(parts.pop("json"))
            if record["key"] != key:
                raise ValueError(f"its record says {record['key']!r}")
            return SampleView(key, parts.pop(members[at][0]), picture_format, record, parts, offsets[-1] + sizes[-1] - begin)
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"{self.place}: sample {coded.decode()} is damaged ({error!r}); {REPAIR_HINT}") from error

    def _broken(self, i: int, n: int) -> SnapshotError:
        row = self.samples[i]
        extension, offset, _ = row.members[n]
        return SnapshotError(f"{self.place}: no whole member {row.key}.{extension} at byte {offset}; {REPAIR_HINT}")


class _Layout(NamedTuple):
    """Of the samples of a kind: the members' extensions and how their names end in the headers, and which is the picture."""

    members: tuple[tuple[str, bytes], ...]
    picture: int
    picture_format: str


def _layout(kind: SampleKind, place: str) -> _Layout:
    """The picture is the plain one, that of the sample's own sensor, or the first of a group. SnapshotError where there is
    none."""
    own = {f"{kind.sensor}.{name}" for name in PICTURE_FORMATS} if len(kind.extensions) > 2 else ()
    for i, extension in enumerate(kind.extensions):
        if extension in PICTURE_FORMATS or extension in own or extension.startswith(FIRST):
            members = tuple((name, f".{name}\0".encode()) for name in kind.extensions)
            return _Layout(members, i, extension.rpartition(".")[2])
    raise SnapshotError(
        f"{place}: samples of members {list(kind.extensions)}, expected a picture, plain or of sensor {kind.sensor!r}; "
        f"{REPAIR_HINT}"
    )


def read_index(root: str, shard: ShardEntry) -> Index:
    """The index of a shard. SnapshotError where it is missing or its SHA-256 is not the manifest's."""
    place = storage.join(root, shard.index_path)
    with reading_required(place, MISSING_MESSAGE):
        data = storage.read_bytes(place) if storage.is_remote(place) else Path(_local(place)).read_bytes()
    if hashlib.sha256(data).hexdigest() != shard.index_sha256:
        raise SnapshotError(f"{place}: its SHA-256 is not the manifest's; {REPAIR_HINT}")
    return parse_index(data, place)


def _opened(place: str, size: int) -> int:
    """A descriptor of the file, which has to be of that size."""
    with reading_required(place, MISSING_MESSAGE):
        file = os.open(_local(place), os.O_RDONLY)
    found = os.fstat(file).st_size
    if found != size:
        os.close(file)
        raise SnapshotError(f"{place}: has {found} bytes, the manifest says {size}; {REPAIR_HINT}")
    return file


def _local(place: str) -> str:
    """The path of a place on this machine: asking fsspec for it takes longer than to open the file."""
    return os.path.expanduser(place.removeprefix("file://"))
