"""Existing annotated sets, whatever their format, as labels of scenes.

One idea: a format is one function, from a file's place to an `AnnotatedSet`, and one row in the table below. Finding files,
merging them and renaming categories is done once, here, for all. A new format (DOTA, YOLO, caption lists ...) is one more file
in this folder and one more row.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

from rsflow import storage
from rsflow.annotations.annotated_set import (
    AnnotatedPicture,
    AnnotatedSet,
    for_scene,
    merged,
    picture_name,
    renamed,
    size_fault,
    without_scene,
)
from rsflow.annotations.coco import read_coco
from rsflow.annotations.cut import cut, hidden
from rsflow.annotations.voc import read_voc
from rsflow.config import Annotations
from rsflow.errors import ConfigError

ANNOTATIONS: dict[str, Callable[[str], AnnotatedSet]] = {
    "coco": read_coco,
    "voc": read_voc,
}

__all__ = [
    "ANNOTATIONS",
    "AnnotatedPicture",
    "AnnotatedSet",
    "check_format",
    "cut",
    "for_scene",
    "hidden",
    "picture_name",
    "read",
    "size_fault",
    "without_scene",
]


def check_format(name: str) -> None:
    """Raises ConfigError, listing the known formats, where `name` is none of them."""
    if name not in ANNOTATIONS:
        close = difflib.get_close_matches(name, ANNOTATIONS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"annotations.format is {name!r}: {hint}known formats: {', '.join(ANNOTATIONS)}")


def read(settings: Annotations) -> AnnotatedSet:
    """All annotation files of a source as one set, categories renamed as the settings say.

    Raises ConfigError where the format is unknown or a pattern matches no file, UsageError where a file is not of the format.
    What is wrong with single records is in the set's `rejects`.
    """
    check_format(settings.format)
    annotated = merged(map(ANNOTATIONS[settings.format], files_of(settings)))
    return renamed(annotated, settings.categories)


def files_of(settings: Annotations) -> list[str]:
    """The files that the settings' patterns match, each once, in the order of the patterns and sorted within one."""
    patterns = (settings.files,) if isinstance(settings.files, str) else settings.files
    found: dict[str, None] = {}
    for pattern in patterns:
        files = storage.glob(pattern)
        if not files:
            raise ConfigError(
                f"annotations.files: {pattern!r} matches no file; give the path or pattern of the {settings.format} files, "
                "or leave annotations out for a source that has none"
            )
        found.update(dict.fromkeys(files))
    return list(found)
