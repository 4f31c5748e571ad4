"""Writes one shard and its index.

One idea: the shard is streamed once, in joined buffers, and its SHA-256 is taken on the way, so what the manifest says of it
was true of the very bytes that went out. The shard appears whole or not at all, and before its index. Samples that are not in
strictly rising key order are refused: the order is part of the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from rsflow.files import storage
from rsflow.shards.format import BLOCK, END, Sample, crc32, padding_bytes, tar_header
from rsflow.shards.index import IndexedSample, Member, encode_index

_BUFFER_BYTES = 1 << 18  # stays in the processor's cache between joining, hashing and writing
_ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """What was written: the shard's and its index's sizes and digests, and how much is in it."""

    samples: int
    instructions: int
    bytes: int
    sha256: str
    index_bytes: int
    index_sha256: str


def write_shard(place: str, index_place: str, samples: Iterable[Sample]) -> ShardInfo:
    """Write the samples to `place` and their index to `index_place`, in constant memory.

    The samples must come in strictly rising key order (ValueError). DataError for a sample that cannot be written,
    StorageError where the place cannot be: in both cases nothing appears.
    """
    rows: list[IndexedSample] = []
    instructions = 0
    with storage.create(place) as stream:
        tar = _Tar(stream)
        for sample in samples:
            if rows and sample.key <= rows[-1].key:
                raise ValueError(f"{place}: key {sample.key!r} after {rows[-1].key!r}: keys must rise strictly")
            parts = sample.members()
            members = tuple(tar.add(f"{sample.key}.{extension}", data) for extension, data in parts)
            rows.append(IndexedSample(sample.key, *sample.kind(), members, crc32(data for _, data in parts)))
            instructions += len(sample.record["instructions"])
        tar.finish()
    index = encode_index(rows)
    storage.write_bytes(index_place, index)
    digest = hashlib.sha256(index).hexdigest()
    return ShardInfo(len(rows), instructions, tar.position, tar.sha256.hexdigest(), len(index), digest)


class _Tar:
    """The growing archive. `position` is its length, written or still held."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.position = 0
        self._pieces: list[bytes] = []
        self._written = 0

    def add(self, name: str, data: bytes) -> Member:
        start, fill = self.position + BLOCK, padding_bytes(len(data))
        self._pieces += (tar_header(name, len(data)), data, _ZEROS[:fill])
        self.position = start + len(data) + fill
        if self.position - self._written >= _BUFFER_BYTES:
            self._flush()
        return Member(name.partition(".")[2], start, len(data))

    def finish(self) -> None:
        self._pieces.append(END)
        self.position += len(END)
        self._flush()

    def _flush(self) -> None:
        joined = b"".join(self._pieces)
        self.sha256.update(joined)
        self.stream.write(joined)
        self._pieces.clear()
        self._written = self.position
