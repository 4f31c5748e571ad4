"""The reader gives back what was written, in any order, and names the shard whose bytes are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from rsflow.errors import SnapshotError
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry
from rsflow.shards.reader import ScratchBuffer, ShardReader
from rsflow.shards.verify import verify_shard
from rsflow.shards.writer import write_shard

MakeSamples = Callable[..., list[Sample]]


@pytest.fixture
def lake(tmp_path: Path, write_lake: Callable[[Path], Manifest]) -> tuple[Path, ShardEntry]:
    return tmp_path, write_lake(tmp_path).splits["train"].shards[0]


def test_reads_what_was_written(lake: tuple[Path, ShardEntry], make_samples: MakeSamples) -> None:
    reader, samples = ShardReader(str(lake[0]), lake[1]), make_samples(20)
    assert list(reader) == samples
    assert [reader.read(i) for i in (13, 0, 19)] == [samples[i] for i in (13, 0, 19)]
    assert len(reader) == 20
    assert list(ShardReader(f"file://{lake[0]}", lake[1])) == samples


def test_reads_ranges_of_a_remote_shard(
    tmp_path: Path, write_lake: Callable[[Path], Manifest], make_samples: MakeSamples
) -> None:
    shard = write_lake(tmp_path).splits["train"].shards[1]
    root = f"memory://{tmp_path.name}"
    for path in (shard.path, shard.index_path):
        with fsspec.open(f"{root}/{path}", "wb") as stream:
            stream.write((tmp_path / path).read_bytes())
    reader, samples = ShardReader(root, shard), make_samples(20, 20)
    assert [reader.read(i) for i in (7, 0, 19)] == [samples[i] for i in (7, 0, 19)]


def test_a_shard_that_is_cut_while_it_is_open_is_named(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    reader = ShardReader(str(root), shard)
    last = reader.samples[-1]
    with open(root / shard.path, "r+b") as stream:
        stream.truncate(last.members[-1].offset)
    assert reader.read(3).key == reader.samples[3].key
    with pytest.raises(SnapshotError, match=rf"a\.tar: no whole member {last.key}"):
        reader.read(len(reader) - 1)


def test_several_pictures_and_raw_bands_come_back(tmp_path: Path) -> None:
    several = [
        Sample(f"{i}", b"own", "jpg", {"key": f"{i}", "sensor": "optical", "instructions": []}, others)
        for i, others in enumerate(
            ({}, {"npy": b"bands"}, {"sar.png": b"sar", "infrared.jpg": b"ir"}, {"sar.png": b"", "npy": b""})
        )
    ]
    info = write_shard(str(tmp_path / "a.tar"), str(tmp_path / "a.idx"), several)
    shard = ShardEntry("a.tar", info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
    reader = ShardReader(str(tmp_path), shard)
    assert list(reader) == several
    assert [[member.extension for member in row.members] for row in reader.samples] == [
        ["jpg", "json"],
        ["jpg", "json", "npy"],
        ["infrared.jpg", "json", "optical.jpg", "sar.png"],
        ["json", "npy", "optical.jpg", "sar.png"],
    ]
    assert verify_shard(str(tmp_path), shard) == []


def test_a_view_is_the_sample_in_memory_that_was_brought(tmp_path: Path) -> None:
    kinds: tuple[tuple[str, dict[str, bytes]], ...] = (
        ("jpg", {}),
        ("png", {"npy": b"bands" * 300}),
        ("jpg", {"sar.png": b"sar", "infrared.jpg": b"ir" * 1000}),
        ("png", {"sar.png": b"", "npy": b""}),
    )
    samples = [
        Sample(f"{i}", f"own {i} ".encode() * 500, kind, {"key": f"{i}", "sensor": "optical", "instructions": []}, others)
        for i, (kind, others) in enumerate(kinds)
    ]
    info = write_shard(str(tmp_path / "a.tar"), str(tmp_path / "a.idx"), samples)
    shard = ShardEntry("a.tar", info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
    reader, rest, given = ShardReader(str(tmp_path), shard), ScratchBuffer(), []

    def allocate(size: int) -> memoryview:
        given.append(memoryview(bytearray(size)))
        return given[-1]

    for i, sample in enumerate(samples):
        found = reader.view(i, allocate, rest)
        start, stop = reader.samples[i].span
        assert found.span_bytes == stop - start
        assert found.picture is given[-1]
        assert (found.key, bytes(found.picture), found.picture_format) == (sample.key, sample.picture, sample.picture_format)
        assert (found.record, {name: bytes(data) for name, data in found.others.items()}) == (sample.record, sample.others)


def test_a_view_of_a_shard_that_is_cut_is_not_what_the_memory_held(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    reader, allocate, rest = ShardReader(str(root), shard), ScratchBuffer(), ScratchBuffer()
    last = reader.samples[-1]
    reader.view(len(reader) - 1, allocate, rest)
    with open(root / shard.path, "r+b") as stream:
        stream.truncate(last.members[-1].offset + 1)
    with pytest.raises(SnapshotError, match=rf"a\.tar: no whole member {last.key}\.{last.members[-1].extension}"):
        reader.view(len(reader) - 1, allocate, rest)


def test_scratch_memory_grows() -> None:
    scratch = ScratchBuffer()
    assert [len(scratch(size)) for size in (10, 1 << 20, 3, 0)] == [10, 1 << 20, 3, 0]


def test_a_missing_or_cut_shard_is_named(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    path = root / shard.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-512])
    with pytest.raises(SnapshotError, match=rf"a\.tar: has {shard.bytes - 512} bytes, the manifest says {shard.bytes}"):
        ShardReader(str(root), shard)
    path.write_bytes(b"")
    with pytest.raises(SnapshotError, match=r"a\.tar: has 0 bytes"):
        ShardReader(str(root), shard)
    path.unlink()
    with pytest.raises(SnapshotError, match=r"a\.tar: the manifest names it, but it is missing"):
        ShardReader(str(root), shard)


def test_a_missing_or_changed_index_is_named(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    path = root / shard.index_path
    path.write_bytes(path.read_bytes().replace(b'"jpg"', b'"jpq"', 1))
    with pytest.raises(SnapshotError, match=r"a\.idx: its SHA-256 is not the manifest's"):
        ShardReader(str(root), shard)
    path.unlink()
    with pytest.raises(SnapshotError, match=r"a\.idx: the manifest names it, but it is missing"):
        ShardReader(str(root), shard)


def test_another_count_than_the_manifests_is_told(lake: tuple[Path, ShardEntry]) -> None:
    with pytest.raises(SnapshotError, match="its index has 20 samples, the manifest says 21"):
        ShardReader(str(lake[0]), replace(lake[1], samples=21))


@pytest.mark.parametrize("target", ["header", "record", "key"])
def test_damage_within_is_told_when_it_is_read(lake: tuple[Path, ShardEntry], target: str) -> None:
    root, shard = lake
    row = ShardReader(str(root), shard).samples[4]
    record = next(member for member in row.members if member.extension == "json")
    data = bytearray((root / shard.path).read_bytes())
    if target == "header":
        data[row.span[0]] ^= 1
    elif target == "record":
        data[record.offset] = ord("[")
    else:
        at = data.index(row.key.encode(), record.offset)
        data[at] = ord("x")
    (root / shard.path).write_bytes(data)
    reader = ShardReader(str(root), shard)
    assert reader.read(3).key < row.key
    with pytest.raises(SnapshotError, match=rf"a\.tar: .*{row.key}"):
        reader.read(4)
    with pytest.raises(SnapshotError, match=rf"a\.tar: .*{row.key}"):
        reader.view(4, ScratchBuffer(), ScratchBuffer())
