"""What a stream reads: the shards of pinned snapshots, parted as its mixture asks.

One idea: a stream is asked for by addresses and names (`StreamRequest`), and reads a `Content` that those addresses are pinned
to when the stream is made: whatever is committed meanwhile, it goes on reading the manifests it began with. A content is plain
data; it is what DataLoader workers get, so they need not look at manifests or indices themselves.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.errors import ConfigError, SnapshotError
from rsflow.files import storage
from rsflow.loading.epoch_order import Ints
from rsflow.loading.mixture import Mix, Mixture, mixture
from rsflow.loading.sample_filter import Choice, Placed, choice, chosen_split, known, picked
from rsflow.shards.manifest import Split, expected, read_snapshot, root_of


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What was asked for, as it was asked."""

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
        """How messages and states call it: the number that its manifest is named by."""
        return posixpath.basename(self.manifest).removesuffix(".json")


@dataclass(frozen=True, slots=True)
class Part:
    """Samples that are ordered together: of the content's shards `shards` all, or those picked. `tasks`: whose instructions
    an example of this part shows; None: all."""

    name: str
    tasks: frozenset[str] | None
    shards: tuple[int, ...]
    picks: tuple[Ints, ...] | None
    sizes: tuple[int, ...]

    @property
    def samples(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Content:
    """`samples`: those of an epoch. Without a `mixture` there is one part. `name` tells the content's order apart; `whole`:
    whether most samples of the shards are wanted."""

    pinned: tuple[SnapshotReference, ...]
    name: str
    shards: tuple[Placed, ...]
    parts: tuple[Part, ...]
    mixture: Mixture | None
    samples: int
    whole: bool


def newest(url: str) -> str:
    """The path of the manifest that an address means now: itself, or the latest of a root."""
    if url.endswith(".json"):
        return url
    place = storage.join(url, "snapshots", "LATEST")
    with expected(place, "is missing: no snapshot was written here yet. Run `rsflow build`, or check the path"):
        number = storage.read_text(place).strip()
    if not number.isascii() or not number.isdigit():
        raise SnapshotError(f"{place}: found {number[:40]!r}, expected the number of a snapshot")
    return numbered(url, number)


def numbered(root: str, number: str) -> str:
    """The path of the manifest of that number."""
    return storage.join(root, "snapshots", f"{number}.json")


def gathered(wish: StreamRequest, manifests: Sequence[str]) -> Content:
    """The content of a wish at the given manifests, one for each of its addresses.

    ConfigError for an unknown split, task, sensor or name in the mix, and where no sample is left; SnapshotError or
    StorageError where a snapshot cannot be read.
    """
    found = [(root_of(place), place, read_snapshot(place)) for place in manifests]
    pinned = tuple(SnapshotReference(root, place, manifest.digest) for root, place, manifest in found)
    splits = [chosen_split(manifest, wish.split) for _, _, manifest in found]
    wanted = choice(splits, wish.tasks, wish.sensors, wish.oversample)
    shards = tuple((one.root, shard) for one, split in zip(pinned, splits, strict=True) for shard in split.shards)
    parts = _parts(wish, wanted, shards, splits)
    distinct = sum(part.samples for part in parts)
    samples = distinct if wish.max_samples is None else min(distinct, wish.max_samples) if not wish.mix else wish.max_samples
    return Content(
        pinned,
        "+".join(f"{one.digest}/{wish.split}" for one in pinned),
        shards,
        parts,
        mixture(wish.mix, samples) if wish.mix else None,
        samples,
        2 * distinct > sum(split.samples for split in splits),
    )


def _parts(wish: StreamRequest, wanted: Choice, shards: tuple[Placed, ...], splits: Sequence[Split]) -> tuple[Part, ...]:
    every = tuple(range(len(shards)))
    if wish.mix is None:
        return (_part("", wanted, every, shards, _picks(shards, wanted)),)
    names = wish.mix.names()
    if wish.mix.by != "url":
        rows = picked(shards, wanted, wish.mix.by, names)
        by_task = wish.mix.by == "task"
        return tuple(
            _part(name, Choice(frozenset([name])) if by_task else wanted, every, shards, tuple(row))
            for name, row in zip(names, rows, strict=True)
        )
    known("url", names, wish.urls)
    ends = [0]
    for split in splits:
        ends.append(ends[-1] + len(split.shards))
    spans = {url: every[ends[i] : ends[i + 1]] for i, url in enumerate(wish.urls)}
    return tuple(_part(url, wanted, spans[url], shards, _picks([shards[i] for i in spans[url]], wanted)) for url in names)


def _picks(shards: Sequence[Placed], wanted: Choice) -> tuple[Ints, ...] | None:
    return None if wanted == Choice() else tuple(picked(shards, wanted, None, ())[0])


def _part(name: str, wanted: Choice, of: tuple[int, ...], shards: Sequence[Placed], picks: tuple[Ints, ...] | None) -> Part:
    sizes = tuple(shards[i][1].samples for i in of) if picks is None else tuple(map(len, picks))
    if not any(sizes):
        raise ConfigError(f"{name or 'the split'}: holds no sample")
    return Part(name, wanted.tasks, of, picks, sizes)
