"""Reads a snapshot's samples once and draws some of them: counts of all, and a fair few per sensor and per task.

One idea: sample keys are hashes, so those with the smallest keys are a fair draw, the same at every call. Which they are is
known after one pass over the records; their pictures are read after it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rsflow.report.snapshot.picture_statistics import PICTURES, PictureStatistics
from rsflow.report.snapshot.sample_counts import SampleCounts
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry
from rsflow.shards.reader import ShardReader

PER_SHEET = 3  # samples on the contact sheet of one task and sensor

_Place = tuple[str, int, int]  # key, number of the shard, position in it


@dataclass
class SmallestKeys:
    """The places of the `most` samples with the smallest keys."""

    most: int
    _heap: list[tuple[tuple[int, ...], _Place]] = field(default_factory=list)  # the largest key first

    def add(self, place: _Place) -> None:
        entry = tuple(-ord(character) for character in place[0]), place
        (heapq.heappush if len(self._heap) < self.most else heapq.heappushpop)(self._heap, entry)

    def places(self) -> list[_Place]:
        return sorted(place for _, place in self._heap)


@dataclass(frozen=True)
class SnapshotSamples:
    """`sheets`: samples by (task, sensor). `pictures`: statistics by sensor. `named`: samples that were asked for, by tile."""

    counts: SampleCounts
    pictures: dict[str, PictureStatistics]
    sheets: dict[tuple[str, str], list[Sample]]
    named: dict[str, Sample]


def read_samples(
    root: str, manifest: Manifest, tiles: Collection[str] = (), on_sample: Callable[[], None] = lambda: None
) -> SnapshotSamples:
    """Read every record of a snapshot. SnapshotError where a shard is missing or damaged."""
    shards = [shard for _, split in sorted(manifest.splits.items()) for shard in split.shards]
    counts = SampleCounts()
    by_sensor: dict[str, SmallestKeys] = {}
    by_task: dict[tuple[str, str], SmallestKeys] = {}
    named: dict[str, Sample] = {}
    for number, shard in enumerate(shards):
        for position, sample in enumerate(ShardReader(root, shard)):
            counts.add(sample.record)
            if sample.record["tile_id"] in tiles:
                named[sample.record["tile_id"]] = sample
            place, sensor = (sample.key, number, position), sample.record["sensor"]
            by_sensor.setdefault(sensor, SmallestKeys(PICTURES)).add(place)
            for task in {row["task"] for row in sample.record["instructions"]}:
                by_task.setdefault((task, sensor), SmallestKeys(PER_SHEET)).add(place)
            on_sample()
    pictures = {sensor: PictureStatistics() for sensor in sorted(by_sensor)}
    for sensor, drawn in by_sensor.items():
        for sample in _read_places(root, shards, drawn.places()):
            pictures[sensor].add(sample)
    sheets = {key: list(_read_places(root, shards, drawn.places())) for key, drawn in sorted(by_task.items())}
    return SnapshotSamples(counts, pictures, sheets, named)


def _read_places(root: str, shards: list[ShardEntry], places: Iterable[_Place]) -> Iterator[Sample]:
    """These samples in the order of their keys; each shard is opened once."""
    readers: dict[int, ShardReader] = {}
    for _, number, position in places:
        if number not in readers:
            readers[number] = ShardReader(root, shards[number])
        yield readers[number].read(position)
