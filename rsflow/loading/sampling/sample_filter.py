"""Which samples of its shards a stream gives, and to which part of a mixture each belongs.

One idea: the shards' indices have every sample's sensor, tasks and source, so a filter is applied, counted and refused before
any sample is read, and the length of the stream is exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rsflow.errors import ConfigError
from rsflow.loading.sampling.epoch_order import Ints
from rsflow.loading.sampling.mixture import MixKey
from rsflow.shards.manifest import Manifest, ShardEntry, Split
from rsflow.shards.reader import read_index

RootedShard = tuple[str, ShardEntry]  # a shard and the root that it lies below

_AT_ONCE = 16  # concurrent requests for indices


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Samples that have one of `tasks` and one of `sensors`; None: any. `repeated`: each as often as the selection repeats
    it."""

    tasks: frozenset[str] | None = None
    sensors: frozenset[str] | None = None
    repeated: bool = False


def get_split(manifest: Manifest, name: str) -> Split:
    """The split of that name, or a ConfigError that lists the splits."""
    if name not in manifest.splits:
        raise ConfigError(f"split {name!r} is not in the snapshot; its splits: {_listed(manifest.splits)}")
    return manifest.splits[name]


def make_filter(
    splits: Sequence[Split], tasks: Sequence[str] | None, sensors: Sequence[str] | None, repeated: bool = False
) -> SampleFilter:
    """The filter, its names checked against those that occur in the splits (ConfigError)."""
    known_tasks = {task for split in splits for task in split.counts}
    known_sensors = {sensor for split in splits for by_sensor in split.counts.values() for sensor in by_sensor}
    return SampleFilter(check_names("task", tasks, known_tasks), check_names("sensor", sensors, known_sensors), repeated)


def check_names(kind: str, names: Sequence[str] | None, available: Iterable[str]) -> frozenset[str] | None:
    """The names as a set. ConfigError for one that does not occur, which lists those that do."""
    if names is None:
        return None
    if not isinstance(names, Collection) or not len(names) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{kind}s: found {names!r}, expected names")
    requested = frozenset([names] if isinstance(names, str) else names)
    available = set(available)
    if unknown := sorted(requested - available):
        raise ConfigError(f"{kind} {unknown[0]!r} does not occur in this split; its {kind}s: {_listed(available)}")
    return requested


def select_positions(
    shards: Sequence[RootedShard], criteria: SampleFilter, by: MixKey | None, names: Sequence[str]
) -> list[list[Ints]]:
    """For each name (of `by` task, sensor or source; one entry for all where `by` is None), for each shard: the positions of
    the filtered samples that belong to it. A sample with several of the tasks belongs to several. Reads every index.

    ConfigError where a name, or the whole filter, is left without a sample.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tables = list(pool.map(lambda shard: _groups(shard, criteria, by), shards))
    rows = [[table.get(name, np.zeros(0, dtype=np.int64)) for table in tables] for name in (names if by else [""])]
    for name, row in zip(names if by else [""], rows, strict=True):
        if not any(map(len, row)):
            what = f"{by} {name!r}" if by else "sample"
            available = f"; its {by}s: {_listed({name for table in tables for name in table})}" if by else ""
            raise ConfigError(
                f"no {what} of the split has a task of {_listed(criteria.tasks)} and a sensor of "
                f"{_listed(criteria.sensors)}{available}"
            )
    return rows


def _groups(shard: RootedShard, criteria: SampleFilter, by: MixKey | None) -> Mapping[str, Ints]:
    """The positions of a shard's filtered samples by the name of their group ("" where there are no groups)."""
    index = read_index(*shard)
    kinds: dict[str, list[int]] = {}
    for number, kind in enumerate(index.kinds):
        tasks = kind.tasks if criteria.tasks is None else tuple(task for task in kind.tasks if task in criteria.tasks)
        if (criteria.tasks is not None and not tasks) or (criteria.sensors is not None and kind.sensor not in criteria.sensors):
            continue
        names = tasks if by == "task" else (kind.sensor if by == "sensor" else kind.source if by == "source" else "",)
        for name in names:
            kinds.setdefault(name, []).append(number)
    return {name: index.positions_of_kinds(numbers, criteria.repeated) for name, numbers in kinds.items()}


def _listed(names: Iterable[str] | None) -> str:
    return ", ".join(sorted(names)) if names is not None else "any"
