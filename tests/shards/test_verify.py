"""Each kind of planted damage is found, also where the manifest's digests were made to agree with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import SnapshotError
from rsflow.shards.format import BLOCK, Sample, canonical_json, padding_bytes, tar_header
from rsflow.shards.manifest import Manifest, ShardEntry, Split, write_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_shard, verify_snapshot
from rsflow.shards.writer import write_shard

WriteLake = Callable[[Path], Manifest]
MakeSamples = Callable[..., list[Sample]]


@pytest.fixture
def lake(tmp_path: Path, write_lake: WriteLake) -> tuple[Path, ShardEntry]:
    return tmp_path, write_lake(tmp_path).splits["train"].shards[0]


def agreed(root: Path, shard: ShardEntry) -> ShardEntry:
    """The entry with sizes and digests of what is on disk now: damage that only a look inside finds."""
    tar, index = (root / shard.path).read_bytes(), (root / shard.index_path).read_bytes()
    return replace(
        shard,
        bytes=len(tar),
        sha256=hashlib.sha256(tar).hexdigest(),
        index_bytes=len(index),
        index_sha256=hashlib.sha256(index).hexdigest(),
    )


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def flip(position: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_an_untouched_snapshot_has_no_difference(tmp_path: Path, write_lake: WriteLake) -> None:
    manifest = write_lake(tmp_path)
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    seen: list[ShardEntry] = []
    found = verify_snapshot(str(tmp_path), each=seen.append)
    assert (found.differences, found.shards, found.samples) == ((), 3, 60)
    assert found.bytes == sum(shard.bytes for shard in shards)
    assert seen == shards


def test_any_flipped_byte_is_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    for name, size in ((shard.path, shard.bytes), (shard.index_path, shard.index_bytes)):
        for position in range(0, size, size // 7):
            change(root / name, flip(position))
            assert any("SHA-256" in line and name in line for line in verify_shard(str(root), shard))
            change(root / name, flip(position))
    assert verify_shard(str(root), shard) == []


def member_of(root: Path, shard: ShardEntry, extension: str) -> tuple[str, int, int]:
    """(key, offset, size) of a member of the fifth or a later sample."""
    rows = ShardReader(str(root), shard).samples[4:]
    return next((row.key, m.offset, m.size) for row in rows for m in row.members if m.extension == extension and m.size % BLOCK)


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (lambda offset, size: offset - BLOCK + 110, "no header that rsflow writes"),
        (lambda offset, size: offset, "sample .*: "),
        (lambda offset, size: offset + size, "padding after .* is not zero"),
    ],
)
def test_damage_that_the_digests_agree_with_is_found(
    lake: tuple[Path, ShardEntry], at: Callable[[int, int], int], found: str
) -> None:
    root, shard = lake
    _, offset, size = member_of(root, shard, "json")
    change(root / shard.path, flip(at(offset, size)))
    [first, *_] = verify_shard(str(root), agreed(root, shard))
    assert first.startswith(shard.path)
    assert re.search(found, first)


def test_truncation_is_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    for cut in (1, 512, 1024, 1500, shard.bytes // 2, shard.bytes):
        whole = (root / shard.path).read_bytes()
        (root / shard.path).write_bytes(whole[:-cut])
        assert any(f"has {shard.bytes - cut} bytes" in line for line in verify_shard(str(root), shard))
        assert verify_shard(str(root), agreed(root, shard))
        (root / shard.path).write_bytes(whole)


def test_bytes_after_the_end_are_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    change(root / shard.path, lambda data: data + bytes(512))
    assert verify_shard(str(root), agreed(root, shard)) != []


def test_a_missing_member_is_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    key, offset, size = member_of(root, shard, "json")
    change(root / shard.path, lambda data: data[: offset - BLOCK] + data[offset + size + padding_bytes(size) :])
    lines = verify_shard(str(root), agreed(root, shard))
    assert any(key in line and "expected a picture and json" in line for line in lines)
    assert any("holds 19 samples, the manifest says 20" in line for line in lines)


def archive(samples: list[list[tuple[str, bytes]]]) -> bytes:
    members = (
        tar_header(name, len(data)) + data + bytes(padding_bytes(len(data))) for sample in samples for name, data in sample
    )
    return b"".join(members) + bytes(1024)


def test_keys_out_of_order_are_found(lake: tuple[Path, ShardEntry], make_samples: MakeSamples) -> None:
    root, shard = lake
    samples = [[(f"{one.key}.{extension}", data) for extension, data in one.members()] for one in make_samples(20)]
    samples[3], samples[4] = samples[4], samples[3]
    (root / shard.path).write_bytes(archive(samples))
    lines = verify_shard(str(root), agreed(root, shard))
    assert any("comes after" in line for line in lines)
    assert any("disagrees with the shard about" in line for line in lines)


@pytest.mark.parametrize("record", [b"{", b"[]", b'{"key":"other","sensor":"sar","instructions":[]}', b'{"key":"KEY"}'])
def test_records_that_are_none_are_found(lake: tuple[Path, ShardEntry], make_samples: MakeSamples, record: bytes) -> None:
    root, shard = lake
    samples = [[(f"{one.key}.{extension}", data) for extension, data in one.members()] for one in make_samples(20)]
    key = samples[7][0][0].partition(".")[0]
    samples[7] = sorted([(f"{key}.jpg", b""), (f"{key}.json", record.replace(b"KEY", key.encode()))])
    (root / shard.path).write_bytes(archive(samples))
    assert any(f"sample {key}: " in line for line in verify_shard(str(root), agreed(root, shard)))


def test_a_changed_index_is_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    key, offset, size = member_of(root, shard, "json")
    change(root / shard.index_path, lambda data: data.replace(b",%d,%d," % (offset, size), b",%d,%d," % (offset + 1, size)))
    [line] = verify_shard(str(root), agreed(root, shard))
    assert f"a.idx: disagrees with the shard about 1 samples, such as ['{key}']" in line


def test_wrong_numbers_are_found(lake: tuple[Path, ShardEntry]) -> None:
    root, shard = lake
    for wrong, found in (
        (replace(shard, samples=21), "holds 20 samples, the manifest says 21"),
        (replace(shard, instructions=0), "instructions, the manifest says 0"),
        (replace(shard, index_bytes=1), "a.idx: has"),
    ):
        assert any(found in line for line in verify_shard(str(root), wrong))


@pytest.mark.parametrize("attribute", ["path", "index_path"])
def test_missing_files_are_found(lake: tuple[Path, ShardEntry], attribute: str) -> None:
    root, shard = lake
    name = getattr(shard, attribute)
    (root / name).unlink()
    assert any(name in line for line in verify_shard(str(root), shard))


def replaced(root: Path, manifest: Manifest, **splits: Split) -> tuple[str, ...]:
    write_snapshot(str(root), replace(manifest, splits={**manifest.splits, **splits}))
    return verify_snapshot(str(root)).differences


def test_wrong_counts_by_task_and_sensor_are_found(tmp_path: Path, write_lake: WriteLake) -> None:
    manifest = write_lake(tmp_path)
    val = manifest.splits["val"]
    counts: dict[str, Any] = {task: dict(by_sensor) for task, by_sensor in val.counts.items()}
    found = counts["detection"]["sar"]
    counts["detection"]["sar"] = found + 1
    counts["counting"] = {"sar": 2}
    assert set(replaced(tmp_path, manifest, val=Split(val.shards, counts))) == {
        f"split val: {found} instructions of detection × sar, the manifest says {found + 1}",
        "split val: 0 instructions of counting × sar, the manifest says 2",
    }


def test_a_sample_in_two_shards_or_the_wrong_split_is_found(
    tmp_path: Path, write_lake: WriteLake, make_samples: MakeSamples
) -> None:
    manifest = write_lake(tmp_path)
    val, again = manifest.splits["val"], make_samples(2)
    for one in again:
        one.record["instructions"].clear()
    info = write_shard(str(tmp_path / "shards/val/d.tar"), str(tmp_path / "shards/val/d.idx"), again)
    entry = ShardEntry(
        "shards/val/d.tar", info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256
    )
    assert replaced(tmp_path, manifest, val=Split((*val.shards, entry), val.counts)) == (
        "shards/val/d.tar: a record says split 'train'",
        "shards/val/d.tar: 2 of its keys are in an earlier shard too",
    )


def test_no_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="is missing"):
        verify_snapshot(str(tmp_path))


def test_canonical_records_are_what_the_reader_gives(lake: tuple[Path, ShardEntry]) -> None:
    """The records on disk are in their one spelling, so that equal samples are equal bytes."""
    root, shard = lake
    data = (root / shard.path).read_bytes()
    for sample, row in zip(ShardReader(str(root), shard), ShardReader(str(root), shard).samples, strict=True):
        member = next(m for m in row.members if m.extension == "json")
        assert canonical_json(sample.record) == data[member.offset : member.offset + member.size]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("wrong", [None, "picture", "npy", "radar", "raw", "no radar"])
def test_what_records_tell_of_their_pictures_and_bands_is_held_against_them(
    lake: tuple[Path, ShardEntry], make_samples: MakeSamples, wrong: str | None
) -> None:
    root, shard = lake
    told = {
        "picture_sha256": sha256(b"other" if wrong == "picture" else b"own"),
        "raw": {"sha256": sha256(b"other" if wrong == "npy" else b"bands")},
        "companions": [{"sensor": "radar", "picture_sha256": sha256(b"other" if wrong == "radar" else b"beside")}],
    }
    others = {"npy": b"bands", "radar.png": b"beside"}
    for gone in {"raw": ["npy"], "no radar": ["radar.png"]}.get(wrong or "", []):
        del others[gone]
    samples = [replace(one, picture=b"own", record={**one.record, **told}, others=others) for one in make_samples(20)]
    info = write_shard(str(root / shard.path), str(root / shard.index_path), samples)
    lines = verify_shard(str(root), agreed(root, replace(shard, instructions=info.instructions)))
    if wrong is None:
        assert lines == []
    else:
        name = {"raw": "npy", "no radar": "radar"}.get(wrong, wrong)
        assert any(f"sample {samples[0].key}: {name}: not what its record says" in line for line in lines)
