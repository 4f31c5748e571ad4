"""Draft sources: each group of scenes with its annotations, and what is known of both."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from rsflow.discovery.annotation_files import AnnotationGroup
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.layers.ground_layers import GroundDraft, is_vector_file
from rsflow.discovery.scenes.scene_group import SceneGroup
from rsflow.errors import RsflowError
from rsflow.imports.picture_sensors import guess_sensor
from rsflow.readers import open_scene
from rsflow.records import SceneFiles
from rsflow.sensors import SensorName

GREY_PX = 256  # longer side of the picture whose bands are compared
GREY_LEVELS = 8  # that bands may differ by and be alike: JPEG rounds
MIN_OVERLAP = 0.2  # share of a group's pictures, or of an annotation's, that must have the other's names
_MASK_FOLDER = re.compile(
    r"^(?:.*[_-])?(?:masks?|labels?|gt|ground_?truth|annotations?|segmentation)(?:[_-].*)?$", re.IGNORECASE
)
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx")
_OTHER = {
    ".json": "JSON files of no known annotation format (STAC, metadata or another)",
    ".jsonl": "JSON lines of no known annotation format",
    ".xml": "XML files of no known annotation format (metadata or another)",
    ".txt": "text files of no known annotation format",
    ".csv": "tables of no known annotation format",
    ".parquet": "Parquet tables",
}
_DATES = (r"(?<!\d)((?:19|20)\d{6})(?!\d)", r"(?<!\d)((?:19|20)\d{2}-\d{2}-\d{2})(?!\d)", r"L[A-Z]\d{7}((?:19|20)\d{5})")
_PRODUCT_SENSORS: dict[str, SensorName] = {"sentinel1_grd": "sar"}


@dataclass(frozen=True, slots=True)
class DraftSource:
    """One source of the draft. `annotations`: the one used. `others`: further annotations of the same pictures, not used.

    `sensor` is what was found; `sensor_reason` from what, and is empty where `sensor` is a mere assumption.
    `acquired_at`: a regular expression that finds a date in every file's path, or "". `masks`: a folder that looks like
    the masks of these pictures. `layers`: what lies on their ground.
    """

    name: str
    scenes: SceneGroup
    sensor: SensorName
    sensor_reason: str
    annotations: AnnotationGroup | None = None
    others: tuple[AnnotationGroup, ...] = ()
    acquired_at: str = ""
    masks: str = ""
    layers: tuple[GroundDraft, ...] = ()
    licence: str = "unknown"
    exhaustive: bool | None = None  # None: not known
    usual_bands: bool = False  # whether the usual order of such files' bands is theirs


@dataclass(frozen=True, slots=True)
class Unused:
    """Files that no source uses, and why."""

    place: str
    reason: str


def pair_sources(
    tree: FileTree, scenes: Sequence[SceneGroup], annotations: Sequence[AnnotationGroup]
) -> tuple[list[DraftSource], list[Unused]]:
    """One source per readable group of scenes, and what is left over."""
    unused = [
        Unused(_some(group.patterns), f"cannot be read: {group.fault}") for group in scenes if group.fault and not group.meaning
    ]
    readable = []
    for group in scenes:
        if group.meaning:
            unused.append(Unused(_some(group.patterns), group.meaning))
        elif not group.fault:
            readable.append(group)
    masks = {group.folder: group for group in readable if _is_mask_folder(group, readable)}
    readable = [group for group in readable if group.folder not in masks]
    sources: list[DraftSource] = []
    names: dict[str, int] = {}
    used: set[int] = set()
    for group in _join_annotated(readable, annotations):
        fitting = _fitting(group, annotations)
        used.update(id(each) for each in fitting)
        sensor, reason = _sensor(group)
        sources.append(
            DraftSource(
                _name(tree, group, names),
                group,
                sensor,
                reason,
                fitting[0] if fitting else None,
                tuple(fitting[1:]),
                "" if group.catalogue else _date_pattern(group.files),
                next((folder for folder, mask in masks.items() if mask.stems & group.stems), ""),
            )
        )
    paired = {source.masks for source in sources}
    unused += [
        Unused(folder, "looks like masks, but no pictures have its files' names") for folder in masks if folder not in paired
    ]
    paired_files = {path for group in scenes if group.pairs for path in group.pairs.files}
    for each in annotations:
        if each.fault:
            unused.append(Unused(_place(each), f"looks like {each.format}, but: {each.fault}"))
        elif id(each) not in used and not paired_files.issuperset(each.files):
            unused.append(Unused(_place(each), f"{each.format} of {len(each.pictures)} pictures, none of which was found"))
    return sources, [*unused, *_other_files(tree, scenes, annotations)]


def _join_annotated(scenes: Sequence[SceneGroup], annotations: Sequence[AnnotationGroup]) -> list[SceneGroup]:
    """The groups; those of one folder that share their annotations and differ in the files' suffix alone are one."""
    joined: dict[tuple[object, ...], SceneGroup] = {}
    for number, group in enumerate(scenes):
        fitting = _fitting(group, annotations)
        is_plain = not (group.product or group.bands or group.classes or group.catalogue)
        key: tuple[object, ...] = (number,)
        if fitting and group.info and is_plain:
            key = (group.folder, id(fitting[0]), len(group.info.bands), group.info.dtype)
        joined[key] = _joined(joined[key], group) if key in joined else group
    return list(joined.values())


def _joined(one: SceneGroup, other: SceneGroup) -> SceneGroup:
    return replace(
        one,
        patterns=(*one.patterns, *other.patterns),
        count=one.count + other.count,
        stems=one.stems | other.stems,
        files=(*one.files, *other.files),
    )


def _fitting(group: SceneGroup, annotations: Sequence[AnnotationGroup]) -> list[AnnotationGroup]:
    """The annotations of a group's pictures, the best first; none of pairs of dates, which have their own."""
    if group.pairs:
        return []
    fitting = [each for each in annotations if not each.fault and _overlap(group, each) >= MIN_OVERLAP]
    return sorted(fitting, key=lambda each: (not each.labels, -round(_overlap(group, each), 1), each.preference, each.folder))


def _other_files(tree: FileTree, scenes: Sequence[SceneGroup], annotations: Sequence[AnnotationGroup]) -> list[Unused]:
    """Files that are neither scenes, annotations of a known format nor vector layers: by folder and kind, counted."""
    known = (
        {path for group in scenes for path in (*group.files, *(group.pairs.files if group.pairs else ()))}
        | _catalogue_files(tree, scenes)
        | {path for group in annotations for path in group.files}
    )
    products = tuple(f"{pattern.removesuffix('/*.SAFE')}/" for group in scenes if group.product for pattern in group.patterns)
    counts: dict[tuple[str, str], int] = {}
    for folder, names in tree.folders.items():
        for name in names:
            if name.lower().endswith(SHAPEFILE_PARTS) or is_vector_file(posixpath.join(folder, name)):
                continue
            if posixpath.join(folder, name) not in known and not (products and (folder + "/").startswith(products)):
                kind = _kind_of_file(name)
                counts[(folder, kind)] = counts.get((folder, kind), 0) + 1
    return [Unused(folder, f"{count:,} {kind}") for (folder, kind), count in sorted(counts.items())]


def _catalogue_files(tree: FileTree, scenes: Sequence[SceneGroup]) -> set[str]:
    """All files in folders of catalogues: what they do not list is theirs to know."""
    folders = [group.folder for group in scenes if group.catalogue]
    return {posixpath.join(path, name) for folder in folders for path, names in tree.below(folder).items() for name in names}


def _kind_of_file(name: str) -> str:
    suffix = posixpath.splitext(name)[1].lower()
    return _OTHER.get(suffix, f"files of no known kind ({suffix or 'without suffix'})")


def _some(places: Sequence[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"


def _place(group: AnnotationGroup) -> str:
    return group.files[0] if len(group.files) == 1 else f"{group.folder}: {len(group.files)} files"


def _overlap(scenes: SceneGroup, annotations: AnnotationGroup) -> float:
    """The larger of two shares: of the pictures that are annotated, of the annotated pictures that are there.

    Names that many sets share, such as 0001, count only where the folders are near.
    """
    common = scenes.stems & annotations.pictures
    if not common or not _is_near(scenes.folder, annotations.folder):
        return 0.0
    return max(len(common) / len(scenes.stems), len(common) / len(annotations.pictures))


def _is_near(one: str, other: str) -> bool:
    """One is, holds or lies beside the other, or both lie alike in sibling folders (images/train, labels/train)."""
    first, second = posixpath.dirname(one), posixpath.dirname(other)
    parallel = posixpath.basename(one) == posixpath.basename(other) and posixpath.dirname(first) == posixpath.dirname(second)
    return one in (other, second) or first in (other, second) or _below(one, other) or parallel


def _below(one: str, other: str) -> bool:
    return one.startswith(other + "/") or other.startswith(one + "/")


def _is_mask_folder(group: SceneGroup, scenes: Sequence[SceneGroup]) -> bool:
    """A folder named like masks, of pictures in one band or with a colour table, beside a folder of pictures."""
    if not _MASK_FOLDER.match(posixpath.basename(group.folder)) or group.product or group.bands or group.classes:
        return False
    return any(other.folder != group.folder and _is_near(other.folder, group.folder) for other in scenes)


def _sensor(group: SceneGroup) -> tuple[SensorName, str]:
    """The sensor and how it was detected; optical with an empty reason where nothing did."""
    if group.product:
        return _PRODUCT_SENSORS.get(group.product, "optical"), f"product {group.product}"
    if group.is_radar:
        return "sar", "its STAC items are radar's"
    bands = set(group.bands) or set(group.info.bands if group.info else ())
    if bands & {"vv", "vh", "hh", "hv"}:
        return "sar", "its bands are polarisations"
    sample = group.files[0] if group.files else group.folder
    if found := guess_sensor("/".join(sample.split("/")[-4:])):
        return found, "the names of its folders and files"
    if re.search(r"(?<![a-z])s1(?:[ab]|_|rtc|grd)", sample.split("/")[-1].lower()):
        return "sar", "its files are named as Sentinel-1's"
    if ({"red", "green", "blue"} <= bands or len(bands) >= 3) and not _is_grey(group):
        return "optical", "it has three bands or more"
    if group.info and group.info.unit == "kelvin":
        return "infrared", "its values are in kelvin"
    return "optical", ""


def _is_grey(group: SceneGroup) -> bool:
    """Whether the first file has three bands that are alike, as of radar or thermal pictures that were stored as colour."""
    if not group.files or not group.info or len(group.info.bands) != 3:
        return False
    try:
        with open_scene(SceneFiles("draft.scene", "draft", "optical", "auto", {"": group.files[0]}, {})) as reader:
            pixels = reader.overview(GREY_PX).pixels.astype(float)
    except RsflowError:
        return False
    return bool(np.ptp(pixels, axis=0).max() <= GREY_LEVELS)


def _date_pattern(files: Sequence[str]) -> str:
    """A regular expression whose group is a date in every file's name, "" where none is."""
    names = [posixpath.basename(path) for path in files]
    for pattern in _DATES:
        matches = [re.search(pattern, name) for name in names]
        if matches and all(match and _is_date(match[1]) for match in matches):
            return pattern
    return ""


def _is_date(text: str) -> bool:
    try:
        if len(text) == 7:
            found = date(int(text[:4]), 1, 1) + timedelta(int(text[4:]) - 1)
            return 1 <= int(text[4:]) <= 366 and found.year >= 1960
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").year >= 1960
    except ValueError:
        return False


def _name(tree: FileTree, group: SceneGroup, names: dict[str, int]) -> str:
    """A short name from the folder, with a number where others have the same name."""
    root = max((root for root in tree.roots if (group.folder + "/").startswith(root + "/")), key=len, default="")
    parts = [part for part in group.folder.removeprefix(root).split("/") if part] or [posixpath.basename(root)]
    generic = {"images", "image", "jpegimages", "imgs", "img", "data", "scenes", "tiles"}
    if len(parts) > 1 and parts[-1].lower() in generic:
        parts = parts[:-1]
    word = re.sub(r"[^a-z0-9]+", "_", "_".join(parts[-2:] if len(parts[-1]) < 4 else parts[-1:]).lower()).strip("_")
    word = word if word[:1].isalpha() else f"source_{word}".rstrip("_")
    names[word] = names.get(word, 0) + 1
    return word if names[word] == 1 else f"{word}_{names[word]}"
