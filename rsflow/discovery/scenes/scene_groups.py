"""Which rasters and pictures make up one source: products, files per band, class folders, or one kind of file in a folder."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.scenes.band_names import band_table
from rsflow.discovery.scenes.change_sets import find_change_sets
from rsflow.discovery.scenes.scene_group import SceneGroup, escape_pattern, is_raster, stems_of
from rsflow.discovery.scenes.stac_catalogues import find_catalogues
from rsflow.errors import DataError, RsflowError
from rsflow.readers import SceneInfo, open_scene
from rsflow.records import SceneFiles

# What stands for a band in files' names.
_TOKENS = (
    *("red", "green", "blue", "nir", "swir1", "swir2", "swir16", "swir22", "thermal", "vv", "vh", "hh", "hv", "b8a"),
    *(f"b{number:02d}" for number in range(1, 13)),
    *(f"b{number}" for number in range(1, 12)),
)
# What names say that are no pictures of the ground.
_MEANINGS = {
    r"thumbnail|thumb|quick-?look|preview|pvi|browse": "a preview of a scene",
    r"dem|dsm|dtm|hag|elev|elevation|ned|srtm|slope|aspect|chm": "looks like elevation or height, no scene",
    r"lulc|land_?cover|world_?cover|nlcd|cdls?|cultivated|corine|dynamicworld|label[a-z]*|classes": (
        "looks like a map of classes, no scene"
    ),
    r"udm2?|clm|scl|qa|cloud_?mask|mask|confidence[a-z]*": "looks like a mask, no scene",
}
COMPARED = 40  # files of a folder, at most, that are all opened and compared
_BAND = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(sorted(_TOKENS, key=len, reverse=True))})(?![A-Za-z0-9])", re.IGNORECASE)
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_PICTURE_FOLDERS = {"images", "image", "img", "imgs", "jpegimages", "pictures", "tiles", "scenes", "rgb"}


def find_scene_groups(tree: FileTree) -> list[SceneGroup]:
    """Every group of scenes, by folder. A folder of products, of pairs of two dates, or of a STAC
    catalogue, gives no other group."""
    catalogues = list(find_catalogues(tree))
    change_sets, covered = find_change_sets(tree)
    covered |= {folder for group in catalogues for folder in tree.below(group.folder)}
    products = [group for group in _products(tree) if group.folder not in covered]
    taken = covered | {folder for group in products for folder in _covered(tree, group)}
    rest = {folder: _rasters(names) for folder, names in tree.folders.items() if folder not in taken}
    rest = {folder: names for folder, names in rest.items() if names}
    groups = [*products, *change_sets]
    for parent, folders in _class_folders(tree, rest).items():
        groups.append(_class_group(parent, folders, rest))
        rest = {folder: names for folder, names in rest.items() if folder not in folders}
    for folder, names in rest.items():
        groups += _folder_groups(folder, names)
    opened = [each for group in groups for each in _by_content(group)]
    return sorted([*catalogues, *opened], key=lambda group: (group.folder, group.patterns))


def _products(tree: FileTree) -> Iterator[SceneGroup]:
    """One group per kind of product and parent folder."""
    safes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for folder, names in tree.folders.items():
        for kind, metadata in (("sentinel2_l2a", "MTD_MSIL2A.xml"), ("sentinel2_l1c", "MTD_MSIL1C.xml")):
            if metadata in names and _has_file(tree, folder, r"/IMG_DATA/.*\.(jp2|tif)$"):
                safes[(kind, posixpath.dirname(folder))].append(folder)
        if "manifest.safe" in names and _has_file(tree, folder, r"/measurement/.*-grd-.*\.tiff?$"):
            safes[("sentinel1_grd", posixpath.dirname(folder))].append(folder)
        scenes = {re.sub(r"_MTL\.\w+$", "", name) for name in names if re.search(r"_MTL\.(json|xml|txt)$", name)}
        scenes = {scene for scene in scenes if any(re.match(rf"{re.escape(scene)}_.*B\d+.*\.TIF$", name) for name in names)}
        if scenes and all(re.match(r"L[COTEM]\d\d_L[12]", scene) for scene in scenes):
            yield SceneGroup(folder, (escape_pattern(folder),), len(scenes), "landsat_c2")
        periods = {
            re.sub(r"_B\d[\dA]_\(Raw\)\.tiff?$", "", name)
            for name in names
            if re.search(r"_Sentinel-2_L\w+_B.*\(Raw\)\.", name)
        }
        if periods:
            yield SceneGroup(folder, (escape_pattern(folder),), len(periods), "sentinelhub")
    for (kind, parent), folders in safes.items():
        # Folders of metadata alone match the short pattern too, and would be rejects.
        is_all = len(folders) == sum(posixpath.dirname(path) == parent and path.endswith(".SAFE") for path in tree.folders)
        patterns = (
            (posixpath.join(escape_pattern(parent), "*.SAFE"),) if is_all else tuple(map(escape_pattern, sorted(folders)))
        )
        yield SceneGroup(parent, patterns, len(folders), kind)


def _has_file(tree: FileTree, folder: str, pattern: str) -> bool:
    return any(re.search(pattern, f"{path}/{name}") for path, names in tree.below(folder).items() for name in names)


def _covered(tree: FileTree, group: SceneGroup) -> list[str]:
    if group.product.startswith("sentinel") and group.product != "sentinelhub":
        return [path for path in tree.folders if re.search(rf"^{re.escape(group.folder)}/[^/]*\.SAFE(/|$)", path)]
    return [group.folder]


def _rasters(names: Sequence[str]) -> list[str]:
    return [name for name in names if is_raster(name)]


def _class_folders(tree: FileTree, rasters: dict[str, list[str]]) -> dict[str, list[str]]:
    """Parent -> at least two folders that hold nothing but pictures and are named by words, as sets of classes are laid out."""
    children: dict[str, list[str]] = defaultdict(list)
    for folder in rasters:
        children[posixpath.dirname(folder)].append(folder)
    found: dict[str, list[str]] = {}
    for parent, folders in children.items():
        is_set = len(folders) >= 2 and all(
            _is_class_name(posixpath.basename(folder)) and len(rasters[folder]) == len(tree.folders[folder])
            for folder in folders
        )
        per_band = any(_bands_in(rasters[folder]) for folder in folders)
        if (
            is_set
            and parent not in rasters
            and not per_band
            and _have_same_form([posixpath.join(folder, rasters[folder][0]) for folder in folders])
        ):
            found[parent] = sorted(folders)
    return found


def _have_same_form(files: Sequence[str]) -> bool:
    """Whether pictures of several folders have one size, type and number of bands: folders of a set's classes do."""
    if len({posixpath.splitext(path)[1].lower() for path in files}) > 1:
        return False
    found = [read_scene_info(path)[0] for path in files[:COMPARED]]
    return len({(len(info.bands), info.dtype, info.height_px, info.width_px) if info else None for info in found}) == 1


def _is_class_name(name: str) -> bool:
    words = re.sub(r"[^a-z]+", "", name.lower())
    return len(words) >= 3 and words not in _SPLITS | _PICTURE_FOLDERS and sum(map(str.isdigit, name)) <= 2


def _class_group(parent: str, folders: list[str], rasters: dict[str, list[str]]) -> SceneGroup:
    files = [posixpath.join(folder, name) for folder in folders for name in rasters[folder]]
    suffixes = sorted({posixpath.splitext(name)[1] for name in files})
    patterns = tuple(posixpath.join(escape_pattern(parent), "*", f"*{suffix}") for suffix in suffixes)
    classes = tuple(posixpath.basename(folder) for folder in folders)
    return SceneGroup(parent, patterns, len(files), classes=classes, stems=stems_of(files), files=tuple(files))


def _folder_groups(folder: str, names: list[str]) -> Iterator[SceneGroup]:
    """Files per band where their names differ in a band only, else one group per suffix."""
    tokens = _bands_in(names)
    banded = {name for template in tokens.values() for name in template.values()}
    for template, files in sorted(tokens.items()):
        table = band_table(posixpath.join(folder, next(iter(files.values()))))
        bands = {table.get(token, token.lower()): token for token in files}
        pattern = posixpath.join(escape_pattern(folder), template.replace("\0", "{band}"))
        scenes = [posixpath.join(folder, name) for name in files.values()]
        yield SceneGroup(folder, (pattern,), 1, bands=bands, stems=stems_of(scenes), files=tuple(scenes))
    by_suffix: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name not in banded:
            by_suffix[posixpath.splitext(name)[1]].append(posixpath.join(folder, name))
    for suffix, files_of in by_suffix.items():
        pattern = posixpath.join(escape_pattern(folder), f"*{suffix}")
        patterns = tuple(map(escape_pattern, files_of)) if banded else (pattern,)
        yield SceneGroup(folder, patterns, len(files_of), stems=stems_of(files_of), files=tuple(files_of))


def _bands_in(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Template with NUL for the band -> token -> name, of templates that at least two bands share."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        for match in list(_BAND.finditer(posixpath.splitext(name)[0]))[-1:]:
            found[name[: match.start()] + "\0" + name[match.end() :]][match[1]] = name
    return {template: tokens for template, tokens in found.items() if len(tokens) >= 2}


def _by_content(group: SceneGroup) -> Iterator[SceneGroup]:
    """The group with what its first file is; a few files of different bands or types in one folder are groups each.

    Products are opened when they are planned. Of many files the first ones speak for all.
    """
    if len(group.files) > COMPARED or group.bands or group.classes or group.pairs:
        found = [read_scene_info(path) for path in group.files[:3]]
        info = next((info for info, _ in found if info), None)
        yield replace(group, info=info, fault="" if info else next((fault for _, fault in found), ""))
        return
    alike: dict[tuple[object, ...], list[tuple[str, SceneInfo | None, str]]] = defaultdict(list)
    for path in group.files:
        info, fault = read_scene_info(path)
        content = (len(info.bands), info.dtype, info.crs is None) if info else ("unreadable",)
        alike[(_meaning(path), *content)].append((path, info, fault))
    for (meaning, *_), members in alike.items():
        paths = tuple(path for path, _, _ in members)
        patterns = group.patterns if len(alike) == 1 else tuple(escape_pattern(path) for path in paths)
        _, info, fault = members[0]
        yield replace(
            group,
            patterns=patterns,
            count=len(paths),
            files=paths,
            stems=stems_of(paths),
            info=info,
            fault=fault,
            meaning=str(meaning),
        )
    if not group.files:
        yield group


def _meaning(path: str) -> str:
    """What the file's name, or its folder's whole name, says it is where it is no picture of the ground; else ""."""
    name = posixpath.splitext(posixpath.basename(path))[0].lower()
    folder = posixpath.basename(posixpath.dirname(path)).lower()
    for words, meaning in _MEANINGS.items():
        if re.search(rf"(?<![a-z])(?:{words})(?![a-z])", name) or re.fullmatch(words, folder):
            return meaning
    return ""


def read_scene_info(path: str) -> tuple[SceneInfo | None, str]:
    """What a reader says of a file, or None and why it cannot be read."""
    try:
        with open_scene(SceneFiles("draft.scene", "draft", "optical", "auto", {"": path}, {})) as reader:
            return reader.info, ""
    except (DataError, RsflowError) as error:
        return None, str(error)
