"""Which samples go into which shard, as a pure function of the set of samples.

One idea: neighbouring tiles of a scene travel together as a chunk (so that a shard's pictures are few contiguous reads), each
chunk has a 64-bit hash, and the shards of a split are the leaves of the binary trie over those hashes: a node is cut in two
while it is larger than the target and holds more than one chunk. So neither the order of rows nor the number of workers
matters, a shard mixes chunks from everywhere, and a new scene changes only the leaves its chunks fall into. A shard's name
carries a digest of its samples: one that did not change keeps its name and is never written again.

A shard is at most as large as the target, unless a single chunk is larger. Within a shard samples are in key order, which
is already shuffled because a key is a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.errors import LakeError
from rsflow.shards.format import BLOCK, END, VERSION

Ints = npt.NDArray[np.int64]

_HASH_BITS = 64
_SAMPLE_OVERHEAD = 4 * BLOCK  # two headers, and at most as much padding


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard to be: `members` are rows of the planned table in key order; `name` is relative to the folder of shards.

    `prefix` is the leaf's path in the trie ("0" and "1"; empty for the root). `bytes` is the size the shard will not exceed,
    if the table's `sample_bytes` are right. Plans are equal when their names are: the name identifies the members.
    """

    split: str
    prefix: str
    name: str
    bytes: int
    members: Ints = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Chunks sorted by (split, hash), and the chunk number of every row of the table."""

    split: list[str]
    hash: npt.NDArray[np.uint64]
    bytes: Ints
    of_row: Ints


def plan_shards(samples: pa.Table, target_bytes: int) -> list[ShardPlan]:
    """The shards of a table of samples, sorted by split and prefix. Every row is in exactly one.

    Columns: key, scene_id, chunk (int64), split, sample_bytes (int64: picture and text), content (a digest of all that the
    shard will hold of the sample). LakeError for a repeated key or a split that cannot be a folder's name.
    """
    if not samples.num_rows:
        return []
    _check(samples)
    chunks = _chunks(samples)
    leaves = [leaf for start, stop in _runs(chunks.split) for leaf in _leaves(chunks, start, stop, target_bytes)]
    starts = np.array([start for start, _, _ in leaves], dtype=np.int64)
    leaf_of_row = np.searchsorted(starts, chunks.of_row, side="right") - 1
    order, bounds = _by_leaf_and_key(samples["key"], leaf_of_row, len(leaves))
    digests = _digests(samples, order, bounds)
    return [
        ShardPlan(
            split=(split := chunks.split[start]),
            prefix=prefix,
            name=f"{split}/{prefix or 'all'}-{digest}.tar",
            bytes=int(chunks.bytes[start:stop].sum()) + len(END),
            members=order[first:last],
        )
        for (start, stop, prefix), digest, (first, last) in zip(leaves, digests, pairwise(bounds), strict=True)
    ]


def _check(samples: pa.Table) -> None:
    if len(pc.unique(samples["key"])) != samples.num_rows:
        counts = pc.value_counts(samples["key"])
        twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
        raise LakeError(f"the key {min(twice)} belongs to more than one selected tile; keys must be unique")
    for split in pc.unique(samples["split"]).to_pylist():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", split or ""):
            raise LakeError(f"split {split!r}: expected letters, digits, - and _, for it names a folder")


def _chunks(samples: pa.Table) -> _Chunks:
    columns = [_codes(samples[name]) for name in ("split", "scene_id", "chunk")]
    number = np.zeros(samples.num_rows, dtype=np.int64)
    for codes in columns:
        # Renumbered after each column, so the product stays far below 2**63.
        number = np.unique(number * (int(codes.max()) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    _, first, of_row = np.unique(number, return_index=True, return_inverse=True)
    rows = samples.select(["split", "scene_id", "chunk"]).take(pa.array(first)).to_pydict()
    split = rows["split"]
    names = (f"{s}/{scene}/{chunk}" for s, scene, chunk in zip(split, rows["scene_id"], rows["chunk"], strict=True))
    hashes = np.fromiter((_hash(name) for name in names), dtype=np.uint64, count=len(split))
    sizes = samples["sample_bytes"].to_numpy() + _SAMPLE_OVERHEAD
    total = np.bincount(of_row, weights=sizes).astype(np.int64)  # exact below 2**53
    order = np.lexsort((hashes, np.unique(split, return_inverse=True)[1]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return _Chunks([split[i] for i in order], hashes[order], total[order], rank[of_row])


def _codes(column: pa.ChunkedArray) -> Ints:
    codes: Ints = column.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=_HASH_BITS // 8).digest())


def _runs(values: list[str]) -> Iterator[tuple[int, int]]:
    """[start, stop) of each run of equal values."""
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[start]:
            yield start, i
            start = i


def _leaves(chunks: _Chunks, start: int, stop: int, target_bytes: int) -> Iterator[tuple[int, int, str]]:
    """(start, stop, prefix) of the leaves of one split's trie, in order of their hashes. An empty half is no leaf."""
    before = np.concatenate([[0], np.cumsum(chunks.bytes)])
    nodes = [(start, stop, "")]
    while nodes:
        low, high, prefix = nodes.pop()
        if high == low:
            continue
        small = before[high] - before[low] + len(END) <= target_bytes
        if small or high - low == 1 or len(prefix) == _HASH_BITS:
            yield low, high, prefix
            continue
        first_of_right = int(prefix + "1", 2) << (_HASH_BITS - len(prefix) - 1)
        middle = low + int(np.searchsorted(chunks.hash[low:high], np.uint64(first_of_right)))
        nodes += [(middle, high, prefix + "1"), (low, middle, prefix + "0")]


def _by_leaf_and_key(keys: pa.ChunkedArray, leaf: Ints, leaves: int) -> tuple[Ints, Ints]:
    """Rows sorted by leaf, then key; and where each leaf's rows begin and end in that order."""
    table = pa.table({"leaf": leaf, "key": keys})
    order = pc.sort_indices(table, sort_keys=[("leaf", "ascending"), ("key", "ascending")]).to_numpy().astype(np.int64)
    return order, np.searchsorted(leaf[order], np.arange(leaves + 1))


def _digests(samples: pa.Table, order: Ints, bounds: Ints) -> list[str]:
    """Each shard's digest over its sorted (key, content) list: BLAKE2b-128 of "key content " after the format's version."""
    key, content = (samples[name].combine_chunks().cast(pa.large_string()).take(pa.array(order)) for name in ("key", "content"))
    lines = pc.binary_join_element_wise(key, content, *pa.array(["", " "], pa.large_string()))
    # The lines of a shard are one stretch of the array's data buffer, so no string is ever made.
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int64)[lines.offset :]
    data = memoryview(lines.buffers()[2])
    return [_digest(data[offsets[first] : offsets[last]]) for first, last in pairwise(bounds)]


def _digest(lines: memoryview) -> str:
    return hashlib.blake2b(lines, digest_size=16, person=b"rsflow shard %d" % VERSION).hexdigest()
