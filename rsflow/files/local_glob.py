"""Patterns of local files, as a shell expands them: linked folders are entered, which fsspec does not do.

One idea: a pattern is expanded folder by folder, so a name with wildcard characters of its own ("set [v2]/*.png") is found as
it is spelled. A link that leads back to a folder it lies in is not entered again.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from collections.abc import Iterator

from rsflow.files.local_files import exists, is_folder

WILD = re.compile(r"[*?\[]")


def local_glob(pattern: str) -> list[str]:
    """Files and folders that match, sorted, hidden ones too; `**` stands for any number of folders."""
    parts = pattern.split("/")
    places = ["/"] if pattern.startswith("/") else [""]
    for number, part in enumerate(parts, 1):
        if part:
            found = (path for place in places for path in _expanded(place, part, number == len(parts)))
            places = [*dict.fromkeys(found)]
    return sorted(places)


def _expanded(place: str, part: str, last: bool) -> Iterator[str]:
    candidate = posixpath.join(place, part)
    if part == "**":
        folders = [place, *_subfolders(place)] if is_folder(place or ".") else []
        yield from (posixpath.join(folder, name) for folder in folders for name in os.listdir(folder)) if last else folders
        return
    if exists(candidate):
        yield candidate
    if WILD.search(part) and is_folder(place or "."):
        yield from (posixpath.join(place, name) for name in fnmatch.filter(os.listdir(place or "."), part))


def list_local(folder: str) -> list[str]:
    """All files below a folder, relative to it, sorted; linked folders are entered, but for links back to a folder above."""
    if not is_folder(folder):
        return []
    places = (posixpath.join(below, name) for below in (folder, *_subfolders(folder)) for name in os.listdir(below))
    return sorted(posixpath.relpath(place, folder) for place in places if os.path.isfile(place))


def _subfolders(folder: str) -> Iterator[str]:
    return _below(folder, {os.path.realpath(folder or ".")})


def _below(folder: str, above: set[str]) -> Iterator[str]:
    """All folders below, linked ones among them. `above`: where the links of the folders on the way lead."""
    with os.scandir(folder or ".") as entries:
        inner = sorted(posixpath.join(folder, entry.name) for entry in entries if is_folder(posixpath.join(folder, entry.name)))
    for path in inner:
        real = os.path.realpath(path)
        if real not in above:
            yield path
            yield from _below(path, above | {real})
