"""Sources with the layers on their ground, and which layers no source uses, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.layers.ground_layers import VectorFile, find_vector_files, layers_for
from rsflow.discovery.scenes.scene_group import SceneGroup
from rsflow.discovery.sources import DraftSource, Unused

NO_SCENE = "no scene of a source near it in the folders was seen to lie on its ground"


def attach_layers(
    tree: FileTree, scenes: Sequence[SceneGroup], sources: Sequence[DraftSource], unused: Sequence[Unused]
) -> tuple[list[DraftSource], list[Unused]]:
    """The sources with their layers, and all that is left over."""
    vectors, faults = find_vector_files(tree)
    rasters = [group for group in scenes if group.meaning]
    filled = [replace(source, layers=tuple(layers_for(source.scenes, vectors, rasters))) for source in sources]
    used = {layer.file for source in filled for layer in source.layers}
    used |= {layer.area_of_interest for source in filled for layer in source.layers}
    taken = {pattern for group in rasters if used & set(group.files) for pattern in group.patterns}
    left = [each for each in unused if each.place not in taken]
    left += [Unused(path, f"cannot be read: {fault}") for path, fault in faults.items()]
    return filled, [*left, *(Unused(each.path, _reason(each)) for each in vectors if each.path not in used)]


def _reason(vector: VectorFile) -> str:
    what = "the outline of an area, but " if vector.is_area else "a vector layer; "
    return what + NO_SCENE
