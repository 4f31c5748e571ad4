"""Pictures that annotations name by an absolute path: they must lie in the folders that the user gave.

A picture is known by its name without folders, so `/home/anna/private/1.png` would give its boxes to every scene that
is called 1.png. An absolute name is right below the folders of the annotation files and of the source's scenes; elsewhere it is
another picture, or the same one before the set moved, which only the user knows: `annotations.allow_outside`.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable

from rsflow.annotations.annotated_set import AnnotatedSet
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.files.data_paths import normalise_relative
from rsflow.records import Reject

Folders = tuple[str, ...]

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]|^\\")
_HINT = (
    "if it is the same picture before the set moved, set annotations.allow_outside: true, which matches pictures by file name"
)


def check_picture_path(name: str, folders: Folders) -> None:
    """DataError `path_outside` where the name is absolute and not below one of the folders, or climbs out of its own."""
    if not (posixpath.isabs(name) or _DRIVE.match(name) or storage.is_remote(name)):
        normalise_relative(name)
    elif not any(_below(name, folder) for folder in folders):
        raise DataError("path_outside", f"{name!r} is not below {' or '.join(folders) or 'any folder of the source'}; {_HINT}")


def reject_outside_pictures(annotated: AnnotatedSet, folders: Folders) -> AnnotatedSet:
    """The set without pictures whose names lead elsewhere, each a reject; the very same set where none does."""
    found: dict[str, Reject] = {}
    for key, picture in annotated.pictures.items():
        if picture.pair:
            continue  # found by listing folders beside the annotation file: no name in a file leads there
        try:
            check_picture_path(picture.file, folders)
        except DataError as error:
            found[key] = Reject("annotation", key, error.reason, error.detail, picture.file)
    if not found:
        return annotated
    pictures = {key: picture for key, picture in annotated.pictures.items() if key not in found}
    return AnnotatedSet(pictures, annotated.categories, (*annotated.rejects, *found.values()))


def parent_folders(files: Iterable[str]) -> Folders:
    """The folders of these files, absolute where they are local."""
    return tuple(dict.fromkeys(posixpath.dirname(_absolute(file)) for file in files))


def _below(name: str, folder: str) -> bool:
    whole, base = _absolute(name), _absolute(folder).rstrip("/")
    return whole.startswith(base + "/") or (
        not storage.is_remote(folder) and os.path.realpath(whole).startswith(os.path.realpath(base).rstrip("/") + "/")
    )


def _absolute(place: str) -> str:
    return posixpath.normpath(place).replace(":/", "://", 1) if storage.is_remote(place) else os.path.abspath(place)
