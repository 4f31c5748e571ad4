"""The audit of an annotated set: what its reader rejects, its boxes as they are, its pictures.

Faults are the rejects of the reader that a build would use (rsflow.annotations), so that an audit and a build agree;
boxes that the reader would clip silently at the picture's edge are reported in addition.

Candidates for pictures are the files below the picture folder that have the file name of an annotated picture. They are decoded
for their sizes, which the join needs (rsflow.annotations.joining.join_scenes); only faults of pictures that an annotation
belongs to are reported.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from rsflow.annotations import AnnotatedSet, ScenePicture, join_scenes, picture_name, read_annotations
from rsflow.annotations.annotated_set import AnnotatedPicture, normalise_path
from rsflow.audit.labels.field_consistency import FIELD_CHECKS
from rsflow.audit.labels.label_rules import report_label_faults
from rsflow.audit.labels.stated_boxes import BOX_READERS, StatedBox
from rsflow.audit.pictures import THREADS, InspectedPicture, in_batches, inspect_picture
from rsflow.audit.report import Report
from rsflow.config.settings import Annotations
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below
from rsflow.imports.box_formats import EDGE_TOLERANCE_PX, Size
from rsflow.spatial.geometry import Box, area

_BATCH = 512
_UNMATCHED = frozenset(["missing_picture", "ambiguous_picture"])  # of an annotation without exactly one picture

_COVERED = frozenset(["box_empty", "box_outside"])  # found in the file itself where BOX_READERS has its format
_NO_FAULT = frozenset(["crowd"])  # a reject of the reader that is no fault of the set


def audit_annotated(
    form: str,
    files: tuple[str, ...],
    place: str,
    folder: str | None,
    on_record: Callable[[int], None],
    allow_outside: bool = False,
) -> Report:
    """Audit annotation files of one format. `folder`: where the pictures are, or None. `on_record` gets counts of pictures."""
    report = Report(place, form)
    settings = Annotations(form, files, allow_outside=allow_outside)
    annotated = read_annotations(settings, (folder,) if folder else (), keep_invisible=True)
    report.count_inspected("annotated pictures", len(annotated.pictures))
    report.count_inspected("labels", sum(len(picture.labels) for picture in annotated.pictures.values()))
    for reject in annotated.rejects:
        if reject.reason not in _NO_FAULT and not (form in BOX_READERS and reject.reason in _COVERED):
            report.add(reject.reason, f"{posixpath.basename(reject.file)} {reject.subject}".strip(), reject.detail)
    if folder is None:
        report.notes.append("pictures were not checked: give --pictures DIR")
    sizes = _match_pictures(annotated, folder, files, report, on_record, allow_outside) if folder else {}
    if form in BOX_READERS:
        _check_stated_boxes(
            [stated for file in files for stated in BOX_READERS[form](file)], _by_spelling(annotated, sizes), report
        )
    else:
        for name, picture in annotated.pictures.items():
            _check_boxes_without_size(picture, sizes.get(name), report)
    for fault, where, detail in FIELD_CHECKS[form](files) if form in FIELD_CHECKS else ():
        report.add(fault, where, detail)
    report_label_faults(annotated, report, form in BOX_READERS)
    for name, picture in annotated.pictures.items():
        _check_size(picture, sizes.get(name), report)
    return report


def _by_spelling(annotated: AnnotatedSet, sizes: dict[str, Size]) -> dict[tuple[str, str], Size]:
    """Sizes by annotation file and the picture's path as that file spells it: "" where the file describes one picture."""
    pictures = ((picture, sizes[name]) for name, picture in annotated.pictures.items() if name in sizes)
    return {(one.annotation_file, "" if one.own_name else normalise_path(one.file)): size for one, size in pictures}


def _check_stated_boxes(boxes: list[StatedBox], sizes: dict[tuple[str, str], Size], report: Report) -> None:
    """Every box on its picture's true size where that is known, else on the stated one."""
    seen: dict[tuple[str, str, Box], str] = {}
    for stated in boxes:
        report.count_inspected("boxes")
        _check_box(stated.where, stated.box, sizes.get(stated.picture) or stated.size, report)
        first = seen.setdefault((*stated.picture, stated.box), stated.category)
        if first != stated.category:
            report.add("contradictory_labels", stated.where, f"{_format_box(stated.box)} is {first!r} and {stated.category!r}")
    _repeated(boxes, report)


def _repeated(boxes: Iterable[StatedBox], report: Report) -> None:
    seen: set[tuple[str, str, str, Box]] = set()
    for stated in boxes:
        key = (*stated.picture, stated.category, stated.box)
        if key in seen:
            report.add("repeated_label", stated.where, f"{stated.category!r} {_format_box(stated.box)} stands there twice")
        seen.add(key)


def _check_box(where: str, box: Box, size: Size | None, report: Report) -> None:
    if not area(box) > 0:
        report.add("box_empty", where, f"{_format_box(box)} has no area")
    elif min(box[:2]) < -EDGE_TOLERANCE_PX or (
        size and (box[2] > size[1] + EDGE_TOLERANCE_PX or box[3] > size[0] + EDGE_TOLERANCE_PX)
    ):
        of = f" of {size[1]} x {size[0]} pixels (width x height)" if size else ""
        report.add("box_outside", where, f"{_format_box(box)} reaches beyond its picture{of}")


def _check_boxes_without_size(picture: AnnotatedPicture, size: Size | None, report: Report) -> None:
    """Labels of a file that knows no size: their boxes are still as they stand."""
    for number, label in enumerate(picture.labels, 1):
        if label.shape is None:
            continue
        report.count_inspected("boxes")
        where = f"{picture.name} label {number}"
        if picture.normalised:
            height, width = size or (1000, 1000)  # of an unknown size a thousandth is what an edge may be off
            x0, y0, x1, y1 = label.shape.box
            _check_box(where, (x0 * width, y0 * height, x1 * width, y1 * height), (height, width), report)
        elif picture.height_px is None:
            _check_box(where, label.shape.box, size, report)


def _check_size(picture: AnnotatedPicture, size: Size | None, report: Report) -> None:
    stated = (picture.height_px, picture.width_px)
    if size and None not in stated and stated != size:
        detail = f"is {size[1]} x {size[0]} pixels (width x height), stated are {stated[1]} x {stated[0]}"
        report.add("wrong_size", picture.name, f"{picture.file} {detail}")


def _format_box(box: Box) -> str:
    return "({:g}, {:g}, {:g}, {:g})".format(*box)


def _match_pictures(
    annotated: AnnotatedSet,
    folder: str,
    annotation_files: Collection[str],
    report: Report,
    on_record: Callable[[int], None],
    allow_outside: bool = False,
) -> dict[str, Size]:
    """The true sizes of the set's pictures by their names in it; what has no picture, or a broken one, is reported.

    `annotation_files` are no candidates (masks have the names of their pictures) unless they are the pictures themselves.
    """
    candidates = _candidates(annotated, folder, annotation_files)
    found: dict[str, InspectedPicture] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in in_batches(candidates, _BATCH):
            places = [storage.join(folder, file) for file in batch]
            checks = pool.map(lambda file: inspect_picture(file, _resolver(folder, allow_outside)), batch)
            found.update(zip(places, checks, strict=True))
            on_record(len(batch))
    joined = join_scenes(annotated, [ScenePicture(place, *(one.size or (None, None))) for place, one in found.items()])
    for reject in joined.rejects[len(annotated.rejects) :]:
        if reject.reason in _UNMATCHED:
            report.add(reject.reason, reject.subject, reject.detail)
    _report_faults(joined.files, found, report)
    sizes = {name: found[place].size for name, place in joined.files.items()}
    return {name: size for name, size in sizes.items() if size}


def _candidates(annotated: AnnotatedSet, folder: str, annotation_files: Collection[str]) -> list[str]:
    """Files below the folder, relative to it, that are called like an annotated picture."""
    names: set[str] = set()
    for picture in annotated.pictures.values():
        stated = [name for name in (picture.file, picture.own_name) if name]
        names.update(picture_name(one) for name in stated for one in (name, unquote(name)))
    own = () if any(one.match_full_path for one in annotated.pictures.values()) else map(_absolute, annotation_files)
    excluded = set(own)
    files = storage.list_files(folder, follow_links=True)
    named = (file for file in files if picture_name(file) in names and not storage.is_metadata(file))
    return [file for file in named if _absolute(storage.join(folder, file)) not in excluded]


def _resolver(folder: str, allow_outside: bool) -> Callable[[str], str]:
    # A link among the files may lead out of the folder.
    return lambda file: resolve_below(folder, file, allow_outside)


def _report_faults(files: dict[str, str], found: dict[str, InspectedPicture], report: Report) -> None:
    first: dict[bytes, str] = {}
    for name, place in files.items():
        report.count_inspected("pictures")
        one = found[place]
        if one.fault:
            report.add(one.fault[0], name, one.fault[1])
        elif first.setdefault(one.digest, place) != place:
            report.add("repeated_picture", name, f"{place} has the same bytes as {first[one.digest]}")


def _absolute(place: str) -> str:
    return place if storage.is_remote(place) else os.path.abspath(place)
