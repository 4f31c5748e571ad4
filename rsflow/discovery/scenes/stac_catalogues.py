"""Static STAC catalogues in a folder, each as one source of scenes.

One idea: a catalogue says what its files are, so nothing of its folder is grouped by names. One whose items give no scene that
opens is left to the names of its files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from rsflow.config.settings import Scenes, Source
from rsflow.config.stac_settings import StacSearch
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.scenes.scene_group import SceneGroup
from rsflow.errors import DataError, RsflowError
from rsflow.readers import SceneInfo, open_scene
from rsflow.records import SceneFiles
from rsflow.stac.listing import list_stac_scenes
from rsflow.stac.static_catalogue import ROOTS

OPENED = 3  # scenes, at most, that are opened to see what they are


def find_catalogues(tree: FileTree) -> Iterator[SceneGroup]:
    """A group per catalogue that lies in no other one's folder."""
    inside: list[str] = []
    for folder, names in tree.folders.items():
        root = next((name for name in ROOTS if name in names), None)
        if root is None or any((folder + "/").startswith(other + "/") for other in inside):
            continue
        if group := _group(folder, posixpath.join(folder, root)):
            inside.append(folder)
            yield group


def _group(folder: str, root: str) -> SceneGroup | None:
    source = Source("draft", "optical", "", Scenes(stac=StacSearch(root)))
    try:
        scenes = [scene for scene in list_stac_scenes(source).scenes if "listing_error" not in scene.options]
    except RsflowError:
        return None  # another kind of file of that name, or a catalogue whose items lie elsewhere
    info = next((info for scene in scenes[:OPENED] if (info := _open(scene))), None)
    if info is None:
        return None
    files = tuple(dict.fromkeys(file for scene in scenes for file in scene.files.values()))
    facts = [scene.stac_item or {} for scene in scenes]
    return SceneGroup(
        folder,
        (root,),
        len(scenes),
        stems=frozenset(posixpath.splitext(posixpath.basename(file))[0] for file in files),
        files=files,
        info=info,
        catalogue=root,
        licences=tuple(sorted({scene.options.get("licence", "unknown") for scene in scenes})),
        is_radar=any(fact.get("sar_mode") or fact.get("sar_polarizations") for fact in facts),
    )


def _open(scene: SceneFiles) -> SceneInfo | None:
    try:
        with open_scene(scene) as reader:
            return reader.info
    except (DataError, RsflowError):
        return None
