"""A changed bit of a sample's data stops whoever reads it, by any way of reading; shards without checksums are read on."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from rsflow.errors import SnapshotError
from rsflow.shards.format import Sample
from rsflow.shards.index import parse_index
from rsflow.shards.manifest import ShardEntry
from rsflow.shards.reader import ScratchBuffer, ShardReader
from rsflow.shards.verify import verify_shard
from rsflow.shards.writer import write_shard


@pytest.fixture
def shard(tmp_path: Path) -> ShardEntry:
    """Three samples, one of them with a second picture and raw bands, whose bytes no decoder would miss."""
    draw = random.Random(3)
    samples = [
        Sample(key, draw.randbytes(300), "png", {"key": key, "sensor": "sar", "instructions": [], "text": "x" * 200}, others)
        for key, others in (("a", {}), ("b", {"optical.jpg": draw.randbytes(90), "npy": draw.randbytes(70)}), ("c", {}))
    ]
    info = write_shard(str(tmp_path / "s.tar"), str(tmp_path / "s.idx"), samples)
    return ShardEntry("s.tar", info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)


def test_the_index_holds_the_zlib_crc_of_the_members_data(tmp_path: Path, shard: ShardEntry) -> None:
    data, index = (tmp_path / "s.tar").read_bytes(), parse_index((tmp_path / "s.idx").read_bytes(), "s.idx")
    for row in index:
        joined = b"".join(data[member.offset : member.offset + member.size] for member in row.members)
        assert row.crc32 == zlib.crc32(joined)


def test_every_flipped_bit_of_the_data_is_noticed_and_named(tmp_path: Path, shard: ShardEntry) -> None:
    place, draw = tmp_path / "s.tar", random.Random(4)
    whole, rows = place.read_bytes(), ShardReader(str(tmp_path), shard).samples
    for i, row in enumerate(rows):
        for member in row.members:
            for at in draw.sample(range(member.offset, member.offset + member.size), 8):
                flipped = bytearray(whole)
                flipped[at] ^= 1 << draw.randrange(8)
                place.write_bytes(flipped)
                reader, (start, stop) = ShardReader(str(tmp_path), shard), rows.span(i)
                for read in (
                    lambda reader=reader, i=i: reader.read(i),
                    lambda reader=reader, i=i: reader.view(i, ScratchBuffer(), ScratchBuffer()),
                    lambda reader=reader, i=i, part=bytes(flipped[start:stop]): reader.parse(i, part),
                ):
                    with pytest.raises(SnapshotError, match=rf"s\.tar: sample {row.key} is damaged"):
                        read()
                for other in set(range(len(rows))) - {i}:
                    assert reader.read(other).key == rows[other].key


def test_a_shard_of_an_index_without_checksums_is_read_and_verified(tmp_path: Path, shard: ShardEntry) -> None:
    place = tmp_path / "s.idx"
    content = json.loads(place.read_bytes())
    del content["crc32"]
    old = json.dumps(content).encode()
    place.write_bytes(old)
    entry = replace(shard, index_bytes=len(old), index_sha256=sha256(old).hexdigest())
    assert [sample.key for sample in ShardReader(str(tmp_path), entry)] == ["a", "b", "c"]
    assert verify_shard(str(tmp_path), entry) == []


def test_a_wrong_checksum_is_a_difference_and_one_too_few_no_index(tmp_path: Path, shard: ShardEntry) -> None:
    place = tmp_path / "s.idx"
    content = json.loads(place.read_bytes())
    content["crc32"][1] ^= 1
    changed = json.dumps(content).encode()
    place.write_bytes(changed)
    entry = replace(shard, index_bytes=len(changed), index_sha256=sha256(changed).hexdigest())
    assert verify_shard(str(tmp_path), entry) == ["s.idx: disagrees with the shard about 1 samples, such as ['b']"]
    content["crc32"].pop()
    with pytest.raises(SnapshotError, match="2 checksums of 3 samples"):
        parse_index(json.dumps(content).encode(), "s.idx")
