"""Reads samples of one shard, in any order.

One idea: the index says where each sample is, so a sample is one range: of a memory map for a local file, of the object for a
remote one. What the manifest and the index say is checked as far as it costs nothing (the file's size, the index's digest,
the header before each member, the record's key); `rsflow.shards.verify` checks every byte.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator, Sequence

from rsflow import storage
from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, PICTURE_FORMATS, Sample
from rsflow.shards.index import IndexedSample, Member, parse_index
from rsflow.shards.manifest import ShardEntry, expected

REPAIR = "restore the file, or delete it and build again"
MISSING = f"the manifest names it, but it is missing; {REPAIR}"


class ShardReader:
    """One open shard. `samples` is its index; a local shard stays mapped until the reader is collected."""

    def __init__(self, root: str, shard: ShardEntry) -> None:
        """Raises SnapshotError where the shard or its index is missing or not what `shard` says."""
        self.place = storage.join(root, shard.path)
        self.samples = read_index(root, shard)
        if len(self.samples) != shard.samples:
            raise SnapshotError(f"{self.place}: its index has {len(self.samples)} samples, the manifest says {shard.samples}")
        self._view = None if storage.is_remote(self.place) else memoryview(_mapped(self.place, shard.bytes))

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        """All samples in key order."""
        return (self.read(i) for i in range(len(self)))

    @property
    def remote(self) -> bool:
        return self._view is None

    def read(self, i: int) -> Sample:
        """Sample `i` of the index. SnapshotError, naming the shard, where its bytes are not such a sample."""
        start, stop = self.samples[i].span
        if self._view is None:
            with expected(self.place, MISSING):
                return self.parse(i, storage.read_bytes(self.place, start, stop))
        return self.parse(i, self._view[start:stop])

    def parse(self, i: int, data: bytes | memoryview) -> Sample:
        """Sample `i` from its bytes, those of its span."""
        row, view = self.samples[i], memoryview(data)
        parts = {member.extension: self._member(row, member, view) for member in row.members}
        try:
            record = json.loads(parts["json"])
            if record["key"] != row.key:
                raise ValueError(f"its record says {record['key']!r}")
            picture_format = next(extension for extension in PICTURE_FORMATS if extension in parts)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise SnapshotError(f"{self.place}: sample {row.key} is damaged ({error!r}); {REPAIR}") from error
        return Sample(row.key, parts[picture_format], picture_format, record)

    def _member(self, row: IndexedSample, member: Member, data: memoryview) -> bytes:
        name = f"{row.key}.{member.extension}\0".encode()
        start = member.offset - row.span[0]
        header = start - BLOCK
        part = bytes(data[start : start + member.size])
        if data[header : header + len(name)] != name or len(part) != member.size:
            raise SnapshotError(f"{self.place}: no whole member {row.key}.{member.extension} at byte {member.offset}; {REPAIR}")
        return part


def read_index(root: str, shard: ShardEntry) -> tuple[IndexedSample, ...]:
    """The index of a shard. SnapshotError where it is missing or its bytes are not those the manifest tells."""
    place = storage.join(root, shard.index_path)
    with expected(place, MISSING):
        data = storage.read_bytes(place)
    if hashlib.sha256(data).hexdigest() != shard.index_sha256:
        raise SnapshotError(f"{place}: its SHA-256 is not the manifest's; {REPAIR}")
    return parse_index(data, place)


def read_samples(wanted: Sequence[tuple[ShardReader, int]]) -> list[Sample]:
    """Samples of several shards in the order asked for; those of remote shards in one concurrent request."""
    if not any(reader.remote for reader, _ in wanted):
        return [reader.read(i) for reader, i in wanted]
    fs, _ = storage.filesystem(wanted[0][0].place)
    paths = [storage.filesystem(reader.place)[1] for reader, _ in wanted]
    spans = [reader.samples[i].span for reader, i in wanted]
    with expected(wanted[0][0].place, MISSING):
        found = fs.cat_ranges(paths, [start for start, _ in spans], [stop for _, stop in spans], on_error="raise")
    return [reader.parse(i, bytes(data)) for (reader, i), data in zip(wanted, found, strict=True)]


def _mapped(place: str, size: int) -> mmap.mmap:
    with expected(place, MISSING), open(storage.filesystem(place)[1], "rb") as file:
        found = file.seek(0, 2)
        if found != size or not size:  # an empty file cannot be mapped
            raise SnapshotError(f"{place}: has {found} bytes, the manifest says {size}; {REPAIR}")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
