"""The files below the folders that a user names, by folder; names only."""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.errors import ConfigError
from rsflow.files import storage

MAX_FILES = 2_000_000


@dataclass(frozen=True, slots=True)
class FileTree:
    """`roots`: the folders asked for, absolute. `folders`: folder -> sorted names of the files directly in it."""

    roots: tuple[str, ...]
    folders: dict[str, list[str]]

    def below(self, folder: str) -> dict[str, list[str]]:
        """The folder itself and all below it."""
        prefix = folder.rstrip("/") + "/"
        return {path: names for path, names in self.folders.items() if path == folder or path.startswith(prefix)}


def list_tree(places: Sequence[str]) -> FileTree:
    """Raises ConfigError for a place that is no folder or holds no file."""
    folders: dict[str, list[str]] = defaultdict(list)
    roots: list[str] = []
    for place in places:
        root = (place if storage.is_remote(place) else str(storage.filesystem(place)[1])).rstrip("/")
        if not storage.is_remote(root) and os.path.isfile(root):
            raise ConfigError(f"{place}: is a file; give the folder that holds it")
        found = [path for path in storage.list_files(root) if not _is_hidden(path)]
        if not found:
            raise ConfigError(f"{place}: is no folder with files; give a folder that holds scenes, pictures or annotations")
        if len(found) > MAX_FILES:
            raise ConfigError(f"{place}: holds {len(found):,} files, more than {MAX_FILES:,}; name the folders one by one")
        roots.append(root)
        for path in found:
            whole = posixpath.join(root, path)
            folders[posixpath.dirname(whole)].append(posixpath.basename(whole))
    return FileTree(tuple(roots), {folder: sorted(set(names)) for folder, names in sorted(folders.items())})


def _is_hidden(path: str) -> bool:
    return storage.is_metadata(path) or any(part.startswith(".") for part in path.split("/"))
