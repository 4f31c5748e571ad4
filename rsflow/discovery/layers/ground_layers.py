"""Layers on the ground that label scenes: vector files, class rasters and continuous rasters that lie where scenes lie.

One idea: a layer is proposed for a source only where its features or pixels were seen to lie on the ground of one of the
source's scenes, and near it in the folders; what its attributes mean is a question unless their names say so.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.config.settings import Scenes, Source
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.layers.layer_rules import LayerRule, vector_rule
from rsflow.discovery.layers.layer_samples import Bounds, has_feature_on
from rsflow.discovery.layers.raster_meaning import raster_options
from rsflow.discovery.scenes.scene_group import SceneGroup
from rsflow.errors import DataError, RsflowError
from rsflow.files import storage
from rsflow.ground.files.geoparquet import has_geometries
from rsflow.ground.files.layer_files import Layer, list_layers
from rsflow.readers import list_scenes, open_scene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import boxes_overlap

VECTORS = (".geojson", ".gpkg", ".shp", ".fgb", ".gml", ".kml", ".pbf", ".osm", ".geoparquet")
COMPARED = 12  # scenes of a source that a layer is compared with
AREA_FEATURES = 20  # polygons of a file that bounds an area, at most
_AREA = re.compile(r"(?<![a-z])(?:aoi|extent|footprints?|bounds|boundary|coverage|mapped_area|study_area)(?![a-z])")


@dataclass(frozen=True, slots=True)
class GroundDraft:
    """An entry of a source's annotations. `rule` is a vector layer's; `options` and `questions` those of a raster."""

    format: str
    file: str
    rule: LayerRule | None = None
    options: dict[str, Any] = field(default_factory=dict)
    questions: tuple[str, ...] = ()
    area_of_interest: str = ""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """A vector file that can be read. `is_area`: its name says that it bounds an area, and holds no objects."""

    path: str
    layers: tuple[Layer, ...]
    is_area: bool


def find_vector_files(tree: FileTree) -> tuple[list[VectorFile], dict[str, str]]:
    """The vector files of a tree, and those that cannot be read with the reason."""
    found, faults = [], {}
    for folder, names in tree.folders.items():
        for name in names:
            path = posixpath.join(folder, name)
            if not is_vector_file(path) or storage.is_remote(folder) or ".SAFE/" in f"{folder}/":
                continue
            try:
                layers = tuple(list_layers(path))
                found.append(VectorFile(path, layers, _is_area(name, layers)))
            except (RsflowError, ImportError) as error:
                faults[path] = str(error).splitlines()[0]
    return found, faults


def is_vector_file(path: str) -> bool:
    """Whether a file is a vector file by its name, or a Parquet file with geometries."""
    name = path.lower()
    return name.endswith(VECTORS) or (name.endswith(".parquet") and not storage.is_remote(path) and has_geometries(path))


def _is_area(name: str, layers: Sequence[Layer]) -> bool:
    """Whether a file's name and its few polygons say that it bounds an area."""
    import pyogrio

    if not _AREA.search(posixpath.splitext(name)[0].lower()) or any(layer.is_parquet for layer in layers):
        return False
    described = [pyogrio.read_info(layer.path, layer=layer.name, force_feature_count=True) for layer in layers]
    return all("Polygon" in str(each["geometry_type"]) and each["features"] <= AREA_FEATURES for each in described)


def layers_for(group: SceneGroup, vectors: Sequence[VectorFile], rasters: Sequence[SceneGroup]) -> Iterator[GroundDraft]:
    """The layers that lie on the ground of a group of scenes and near it in the folders."""
    grounds = list(scene_bounds(group))
    near = [vector for vector in vectors if is_near(group.folder, posixpath.dirname(vector.path))]
    here = [vector for vector in near if any(has_feature_on(layer, grounds) for layer in vector.layers)]
    area = next((vector.path for vector in here if vector.is_area), "")
    for vector in here:
        if not vector.is_area:
            layer = next(layer for layer in vector.layers if has_feature_on(layer, grounds))
            same_folder = posixpath.dirname(area) == posixpath.dirname(vector.path)
            yield GroundDraft("vector", vector.path, vector_rule(layer), area_of_interest=area if same_folder else "")
    for raster in rasters:
        lies_here = is_near(group.folder, raster.folder) and any(
            boxes_overlap(ground, other) for ground in grounds for other in scene_bounds(raster)
        )
        if lies_here and raster.files and (meaning := raster_options(raster.files[0])):
            yield GroundDraft(meaning.format, raster.files[0], options=meaning.options, questions=meaning.questions)


def scene_bounds(group: SceneGroup) -> Iterator[Bounds]:
    """The ground of the first scenes of a group, of those whose place is known."""
    for scene in _first_scenes(group):
        try:
            with open_scene(scene) as reader:
                footprint = reader.info.footprint
        except (DataError, RsflowError):
            continue
        if footprint:
            yield min(footprint[::2]), min(footprint[1::2]), max(footprint[::2]), max(footprint[1::2])


def _first_scenes(group: SceneGroup) -> list[SceneFiles]:
    if not group.product and not group.bands:
        return [SceneFiles("draft.scene", "draft", "optical", "auto", {"": path}, {}) for path in group.files[:COMPARED]]
    scenes = Scenes(files=group.patterns, product=group.product or None, bands=dict(group.bands))
    return list_scenes(Source(name="draft", sensor="optical", licence="unknown", scenes=scenes))[:COMPARED]


def is_near(one: str, other: str) -> bool:
    """The same folder, one below the other, or two beside each other."""
    same = one == other or posixpath.dirname(one) == posixpath.dirname(other)
    return same or f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
