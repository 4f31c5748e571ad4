"""Re-reads a snapshot's shards, every byte, and lists what differs from the manifest.

One idea: three accounts of the same samples must agree: the archive itself (walked header by header, without the index), the
index, and the manifest. Each is read on its own, and differences are collected rather than raised, so one report has all of
them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.errors import DataError, SnapshotError, StorageError
from rsflow.files import storage
from rsflow.shards.format import BANDS, BLOCK, END, MASKS, Sample, crc32, padding_bytes, parse_tar_header, picture_name
from rsflow.shards.index import IndexedSample, Member
from rsflow.shards.manifest import ShardEntry, Split, read_snapshot
from rsflow.shards.masks import encode_masks
from rsflow.shards.reader import read_index


@dataclass(frozen=True, slots=True)
class Verification:
    """What a snapshot holds as found on disk, and every difference from its manifest, one line each."""

    differences: tuple[str, ...]
    shards: int
    samples: int
    bytes: int


@dataclass
class _Found:
    """What reading one shard gave."""

    differences: list[str] = field(default_factory=list)
    samples: list[IndexedSample] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # instructions by (task, sensor)
    splits: set[str] = field(default_factory=set)
    bytes: int = 0


def verify_snapshot(root: str, n: int | None = None, each: Callable[[ShardEntry], None] = lambda shard: None) -> Verification:
    """Verify snapshot `n` (default: the latest). `each` is called after every shard, to show progress.

    Beyond `verify_shard`: a split's counts by task and sensor, that its records name it, and that no key occurs twice in the
    snapshot. SnapshotError where the manifest itself cannot be read.
    """
    differences: list[str] = []
    keys: list[tuple[str, npt.NDArray[np.int64]]] = []
    shards = samples = size = 0
    for name, split in sorted(read_snapshot(root, n).splits.items()):
        counts: Counter[tuple[str, str]] = Counter()
        for shard in split.shards:
            found = _read_shard(root, shard)
            differences += found.differences
            differences += [f"{shard.path}: a record says split {other!r}" for other in sorted(found.splits - {name})]
            keys.append((shard.path, np.array([hash(sample.key) for sample in found.samples], dtype=np.int64)))
            counts += found.counts
            shards, samples, size = shards + 1, samples + len(found.samples), size + found.bytes
            each(shard)
        differences += _count_differences(name, split, counts)
    differences += _repeated(keys)
    return Verification(tuple(differences), shards, samples, size)


def verify_shard(root: str, shard: ShardEntry) -> list[str]:
    """What differs between a shard and its entry in the manifest; an empty list where there is no difference.

    Checked: sizes and digests of the shard and its index, every header and the padding, each member against the index, the
    order of keys, that records are JSON, and the numbers of samples and instructions.
    """
    return _read_shard(root, shard).differences


def _read_shard(root: str, shard: ShardEntry) -> _Found:
    found = _Found()
    try:
        data = storage.read_bytes(storage.join(root, shard.path))
    except StorageError as error:
        found.differences.append(str(error))
        return found
    found.bytes = len(data)
    differ = found.differences.append
    if len(data) != shard.bytes:
        differ(f"{shard.path}: has {len(data)} bytes, the manifest says {shard.bytes}")
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        differ(f"{shard.path}: its SHA-256 is not the manifest's")
    _read_members(shard.path, data, found)
    found.differences += _index_differences(root, shard, found.samples)
    for what, count, recorded in (
        ("samples", len(found.samples), shard.samples),
        ("instructions", found.counts.total(), shard.instructions),
    ):
        if count != recorded:
            differ(f"{shard.path}: holds {count} {what}, the manifest says {recorded}")
    return found


def _read_members(path: str, data: bytes, found: _Found) -> None:
    members, trouble = _walk(data)
    if trouble:
        found.differences.append(f"{path}: {trouble}")
    for key, group in groupby(members, key=lambda member: member[0]):
        try:
            found.samples.append(_sample(key, [member for _, member in group], data, found))
        except (ValueError, KeyError, TypeError, DataError) as error:
            found.differences.append(f"{path}: sample {key}: {error}")
    for (before, _), (after, _) in pairwise(members):
        if after < before:
            found.differences.append(f"{path}: key {after} comes after {before}")


def _sample(key: str, members: list[Member], data: bytes, found: _Found) -> IndexedSample:
    parts = {member.extension: data[member.offset : member.offset + member.size] for member in members}
    record: Any = json.loads(parts.get("json", b"{}"))
    if not isinstance(record, dict):
        raise ValueError(f"its record is a {type(record).__name__}, expected an object")
    sample = Sample.of(key, parts, record)
    if [extension for extension, _ in sample.members()] != [member.extension for member in members]:
        raise ValueError(f"members {[member.extension for member in members]}, expected a picture and json, sorted")
    kind = sample.kind()
    if wrong := sorted(_differs_from_record(sample)):
        raise ValueError(f"{', '.join(wrong)}: not what its record says")
    if record.get("key") != key:
        raise ValueError(f"its record says key {record.get('key')!r}")
    found.counts.update((instruction["task"], kind[0]) for instruction in record["instructions"])
    found.splits.add(record.get("split", ""))
    return IndexedSample(key, *kind, tuple(members), crc32(parts[member.extension] for member in members))


def _differs_from_record(sample: Sample) -> Iterator[str]:
    """What is missing or has another SHA-256 than the record says; files without an entry are not checked."""
    record = sample.record
    others = {name.partition(".")[0]: data for name, data in sample.others.items()}
    recorded: list[tuple[str, str | None, bytes | None]] = [("picture", record.get("picture_sha256"), sample.picture)]
    recorded += [(BANDS, raw["sha256"], others.get(BANDS)) for raw in [record.get("raw")] if raw]
    recorded += [(name := picture_name(one), one["picture_sha256"], others.get(name)) for one in record.get("companions", ())]
    masks = sample.others.get(MASKS)
    if masks is not None and masks != encode_masks(record):
        yield MASKS
    for name, sha256, data in recorded:
        if sha256 is not None and (data is None or hashlib.sha256(data).hexdigest() != sha256):
            yield name


def _walk(data: bytes) -> tuple[list[tuple[str, Member]], str]:
    """(key, member) of the archive in order, up to the first trouble; and that trouble, empty where there is none."""
    members: list[tuple[str, Member]] = []
    position = 0
    while len(data) - position > len(END):
        try:
            name, size = parse_tar_header(data[position : position + BLOCK])
        except (ValueError, DataError) as error:
            return members, f"byte {position}: no header that rsflow writes ({error})"
        start, stop = position + BLOCK, position + BLOCK + size
        position = stop + padding_bytes(size)
        if position > len(data) - len(END):
            return members, f"byte {start}: {name} should have {size} bytes, the file is cut off"
        if any(data[stop:position]):
            return members, f"byte {stop}: the padding after {name} is not zero"
        key, _, extension = name.partition(".")
        members.append((key, Member(extension, start, size)))
    return members, "" if data[position:] == END else f"byte {position}: expected two zero blocks and the end of the file"


def _index_differences(root: str, shard: ShardEntry, samples: list[IndexedSample]) -> Iterator[str]:
    try:
        rows = read_index(root, shard)
        size = len(storage.read_bytes(storage.join(root, shard.index_path)))
    except (SnapshotError, StorageError) as error:
        yield str(error)
        return
    if size != shard.index_bytes:
        yield f"{shard.index_path}: has {size} bytes, the manifest says {shard.index_bytes}"
    indexed, present = {row.key: row for row in rows}, {sample.key: sample for sample in samples}
    if rows.crc32 is None:  # of an earlier rsflow
        present = {key: sample._replace(crc32=None) for key, sample in present.items()}
    wrong = sorted(key for key in indexed.keys() | present.keys() if indexed.get(key) != present.get(key))
    if wrong or len(rows) != len(samples):
        yield f"{shard.index_path}: disagrees with the shard about {len(wrong)} samples, such as {wrong[:3]}"


def _count_differences(name: str, split: Split, counts: Counter[tuple[str, str]]) -> Iterator[str]:
    recorded = Counter({(task, sensor): count for task, row in split.counts.items() for sensor, count in row.items()})
    for task, sensor in sorted(recorded.keys() | counts.keys()):
        if recorded[task, sensor] != counts[task, sensor]:
            found = counts[task, sensor]
            yield f"split {name}: {found} instructions of {task} × {sensor}, the manifest says {recorded[task, sensor]}"


def _repeated(keys: list[tuple[str, npt.NDArray[np.int64]]]) -> Iterator[str]:
    """Shards that hold a key which an earlier shard holds too. 64-bit hashes of keys, for memory: 40 MB for 5 million."""
    if not keys:
        return
    every = np.concatenate([hashes for _, hashes in keys])
    order = np.argsort(every, kind="stable")
    again = order[1:][every[order[1:]] == every[order[:-1]]]
    shard = np.searchsorted(np.cumsum([len(hashes) for _, hashes in keys]), again, side="right")
    for i, count in sorted(Counter(shard.tolist()).items()):
        yield f"{keys[i][0]}: {count} of its keys are in an earlier shard too"
