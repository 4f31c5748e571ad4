"""Which tiles of a cell form groups: the dates of one sensor, or one tile of each sensor close in time.

One idea: pure choices over a few facts of each tile, the same whatever the order in which tiles come. Of each sensor one tile
stands for a day (or a season); ties are decided by id. A tile without a time has no place among dates, and goes with another
sensor's only where no window is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rsflow.config.group_settings import GroupKind, Groups
from rsflow.records import AFTER, BEFORE
from rsflow.sensors import SENSOR_NAMES

DAY_SECONDS = 86_400.0
MONTHS_OF_SEASON = 3
UNKNOWN_CLOUD = 2.0  # sorts after every known share


@dataclass(frozen=True, slots=True)
class CellTile:
    """What is known of a tile of the cell. `cloud_share` None: no band measures cloud."""

    tile_id: str
    sensor: str
    acquired_at: datetime | None
    valid_share: float
    cloud_share: float | None


@dataclass(frozen=True, slots=True)
class CellGroup:
    """`members` in the order of pictures, each with a role that no other has."""

    kind: GroupKind
    name: str  # unique in the cell
    members: tuple[tuple[CellTile, str], ...]


def form_groups(tiles: Iterable[CellTile], settings: Groups) -> list[CellGroup]:
    """The groups of the tiles of one cell, by kind and name."""
    by_sensor: dict[str, list[CellTile]] = defaultdict(list)
    for tile in sorted(tiles, key=lambda tile: tile.tile_id):
        by_sensor[tile.sensor].append(tile)
    found: list[CellGroup] = []
    series = list(_form_date_groups(by_sensor, settings))
    if "dates" in settings.kinds:
        found += series
    if "pairs" in settings.kinds:
        found += [pair for group in series for pair in _form_pairs(group, settings)]
    if "shuffled" in settings.kinds:
        found += [replace(group, kind="shuffled") for group in series]
    if "sensors" in settings.kinds:
        found += _form_sensor_groups(by_sensor, settings)
    return sorted(found, key=lambda group: (group.kind, group.name))


def tiles_without_time(tiles: Iterable[CellTile], settings: Groups) -> list[CellTile]:
    """Those that the settings keep out of some group because their time is not known."""
    needed = not {"dates", "pairs", "shuffled"}.isdisjoint(settings.kinds) or settings.window_days is not None
    return sorted((tile for tile in tiles if needed and tile.acquired_at is None), key=lambda tile: tile.tile_id)


def _form_date_groups(by_sensor: dict[str, list[CellTile]], settings: Groups) -> Iterator[CellGroup]:
    for sensor, tiles in sorted(by_sensor.items()):
        chosen = _choose_per_period(tiles, settings)
        if len(chosen) > settings.max_dates:
            newest = [(-_seconds(tile), tile) for tile in chosen]
            ranked = newest if settings.policy == "nearest" else [(_rank(tile, settings), tile) for tile in chosen]
            best = sorted(ranked, key=lambda each: (each[0], each[1].tile_id))[: settings.max_dates]
            chosen = sorted((tile for _, tile in best), key=_by_time)
        if len(chosen) >= 2:
            yield CellGroup("dates", sensor, tuple((tile, f"date{number}") for number, tile in enumerate(chosen, 1)))


def _form_pairs(series: CellGroup, settings: Groups) -> Iterator[CellGroup]:
    """Each date with the next and the first with the last; of two dates none beside their group of dates."""
    members, last = series.members, len(series.members) - 1
    if last == 1 and "dates" in settings.kinds:
        return
    for one, other in sorted({*((place, place + 1) for place in range(last)), (0, last)}):
        chosen = ((members[one][0], BEFORE), (members[other][0], AFTER))
        yield CellGroup("pairs", f"{series.name}:{members[one][1]}-{members[other][1]}", chosen)


def _choose_per_period(tiles: Sequence[CellTile], settings: Groups) -> list[CellTile]:
    """The best tile of each day or season, by time."""
    periods: dict[Hashable, list[CellTile]] = defaultdict(list)
    for tile in tiles:
        if tile.acquired_at is not None and _is_clear(tile, settings):
            periods[_period(tile.acquired_at, settings)].append(tile)
    best = [min(each, key=lambda tile: (_rank(tile, settings), tile.tile_id)) for each in periods.values()]
    return sorted(best, key=_by_time)


def _form_sensor_groups(by_sensor: dict[str, list[CellTile]], settings: Groups) -> Iterator[CellGroup]:
    """For each tile of the first sensor that there is: the best of every other sensor within the window."""
    sensors = [sensor for sensor in SENSOR_NAMES if sensor in by_sensor]
    if len(sensors) < 2:
        return
    for first in by_sensor[sensors[0]]:
        if not _is_clear(first, settings):
            continue
        members = [(first, sensors[0])]
        for sensor in sensors[1:]:
            near = [tile for tile in by_sensor[sensor] if _is_near(first, tile, settings) and _is_clear(tile, settings)]
            if near:
                members.append((min(near, key=lambda tile: (*_companion_rank(first, tile, settings), tile.tile_id)), sensor))
        if len(members) >= 2:
            yield CellGroup("sensors", first.tile_id, tuple(members))


def form_places_group(group: CellGroup, others: Sequence[Sequence[CellTile]], settings: Groups) -> CellGroup | None:
    """The first picture of a pair of sensors with one of the other sensor on other ground. `others`: the tiles of further
    cells, the preferred cell first; of a cell the nearest in time. None where there is none."""
    (first, sensor), (_, other) = group.members
    for tiles in others:
        near = [
            tile for tile in tiles if tile.sensor == other and _is_near(first, tile, settings) and _is_clear(tile, settings)
        ]
        if near:
            chosen = min(near, key=lambda tile: (_seconds_between(first, tile), tile.tile_id))
            return CellGroup("places", first.tile_id, ((first, sensor), (chosen, other)))
    return None


def _is_near(one: CellTile, other: CellTile, settings: Groups) -> bool:
    if settings.window_days is None:
        return True
    if one.acquired_at is None or other.acquired_at is None:
        return False
    return _seconds_between(one, other) <= settings.window_days * DAY_SECONDS


def _companion_rank(first: CellTile, tile: CellTile, settings: Groups) -> tuple[float, ...]:
    seconds_between = _seconds_between(first, tile)
    if settings.policy == "nearest":
        return (seconds_between, *_rank(tile, settings))
    if settings.policy == "seasons":
        times = (first.acquired_at, tile.acquired_at)
        same = None not in times and len({_period(time, settings) for time in times if time}) == 1
        return (0.0 if same else 1.0, *_rank(tile, settings), seconds_between)
    return (*_rank(tile, settings), seconds_between)


def _rank(tile: CellTile, settings: Groups) -> tuple[float, ...]:
    """Smaller is better."""
    cloud = UNKNOWN_CLOUD if tile.cloud_share is None else tile.cloud_share
    return (cloud, -tile.valid_share) if settings.policy == "cloud_free" else (-tile.valid_share, cloud)


def _is_clear(tile: CellTile, settings: Groups) -> bool:
    """Under policy cloud_free, whether no more of it than allowed is known to be cloud."""
    return settings.policy != "cloud_free" or tile.cloud_share is None or tile.cloud_share <= settings.max_cloud_share


def _period(time: datetime, settings: Groups) -> Hashable:
    """The day; or the season: three months from December, March, June or September on."""
    if settings.policy != "seasons":
        return time.date()
    months = time.year * 12 + time.month  # December counts to the year that follows
    return months // MONTHS_OF_SEASON


def _seconds(tile: CellTile) -> float:
    return tile.acquired_at.timestamp() if tile.acquired_at else 0.0


def _seconds_between(one: CellTile, other: CellTile) -> float:
    """0 where a time is missing, which matters only where no window is asked for."""
    return abs(_seconds(one) - _seconds(other)) if one.acquired_at and other.acquired_at else 0.0


def _by_time(tile: CellTile) -> tuple[float, str]:
    return _seconds(tile), tile.tile_id
