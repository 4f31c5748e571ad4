"""Which label units are grouped together: the work of the step `group`, known before a pixel is read.

A group unit rests on the label units of all its scenes, so a new date of a place, or another mask, redoes the groups of that
place and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rsflow.planning.plan import Plan, Unit
from rsflow.planning.sources.zoom_scales import scale_of
from rsflow.records import AFTER, BEFORE
from rsflow.stages.label.cut_scenes import main_file


@dataclass(frozen=True, slots=True)
class GroupScenes:
    """Scenes whose tiles are grouped window by window. `kind` and `place` are those of GROUPS; `scenes`: (scene_id, role) in
    the order of the pictures."""

    kind: str
    place: str
    scenes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GroupUnit:
    """One unit of the step `group`. `label_units`: of all its scenes, those of the last scene first."""

    id: str
    group: GroupScenes
    label_units: tuple[Unit, ...]


def annotated_pairs(plan: Plan, by_scene: Mapping[str, Sequence[Unit]]) -> Iterator[GroupScenes]:
    """The pairs of two dates that annotations state, of scenes that have units; in the order of their later scenes."""
    scene_of = {main_file(scene): name for name, scene in plan.files.items() if scale_of(scene) is None}
    found = {}
    for annotated in plan.annotated.values():
        for files in annotated.pairs.values():
            before, after = (scene_of[file] for file in files)
            if by_scene.get(before) and by_scene.get(after):
                found[after] = GroupScenes("pair", after, ((before, BEFORE), (after, AFTER)))
    yield from (found[after] for after in sorted(found))
