"""Faults of the labels of an annotated set, of any format: boxes given twice, texts that no annotator writes, answers that
contradict each other.

The labels are those that a build would read, so that exact repetitions within one file are gone
(rsflow.audit.labels.stated_boxes and field_consistency look for these in the files themselves).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet
from rsflow.audit.labels.category_spellings import CategorySpellings
from rsflow.audit.records.text_rules import find_faults
from rsflow.audit.report import Report
from rsflow.imports.conversation import Conversation, Exchange
from rsflow.records import Label, Shape
from rsflow.spatial.geometry import Box, iou_matrix

SAME_IOU = 0.95  # of two boxes of one category that are one object drawn twice
MAX_BOXES = 2000  # of one category on one picture that are compared
BOX_FAULTS = ("box_missing", "foreign_box")  # of texts that have a format of boxes
CAPTION = "Describe the image."
Faults = tuple[tuple[str, str], ...]


def report_label_faults(annotated: AnnotatedSet, report: Report, boxes_are_judged: bool) -> None:
    """`boxes_are_judged`: one box with two categories was already reported from the files."""
    _report_spellings(annotated, report)
    known: dict[tuple[str, str], Faults] = {}
    for name, picture in annotated.pictures.items():
        for fault, detail in _text_faults(picture, known):
            report.add(fault, name, detail)
        for detail in _contradictory_answers(picture):
            report.add("contradictory_answers", name, detail)
        for detail in _near_repeated(picture):
            report.add("near_repeated_label", name, detail)
        for detail in () if boxes_are_judged else _contradictory_boxes(picture):
            report.add("contradictory_labels", name, detail)


def _text_faults(picture: AnnotatedPicture, known: dict[tuple[str, str], Faults]) -> Iterator[tuple[str, str]]:
    """`known`: faults of the texts that were judged already, for questions repeat from picture to picture."""
    for label in picture.labels:
        texts = (label.text, label.category) if label.kind == "question" else (CAPTION, label.text)
        if not label.text:
            continue
        if texts not in known:
            conversation = Conversation((), (Exchange(*texts),), texts)
            found = find_faults(conversation, "pixels")
            known[texts] = tuple(one for one in found if one[0] not in BOX_FAULTS)
        yield from known[texts]


def _contradictory_answers(picture: AnnotatedPicture) -> Iterator[str]:
    """Questions with two answers, and classes of the whole picture that differ."""
    answers: dict[str, str] = {}
    for label in picture.labels:
        if label.kind in {"question", "category"}:
            before = answers.setdefault(label.text, label.category)
            if before.strip().lower() != label.category.strip().lower():
                question = repr(label.text) if label.kind == "question" else "the picture's class"
                yield f"{question}: {before!r} and {label.category!r}"


def _near_repeated(picture: AnnotatedPicture) -> Iterator[str]:
    """Two boxes of one category that nearly cover each other. Outlines are not checked: they may cross."""
    by_category: dict[str, list[Box]] = defaultdict(list)
    for label, shape in _objects(picture.labels):
        if not shape.polygon:
            by_category[label.category].append(shape.box)
    for category, boxes in by_category.items():
        if 1 < len(boxes) <= MAX_BOXES:
            array = np.array(boxes)
            pairs = np.argwhere(np.triu(iou_matrix(array, array) >= SAME_IOU, 1))
            yield from (f"{category!r} {_spell(boxes[i])} and {_spell(boxes[j])}" for i, j in pairs.tolist())


def _contradictory_boxes(picture: AnnotatedPicture) -> Iterator[str]:
    first: dict[tuple[object, ...], str] = {}
    for label, shape in _objects(picture.labels):
        before = first.setdefault((shape.box, shape.area_parts), label.category)
        if before != label.category:
            yield f"{_spell(shape.box)} is {before!r} and {label.category!r}"


def _objects(labels: Iterable[Label]) -> Iterator[tuple[Label, Shape]]:
    return ((label, label.shape) for label in labels if label.kind == "box" and label.shape)


def _report_spellings(annotated: AnnotatedSet, report: Report) -> None:
    """Categories that differ in their spelling only, of the labels and of the vocabulary."""
    spellings = CategorySpellings()
    for name, picture in annotated.pictures.items():
        for label in picture.labels:
            if label.kind in {"box", "category"}:
                spellings.add(label.category, name)
    for category in annotated.categories:
        spellings.name(category, "the categories")
    spellings.report_to(report)


def _spell(box: Box) -> str:
    return "({:g}, {:g}, {:g}, {:g})".format(*box)
