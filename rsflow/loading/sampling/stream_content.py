"""What a stream reads: the shards of pinned snapshots, divided into the parts of its mixture.

One idea: a stream is requested by addresses and names (`StreamRequest`), and reads a `Content` to which those addresses are
pinned when the stream is made: whatever is committed meanwhile, it keeps reading the manifests it began with. A content is
plain data that DataLoader workers get a copy of, so they need not read manifests or indices themselves.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.loading.sampling.epoch_order import Ints
from rsflow.loading.sampling.mixture import Mix, Mixture, resolve_mix
from rsflow.loading.sampling.sample_filter import (
    RootedShard,
    SampleFilter,
    check_names,
    get_split,
    make_filter,
    select_positions,
)
from rsflow.shards.manifest import Split, latest_snapshot, read_snapshot, snapshot_root


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The arguments of a stream that choose its samples."""

    urls: tuple[str, ...]
    split: str
    tasks: Sequence[str] | None
    sensors: Sequence[str] | None
    mix: Mix | None
    max_samples: int | None
    oversample: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotReference:
    """A snapshot: its root, its manifest's path and the digest of its content."""

    root: str
    manifest: str
    digest: str

    @property
    def name(self) -> str:
        """The number in its manifest's file name."""
        return posixpath.basename(self.manifest).removesuffix(".json")


@dataclass(frozen=True, slots=True)
class Part:
    """Samples that are ordered together: of the content's shards `shards` all, or those of `selected`. `tasks`: whose
    instructions an example of this part shows; None: all."""

    name: str
    tasks: frozenset[str] | None
    shards: tuple[int, ...]
    selected: tuple[Ints, ...] | None
    sizes: tuple[int, ...]

    @property
    def samples(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Content:
    """`samples`: those of an epoch. Without a `mixture` there is one part. `name` identifies the content's order; `whole`:
    whether most samples of the shards are read. `tasks`: those of the splits' instructions."""

    snapshots: tuple[SnapshotReference, ...]
    name: str
    shards: tuple[RootedShard, ...]
    parts: tuple[Part, ...]
    mixture: Mixture | None
    samples: int
    whole: bool
    tasks: tuple[str, ...] = ()


def latest_manifest(url: str) -> str:
    """The path of the manifest that an address refers to now: itself, or the latest of a root."""
    if url.endswith(".json"):
        return url
    return manifest_path(url, str(latest_snapshot(url)))


def manifest_path(root: str, number: str) -> str:
    """The path of the manifest of that number."""
    return storage.join(root, "snapshots", f"{number}.json")


def load_content(request: StreamRequest, manifests: Sequence[str]) -> Content:
    """The content of a request at the given manifests, one for each of its addresses.

    ConfigError for an unknown split, task, sensor or name in the mix, and where no sample is left; SnapshotError or
    StorageError where a snapshot cannot be read.
    """
    found = [(snapshot_root(place), place, read_snapshot(place)) for place in manifests]
    snapshots = tuple(SnapshotReference(root, place, manifest.digest) for root, place, manifest in found)
    splits = [get_split(manifest, request.split) for _, _, manifest in found]
    criteria = make_filter(splits, request.tasks, request.sensors, request.oversample)
    shards = tuple((one.root, shard) for one, split in zip(snapshots, splits, strict=True) for shard in split.shards)
    parts = _parts(request, criteria, shards, splits)
    distinct = sum(part.samples for part in parts)
    samples = (
        distinct
        if request.max_samples is None
        else min(distinct, request.max_samples)
        if not request.mix
        else request.max_samples
    )
    return Content(
        snapshots,
        "+".join(f"{one.digest}/{request.split}" for one in snapshots),
        shards,
        parts,
        resolve_mix(request.mix, samples) if request.mix else None,
        samples,
        2 * distinct > sum(split.samples for split in splits),
        tuple(sorted({task for split in splits for task in split.counts})),
    )


def _parts(
    request: StreamRequest, criteria: SampleFilter, shards: tuple[RootedShard, ...], splits: Sequence[Split]
) -> tuple[Part, ...]:
    all_shards = tuple(range(len(shards)))
    if request.mix is None:
        return (_part("", criteria, all_shards, shards, _select(shards, criteria)),)
    names = request.mix.names()
    if request.mix.by != "url":
        rows = select_positions(shards, criteria, request.mix.by, names)
        by_task = request.mix.by == "task"
        return tuple(
            _part(name, SampleFilter(frozenset([name])) if by_task else criteria, all_shards, shards, tuple(row))
            for name, row in zip(names, rows, strict=True)
        )
    check_names("url", names, request.urls)
    ends = [0]
    for split in splits:
        ends.append(ends[-1] + len(split.shards))
    spans = {url: all_shards[ends[i] : ends[i + 1]] for i, url in enumerate(request.urls)}
    return tuple(_part(url, criteria, spans[url], shards, _select([shards[i] for i in spans[url]], criteria)) for url in names)


def _select(shards: Sequence[RootedShard], criteria: SampleFilter) -> tuple[Ints, ...] | None:
    return None if criteria == SampleFilter() else tuple(select_positions(shards, criteria, None, ())[0])


def _part(
    name: str,
    criteria: SampleFilter,
    shard_numbers: tuple[int, ...],
    shards: Sequence[RootedShard],
    selected: tuple[Ints, ...] | None,
) -> Part:
    sizes = tuple(shards[i][1].samples for i in shard_numbers) if selected is None else tuple(map(len, selected))
    if not any(sizes):
        raise ConfigError(f"{name or 'the split'}: holds no sample")
    return Part(name, criteria.tasks, shard_numbers, selected, sizes)
