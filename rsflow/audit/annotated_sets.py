"""The audit of an annotated set: what its reader rejects, its boxes as they stand, its pictures.

Faults are the rejects of the reader that a build would use (rsflow.annotations), so that an audit and a build agree;
boxes that the reader would clip silently at the picture's edge are reported in addition.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from rsflow.annotations import read_annotations
from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, normalise_path
from rsflow.audit.annotated_pictures import match_pictures
from rsflow.audit.labels.field_consistency import FIELD_CHECKS
from rsflow.audit.labels.label_rules import report_label_faults
from rsflow.audit.labels.stated_boxes import BOX_READERS, StatedBox
from rsflow.audit.report import Report
from rsflow.config.settings import Annotations
from rsflow.imports.box_formats import EDGE_TOLERANCE_PX, Size
from rsflow.spatial.geometry import Box, area

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
    annotated = read_annotations(Annotations(form, files, allow_outside=allow_outside), (folder,) if folder else ())
    report.count_inspected("annotated pictures", len(annotated.pictures))
    report.count_inspected("labels", sum(len(picture.labels) for picture in annotated.pictures.values()))
    for reject in annotated.rejects:
        if reject.reason not in _NO_FAULT and not (form in BOX_READERS and reject.reason in _COVERED):
            report.add(reject.reason, f"{posixpath.basename(reject.file)} {reject.subject}".strip(), reject.detail)
    if folder is None:
        report.notes.append("pictures were not checked: give --pictures DIR")
    sizes = match_pictures(annotated, folder, files, report, on_record, allow_outside) if folder else {}
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
