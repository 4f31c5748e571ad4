"""Pairs of pictures of one place at two dates, with what changed between them: LEVIR-CD, WHU-CD, SECOND, S2Looking, HRSCD, xBD,
LEVIR-CC and LEVIR-MCI.

Files are the masks (`train/label/*.png`), the label files of the later pictures (xBD) or the caption file (LEVIR-CC); the
pictures of both dates are found beside them (rsflow.annotations.change.change_layouts), and are scenes of the source, both of
them. Labels of the pair are those of its later picture, in pixels of either. Where no mask marks a change, and none says that
it cannot be known, nothing changed of what was looked for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, path_stem
from rsflow.annotations.change import change_captions, damage_polygons
from rsflow.annotations.change.change_layouts import ChangeLayout
from rsflow.annotations.change.change_masks import MaskSettings, legend_labels, read_change_labels
from rsflow.annotations.change.damage_polygons import POST, PRE
from rsflow.annotations.change.pair_files import (
    FolderNames,
    custom_layout,
    detect_layout,
    exchange_folder,
    find_partner,
    known_layouts,
    layout_error,
)
from rsflow.annotations.change.pair_reading import PairReading
from rsflow.annotations.parsing.mask_values import ignore_unplaced_masks, parse_legend, read_mask_bands
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.records import Reject

_THREADS = 4
_XBD = ChangeLayout("labels", "images", "images")


@dataclass(frozen=True, slots=True)
class _MaskPair:
    """A mask, and the files that belong to it: pictures before and after, further masks."""

    file: str
    layout: ChangeLayout
    before: str
    after: str
    others: tuple[str, ...]


def read_change_pairs(
    files: Sequence[str],
    *,
    layout: str = "auto",
    category: str = "",
    legend: dict[str, str | None] | None = None,
    min_px: int = 1,
    masks: str = "",
    before: str = "",
    after: str = "",
) -> AnnotatedSet:
    """Pairs as one annotated set. `layout`: a name of LAYOUTS, "xbd", "levir_cc" or "auto"; `category`: what a plain mask
    marks; `legend`: what the values of masks mean; `min_px`: smaller areas are not counted; `masks`, `before`, `after`: the
    folders of another layout. ConfigError for options that cannot be."""
    if min_px < 1:
        raise ConfigError(f"annotations.options.min_px is {min_px}, expected a number of pixels from 1")
    if legend:
        parse_legend(legend)
    custom = custom_layout(masks, before, after)
    if custom and not category and not legend:
        raise ConfigError("annotations.options.category is missing: what do the masks of these folders mark?")
    layouts = (custom,) if custom else () if layout in {"xbd", "levir_cc"} else known_layouts(layout)
    settings, names = MaskSettings(legend, category, min_px), FolderNames()
    documents = [file for file in files if file.lower().endswith(".json")]
    mask_files = [file for file in files if not file.lower().endswith(".json")] if layouts else []
    with ignore_unplaced_masks(), ThreadPoolExecutor(_THREADS) as pool:
        parts = [part for file in documents for part in _read_document(file, documents, settings, names)]
        # Which files belong together is found before, in one thread: listings are shared.
        planned = [_plan_mask(file, layouts, names) for file in _without_partners(mask_files, layouts)]
        # Of two masks of one pair that which says most is taken: S2Looking's label1 before its label.
        planned.sort(key=lambda one: -len(one.others) if isinstance(one, _MaskPair) else 0)
        parts += pool.map(partial(_read_mask_pair, settings=settings), planned)
    return _join_pairs(parts)


def _join_pairs(parts: Iterable[AnnotatedSet]) -> AnnotatedSet:
    pictures: dict[str, AnnotatedPicture] = {}
    categories, rejects = set[str](), list[Reject]()
    for part in parts:
        for name, picture in part.pictures.items():
            if name in pictures:
                detail = (
                    f"{picture.annotation_file} and {pictures[name].annotation_file} both describe a pair of {picture.file}"
                )
                rejects.append(Reject("annotation", name, "ambiguous_picture", detail, picture.annotation_file))
            else:
                pictures[name] = picture
        categories.update(part.categories)
        rejects += part.rejects
    return AnnotatedSet(pictures, tuple(sorted(categories)), tuple(rejects))


def _without_partners(files: Sequence[str], layouts: Sequence[ChangeLayout]) -> list[str]:
    """The masks that are not further masks of a pair whose first mask is among `files` too."""
    every = set(files)

    def belongs(file: str) -> bool:
        for layout in layouts:
            for other in layout.others:
                folder = exchange_folder(file, other, layout.masks)
                if folder is not None and f"{folder}/{file.rpartition('/')[2]}" in every:
                    return True
        return False

    return [file for file in files if not belongs(file)]


def _plan_mask(file: str, layouts: Sequence[ChangeLayout], names: FolderNames) -> _MaskPair | AnnotatedSet:
    layout = detect_layout(file, layouts, names)
    if layout is None:
        return _rejected(file, layout_error(file, layouts, names))
    try:
        folders = (layout.before, layout.after, *layout.others)
        before, after, *others = (find_partner(file, folder, layout, names) for folder in folders)
        return _MaskPair(file, layout, before, after, tuple(others))
    except DataError as error:
        return _rejected(file, error)


def _read_mask_pair(planned: _MaskPair | AnnotatedSet, settings: MaskSettings) -> AnnotatedSet:
    if isinstance(planned, AnnotatedSet):
        return planned
    pair = PairReading(planned.file, planned.before, planned.after)
    try:
        labels, pair.size = read_change_labels((planned.file, *planned.others), planned.layout, settings)
    except DataError as error:
        return _rejected(planned.file, error)
    pair.after_labels += labels
    return pair.result()


def _read_document(file: str, files: Sequence[str], settings: MaskSettings, names: FolderNames) -> Iterator[AnnotatedSet]:
    """The pair or pairs that a JSON file describes."""
    if damage_polygons.is_pre_file(file):
        post = file.replace(PRE, POST)
        if post not in files:
            yield _rejected(file, DataError("missing_partner", f"{post} is not among the files: a pair needs both its dates"))
    elif damage_polygons.is_post_file(file):
        yield _read_damage(file, names)
    else:
        for number, entry in enumerate(change_captions.read_entries(file)):
            yield _read_caption_entry(file, f"images[{number}]", entry, settings, names)


def _read_damage(file: str, names: FolderNames) -> AnnotatedSet:
    document, pre_file = damage_polygons.read_document(file), file.replace(POST, PRE)
    try:
        after, before = (find_partner(one, _XBD.after, _XBD, names) for one in (file, pre_file))
    except DataError as error:
        return _rejected(file, error)
    pair = PairReading(file, before, after)
    pair.size, pair.gsd_m = damage_polygons.picture_size(document)
    pair.take(damage_polygons.read_damage(document, pair.size), pair.after_labels)
    if storage.exists(pre_file):
        earlier = damage_polygons.read_document(pre_file)
        pair.take(damage_polygons.read_buildings(earlier, pair.size), pair.before_labels)
        pair.before_vocabulary = ("building",)
    return pair.result()


def _read_caption_entry(file: str, where: str, entry: Any, settings: MaskSettings, names: FolderNames) -> AnnotatedSet:
    layout = change_captions.LAYOUT
    try:
        mask = change_captions.mask_path(file, entry)
        before, after = (find_partner(mask, folder, layout, names) for folder in (layout.before, layout.after))
        pair = PairReading(file, before, after, split=entry.get("split") if isinstance(entry.get("split"), str) else None)
        pair.take(change_captions.read_sentences(entry), pair.after_labels, where)
        if mask in names.files(posixpath.dirname(mask)):
            bands = read_mask_bands(mask)
            pair.size = (bands.shape[1], bands.shape[2])
            pair.after_labels += legend_labels(bands, settings.legend or change_captions.MASK_LEGEND, settings)
    except DataError as error:
        return _rejected(file, error, where)
    return pair.result()


def _rejected(file: str, error: DataError, where: str = "") -> AnnotatedSet:
    subject = f"{posixpath.basename(file)} {where}" if where else path_stem(file)
    return AnnotatedSet({}, (), (Reject("annotation", subject, error.reason, error.detail, file),))
