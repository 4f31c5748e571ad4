"""The coarser scales of large scenes: what a scene becomes at a scale is a scene again.

One idea: its files with the factor among their options, under the scene's id with the scale after it (`place/scene@overview`,
`place/scene@middle`), so that every later step reads, labels and names it as it does any scene. Only the step `group_zoom`
brings the scales together, and the splits keep them so.
"""

from __future__ import annotations

from dataclasses import replace

from rsflow.config.tile_settings import Zoom
from rsflow.readers import REDUCED
from rsflow.records import DETAIL, MIDDLE, OVERVIEW, SceneFiles

SCALES = (OVERVIEW, MIDDLE, DETAIL)  # from the coarsest to the scene itself


def with_scales(scene: SceneFiles, height_px: int, width_px: int, zoom: Zoom | None) -> list[SceneFiles]:
    """The scene, and before it its coarser scales where it is large enough to have some."""
    factors = zoom.factors(height_px, width_px) if zoom else None
    if factors is None:
        return [scene]
    coarser = [_reduced(scene, role, factor) for role, factor in zip(SCALES, factors, strict=False)]
    return [*coarser, scene]


def factor_of(scene: SceneFiles) -> int:
    """How many times coarser than its files a scene is."""
    return int(scene.options[REDUCED]["factor"]) if REDUCED in scene.options else 1


def scale_of(scene: SceneFiles) -> str | None:
    """OVERVIEW or MIDDLE; None of a scene at its own scale."""
    return scene.options[REDUCED]["scale"] if REDUCED in scene.options else None


def stored_scene_id(scene_id: str) -> str:
    """The id of the scene whose scale this is; the id itself of a scene at its own scale."""
    name, _, scale = scene_id.rpartition("@")
    return name if scale in {OVERVIEW, MIDDLE} and name else scene_id


def _reduced(scene: SceneFiles, scale: str, factor: int) -> SceneFiles:
    options = {**scene.options, REDUCED: {"factor": factor, "scale": scale}}
    return replace(scene, scene_id=f"{scene.scene_id}@{scale}", options=options)
