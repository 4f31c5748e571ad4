"""Scenes of one place by several dates or sensors: settings that put them on one grid and make groups of them.

One idea: a draft proposes the ground grid (docs/cells.md) only where two scenes were opened that show mostly the same ground,
on other dates or by other sensors.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import shapely

from rsflow.discovery.scenes.scene_groups import read_scene_info
from rsflow.discovery.sources import DraftSource
from rsflow.sensors import SensorName

OPENED = 12  # files of a source that are opened
MIN_SHARED = 0.5  # share of the smaller of two scenes that the other shows too
SIZE_PX = 256


@dataclass(frozen=True, slots=True)
class SharedGround:
    """`gsd_m`: metres of a pixel on the grid, by sensor. `dates`, `sensors`: how many the scenes of one place have at most;
    `is_undated`: whether one has no date."""

    gsd_m: dict[SensorName, float]
    dates: int
    sensors: int
    is_undated: bool

    def lines(self) -> Iterator[str]:
        """The sections `tiles` and `groups` of a draft."""
        gsd = ", ".join(f"{sensor}: {value:g}" for sensor, value in self.gsd_m.items())
        yield f"# scenes of one place (dates: {self.dates}, sensors: {self.sensors}): their tiles share cells, docs/cells.md"
        yield f"tiles: {{grid: ground, size_px: {SIZE_PX}, gsd_m: {{{gsd}}}, whole_up_to_px: 1024}}"
        yield ""
        if self.is_undated and self.sensors > 1:
            yield "groups: {window_days: null}  # ASK: not every scene has a date; which are near in time?"
        else:
            yield "groups: {}  # samples of several pictures of one place"


@dataclass(frozen=True, slots=True)
class _Placed:
    sensor: SensorName
    date: str
    outline: shapely.Geometry
    gsd_m: float


def find_shared_ground(sources: Sequence[DraftSource]) -> SharedGround | None:
    """None where no two scenes of other dates or sensors show the same ground, or the pixel size of one is not known."""
    placed = [scene for source in sources for scene in _placed(source)]
    groups = [_same_ground(scene, placed) for scene in placed]
    dates = max((len({one.date for one in group if one.date}) for group in groups), default=0)
    sensors = max((len({one.sensor for one in group}) for group in groups), default=0)
    if max(dates, sensors) < 2:
        return None
    finest = {
        sensor: min(one.gsd_m for one in placed if one.sensor == sensor) for sensor in sorted({one.sensor for one in placed})
    }
    base = _two_digits(min(finest.values()))
    # Cells are a whole number of pixels of every sensor.
    steps = {sensor: min(SIZE_PX // 16, 2 ** max(0, round(math.log2(value / base)))) for sensor, value in finest.items()}
    is_undated = any(not scene.date for scene in placed)
    return SharedGround({sensor: base * step for sensor, step in steps.items()}, dates, sensors, is_undated)


def _placed(source: DraftSource) -> Iterator[_Placed]:
    """The first scenes of a source that have a place on the ground."""
    group = source.scenes
    if group.pairs or group.product or group.catalogue:
        return
    files = group.files[:1] if group.bands else group.files
    for path in islice(files, OPENED):
        info, _ = read_scene_info(path)
        if info and info.footprint and info.gsd_m:
            ring = list(zip(info.footprint[::2], info.footprint[1::2], strict=True))
            match = re.search(source.acquired_at, posixpath.basename(path)) if source.acquired_at else None
            yield _Placed(source.sensor, match[1] if match else "", shapely.make_valid(shapely.Polygon(ring)), info.gsd_m)


def _same_ground(scene: _Placed, placed: Sequence[_Placed]) -> list[_Placed]:
    return [
        other
        for other in placed
        if scene.outline.intersection(other.outline).area > MIN_SHARED * min(scene.outline.area, other.outline.area)
    ]


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")
