"""Which samples of a split a stream gives: those with an asked task and sensor.

One idea: the shards' indices tell every sample's sensor and tasks, so a choice is made, counted and refused before any sample
is read, and the stream knows its exact length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rsflow.errors import ConfigError
from rsflow.shards.manifest import Manifest, Split
from rsflow.shards.reader import read_index

Picks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Samples that have one of `tasks` and one of `sensors`; None: any."""

    tasks: frozenset[str] | None
    sensors: frozenset[str] | None


def chosen_split(manifest: Manifest, name: str) -> Split:
    """The split of that name, or a ConfigError that lists the splits."""
    if name not in manifest.splits:
        raise ConfigError(f"split {name!r} is not in the snapshot; its splits: {_listed(manifest.splits)}")
    return manifest.splits[name]


def choice(split: Split, tasks: Sequence[str] | None, sensors: Sequence[str] | None) -> Choice:
    """The choice, its names checked against those that occur in the split (ConfigError)."""
    known_sensors = {sensor for by_sensor in split.counts.values() for sensor in by_sensor}
    return Choice(_known("task", tasks, split.counts), _known("sensor", sensors, known_sensors))


def picks(root: str, split: Split, wanted: Choice) -> Picks | None:
    """For each shard of the split the positions of the chosen samples; None where every sample is. Reads every index.

    ConfigError where no sample is left.
    """
    if wanted.tasks is None and wanted.sensors is None:
        return None
    found = tuple(
        tuple(i for i, row in enumerate(read_index(root, shard)) if _matches(wanted, row.sensor, row.tasks))
        for shard in split.shards
    )
    if not any(found):
        raise ConfigError(
            f"no sample of the split has a task of {_listed(wanted.tasks)} and a sensor of {_listed(wanted.sensors)}"
        )
    return found


def _matches(wanted: Choice, sensor: str, tasks: Iterable[str]) -> bool:
    fits = wanted.tasks is None or not wanted.tasks.isdisjoint(tasks)
    return fits and (wanted.sensors is None or sensor in wanted.sensors)


def _known(kind: str, names: Sequence[str] | None, known: Iterable[str]) -> frozenset[str] | None:
    if names is None:
        return None
    asked = frozenset([names] if isinstance(names, str) else names)
    if unknown := sorted(asked.difference(known)):
        raise ConfigError(f"{kind} {unknown[0]!r} does not occur in this split; its {kind}s: {_listed(known)}")
    return asked


def _listed(names: Iterable[str] | None) -> str:
    return ", ".join(sorted(names)) if names is not None else "any"
