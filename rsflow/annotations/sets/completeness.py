"""For which categories a picture is annotated completely, so that what it does not show is truly absent.

A format that lists its categories states them (COCO, YOLO, the legend of masks). For the others a picture is complete for a
category that occurs: in the same file, if that file describes several pictures, else in the files of the same folder. Files of
different class lists therefore never deny each other's categories. `annotations.options.vocabulary` states the list instead.

Boxes of categories such as "DontCare" or "ignored regions" (KITTI, VisDrone, UAVDT) are areas in which nothing is annotated:
they become areas of an unknown category.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, with_flag
from rsflow.records import UNKNOWN, Label

IGNORED = "ignored regions"  # the name of all of them: it names no object, so that nothing is complete where one lies
_IGNORED_NAMES = frozenset(
    [
        *("dontcare", "dont care", "don t care", "do not care", "ignore", "ignored", "ignore area", "ignore areas"),
        *("ignored area", "ignored areas", "ignore region", "ignore regions", "ignored region", "ignored regions"),
        *("not annotated", "unannotated", "unlabeled", "unlabelled", "void", "unknown"),
    ]
)


def state_completeness(annotated: AnnotatedSet) -> AnnotatedSet:
    """The set with a vocabulary for every picture, and its ignored regions as unknown areas.

    A set without categories (captions, questions, phrases) has none to state and stays as it is.
    """
    if not annotated.categories:
        return annotated
    pictures = {name: _flag_ignored(picture) for name, picture in annotated.pictures.items()}
    seen: dict[str, set[str]] = defaultdict(set)
    for picture in pictures.values():
        if picture.vocabulary is None:
            seen[_group(picture)].update(_named(picture.labels))
    categories = tuple(name for name in annotated.categories if not is_ignored(name))
    listed = {group: tuple(name for name in categories if name in found) for group, found in seen.items()}
    stated = {
        name: picture if picture.vocabulary is not None else replace(picture, vocabulary=listed[_group(picture)])
        for name, picture in pictures.items()
    }
    return replace(annotated, pictures=stated, categories=categories)


def with_vocabulary(annotated: AnnotatedSet, vocabulary: tuple[str, ...]) -> AnnotatedSet:
    """The set with these categories as the vocabulary of all its pictures; unchanged where there are none."""
    if not vocabulary:
        return annotated
    pictures = {name: replace(picture, vocabulary=vocabulary) for name, picture in annotated.pictures.items()}
    return replace(annotated, pictures=pictures, categories=tuple(sorted({*annotated.categories, *vocabulary})))


@lru_cache(maxsize=4096)
def is_ignored(category: str) -> bool:
    """Whether a category marks areas that annotators left out."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", category)
    return " ".join(re.findall(r"[a-z]+|[^\W_a-z]+", words.casefold())) in _IGNORED_NAMES


def _flag_ignored(picture: AnnotatedPicture) -> AnnotatedPicture:
    if not any(label.kind == "box" and is_ignored(label.category) for label in picture.labels):
        return picture
    return replace(picture, labels=tuple(map(_unknown_area, picture.labels)))


def _unknown_area(label: Label) -> Label:
    if label.kind != "box" or label.shape is None or not is_ignored(label.category):
        return label
    return replace(with_flag(label, UNKNOWN), category=IGNORED)


def _named(labels: tuple[Label, ...]) -> set[str]:
    return {label.category for label in labels if label.kind == "box"}


def _group(picture: AnnotatedPicture) -> str:
    """The file or folder whose annotations were made with one list of categories."""
    return posixpath.dirname(picture.annotation_file) + "/" if picture.own_name else picture.annotation_file
