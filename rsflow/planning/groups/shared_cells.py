"""Which cells of the ground grid have tiles of several scenes, known before a pixel is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from rsflow.planning.plan import Unit
from rsflow.planning.sources.placed_scenes import target_of
from rsflow.records import SceneFiles


def units_by_cell(units: Iterable[Unit], files: Mapping[str, SceneFiles]) -> dict[str, tuple[Unit, ...]]:
    """By cell, in order of names: the label units that cut a tile of it, in order of their scenes."""
    found: dict[str, dict[str, Unit]] = defaultdict(dict)
    for unit in units:
        if target := target_of(files[unit.scene_id]):
            for _, window in unit.windows:
                found[target.cell_name(window)][unit.id] = unit
    return {
        cell: tuple(sorted(mine.values(), key=lambda unit: (unit.scene_id, unit.id))) for cell, mine in sorted(found.items())
    }


def has_several_scenes(units: Iterable[Unit]) -> bool:
    return len({unit.scene_id for unit in units}) >= 2
