"""Which large scenes have tiles of several scales: the work of the step `group_zoom`, known before a pixel is read.

A unit rests on the label units of all scales of its scene and on their labels, so a changed scene or annotation redoes the
groups of that scene and of no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.planning.plan import Unit
from rsflow.planning.sources.zoom_scales import SCALES, factor_of, scale_of, stored_scene_id
from rsflow.planning.unit_ids import UnitIds
from rsflow.records import DETAIL, OVERVIEW
from rsflow.stage import fingerprint


@dataclass(frozen=True, slots=True)
class ZoomUnit:
    """`place`: the scene's id. `scales`: (scene_id, role, factor) from the coarsest on. `label_units`: of all scales, those of
    the scene itself first."""

    id: str
    place: str
    scales: tuple[tuple[str, str, int], ...]
    label_units: tuple[Unit, ...]


def zoom_units(ids: UnitIds) -> Iterator[ZoomUnit]:
    """One for each scene all of whose scales have units, by the scenes' ids; none where no zoom is asked for."""
    stage = ids.plan.group_zoom
    if stage is None:
        return
    for scene_id, scene in sorted(ids.plan.files.items()):
        if scale_of(scene) != OVERVIEW:
            continue
        place = stored_scene_id(scene_id)
        names = [place if role == DETAIL else f"{place}@{role}" for role in SCALES]
        if not all(ids.by_scene.get(name) for name in names):
            continue
        scales = tuple((name, role, factor_of(ids.plan.files[name])) for name, role in zip(names, SCALES, strict=True))
        units = tuple(unit for name in reversed(names) for unit in ids.by_scene[name])
        rest = [ids.labels_of(unit) for unit in units]
        yield ZoomUnit(fingerprint("group_zoom", place, rest, stage), place, scales, units)
