"""Sets of two dates with masks of what changed between them: the folders of both dates, and their annotations, as one source.

Found by the folders that lie beside each other: those of the layouts that format `change_pairs` knows
(rsflow.annotations.change.change_layouts), of xBD and LEVIR-CC, and pairs of folders that are named as two dates.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.annotations.change.change_layouts import LAND_COVER, LAYOUTS, ChangeLayout
from rsflow.annotations.change.damage_polygons import is_post_file
from rsflow.annotations.change.pair_files import exchange_folder, file_key
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.scenes.scene_group import ChangePairs, SceneGroup, escape_pattern, is_raster, stems_of

MIN_PAIRED = 0.5  # share of the masks whose pictures of both dates are there
_DATES = (("time1", "time2"), ("t1", "t2"), ("T1", "T2"), ("image1", "image2"), ("im1", "im2"), ("pre", "post"), ("A", "B"))
_MASKS = ("label", "labels", "mask", "masks", "gt", "GT", "ref", "change")
_OTHER_LAYOUTS = tuple(ChangeLayout(masks, *dates, category=LAND_COVER) for dates in _DATES for masks in _MASKS)
_SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of one folder. `files`: masks or documents; `pictures`: folders of both dates; `further`: folders of other masks of
    the same pairs; `root`: the folder that holds all of these."""

    layout: str
    files: tuple[str, ...]
    pictures: tuple[str, ...]
    further: tuple[str, ...]
    root: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def set_key(self) -> tuple[str, str]:
        """The same for all splits of one set."""
        return self.layout, posixpath.dirname(self.root) if self.split else self.root

    @property
    def split(self) -> str:
        return _SPLITS.get(posixpath.basename(self.root).lower(), "")

    @property
    def folders(self) -> set[str]:
        return {*map(posixpath.dirname, self.files), *self.pictures, *self.further}


def find_change_sets(tree: FileTree) -> tuple[list[SceneGroup], set[str]]:
    """(a group for each set, the folders that these account for)."""
    sets: dict[tuple[str, str], list[_Pairs]] = defaultdict(list)
    covered, shown = set[str](), set[str]()
    for pairs in (*_captioned(tree), *_damaged(tree), *_masked(tree)):
        if shown.issuperset(pairs.pictures):
            covered |= pairs.folders  # further masks of pairs that are known already
        elif not shown & {*pairs.pictures}:
            sets[pairs.set_key].append(pairs)
            covered |= pairs.folders
            shown |= {*pairs.pictures}
    return [_scene_group(tree, root, parts) for (_, root), parts in sets.items()], covered


def _scene_group(tree: FileTree, root: str, parts: list[_Pairs]) -> SceneGroup:
    folders = [folder for pairs in parts for folder in pairs.pictures]
    pictures = [posixpath.join(folder, name) for folder in folders for name in _raster_names(tree, folder)]
    patterns = {pairs: _patterns(pairs.files) for pairs in parts}
    splits = {pairs.split: patterns[pairs] for pairs in parts} if all(pairs.split for pairs in parts) else {}
    files = tuple(file for pairs in parts for file in (*pairs.files, *_further_files(tree, pairs)))
    known = ChangePairs(tuple(each for some in patterns.values() for each in some), files, splits, dict(parts[0].options))
    return SceneGroup(
        root, _patterns(tuple(pictures)), len(pictures), stems=stems_of(pictures), files=tuple(pictures), pairs=known
    )


def _further_files(tree: FileTree, pairs: _Pairs) -> Iterator[str]:
    for folder in pairs.further:
        yield from (posixpath.join(folder, name) for name in _raster_names(tree, folder))


def _captioned(tree: FileTree) -> Iterator[_Pairs]:
    """LEVIR-CC: one document beside images/<split>/A and B."""
    dated: dict[str, list[str]] = defaultdict(list)
    for path in tree.folders:
        dated[posixpath.dirname(posixpath.dirname(path))].append(path)
    for folder, names in tree.folders.items():
        documents = [posixpath.join(folder, name) for name in names if name.lower().endswith(".json")]
        splits = dated[f"{folder}/images"]
        dates = tuple(path for path in splits if posixpath.basename(path) in {"A", "B"})
        if len(documents) == 1 and dates:
            labels = tuple(path for path in splits if path not in dates)
            yield _Pairs("levir_cc", tuple(documents), dates, labels, folder)


def _damaged(tree: FileTree) -> Iterator[_Pairs]:
    """xBD: a document for each picture."""
    for folder, names in tree.folders.items():
        if posixpath.basename(folder) != "labels":
            continue
        root = posixpath.dirname(folder)
        files = tuple(posixpath.join(folder, name) for name in names if name.lower().endswith(".json"))
        if any(map(is_post_file, files)) and _raster_names(tree, f"{root}/images"):
            further = tuple(path for path in (f"{root}/targets", f"{root}/masks") if path in tree.folders)
            yield _Pairs("xbd", files, (f"{root}/images",), further, root)


def _masked(tree: FileTree) -> Iterator[_Pairs]:
    # Layouts with most folders first: S2Looking's label1 says more than its label.
    known = sorted(((name, one) for name, rows in LAYOUTS.items() for one in rows), key=lambda item: -len(item[1].others))
    for name, layout in (*known, *(("", one) for one in _OTHER_LAYOUTS)):
        for folder in tree.folders:
            if pairs := _mask_folder(tree, folder, name, layout):
                yield pairs


def _mask_folder(tree: FileTree, folder: str, name: str, layout: ChangeLayout) -> _Pairs | None:
    """The pairs of a folder of masks in that layout; None where it is none."""
    if f"/{layout.masks}/" not in f"{folder}/":
        return None
    files = tuple(posixpath.join(folder, one) for one in _raster_names(tree, folder))
    if not files:
        return None
    others = [exchange_folder(files[0], layout.masks, one) or "" for one in (layout.before, layout.after, *layout.others)]
    keys = [{file_key(one, layout.key) for one in _raster_names(tree, other)} for other in others]
    if not all(keys):
        return None
    mine = {file_key(file, layout.key) for file in files}
    if len(mine.intersection(*keys)) < MIN_PAIRED * len(mine) and not all(len(each) == 1 for each in (mine, *keys)):
        return None
    root = f"{folder}/".rpartition(f"/{layout.masks}/")[0]
    options = () if name else (("masks", layout.masks), ("before", layout.before), ("after", layout.after))
    # A and B may be of any set: what their masks mark is a question.
    category = (("category", layout.category),) if layout.reading == "areas" and layout.before != "Image1" else ()
    return _Pairs(name or layout.masks, files, (others[0], others[1]), tuple(others[2:]), root, (*options, *category))


def _raster_names(tree: FileTree, folder: str) -> list[str]:
    return [name for name in tree.folders.get(folder, []) if is_raster(name)]


def _patterns(files: tuple[str, ...]) -> tuple[str, ...]:
    """A pattern for each folder and suffix; the path itself of a document that stands alone."""
    found = dict.fromkeys((posixpath.dirname(file), posixpath.splitext(file)[1]) for file in files)
    if len(files) == 1 and files[0].endswith(".json"):
        return (escape_pattern(files[0]),)
    return tuple(posixpath.join(escape_pattern(folder), f"*{suffix}") for folder, suffix in found)
