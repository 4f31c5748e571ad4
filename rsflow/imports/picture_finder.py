"""Where the pictures that a record names are, below one folder.

A name is looked up as it is place. Where there is no such file, a file is accepted whose path below the folder is the end of
the name, or the other way round (sets gain and lose leading folders as they are copied); names are then compared in Unicode's
composed form (NFC), with %20 and the like decoded, and without regard to the case of the suffix.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from urllib.parse import unquote

from rsflow.annotations.annotated_set import normalise_path
from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below


@dataclass
class PictureFinder:
    """Callable: the place of a picture by its name, or None where there is none.

    DataError `path_outside` where the name leads out of the folder and `allow_outside` is not set, `ambiguous_picture` where
    several files may be meant.
    """

    folder: str
    allow_outside: bool = False
    _by_name: dict[str, list[str]] | None = field(default=None, repr=False)

    def __call__(self, name: str) -> str | None:
        place = resolve_below(self.folder, name, self.allow_outside)
        if storage.exists(place):
            return place
        comparable = _comparable(name)
        files = [file for file in self._called(posixpath.basename(comparable)) if _is_end(_comparable(file), comparable)]
        longest = max((file.count("/") for file in files), default=0)
        found = [file for file in files if file.count("/") == longest]
        if len(found) > 1:
            raise DataError("ambiguous_picture", f"{name} may be {' or '.join(found[:4])} below {self.folder}")
        return resolve_below(self.folder, found[0], self.allow_outside) if found else None

    def _called(self, name: str) -> list[str]:
        """Files of this (comparable) file name, relative to the folder, which is listed once."""
        if self._by_name is None:
            by_name: dict[str, list[str]] = {}
            for file in storage.list_files(self.folder, follow_links=True):
                by_name.setdefault(posixpath.basename(_comparable(file)), []).append(file)
            self._by_name = by_name  # whole before it is visible: threads share it
        return self._by_name.get(name, [])


def _comparable(path: str) -> str:
    root, suffix = posixpath.splitext(normalise_path(unquote(path)))
    return root.lstrip("/") + suffix.lower()


def _is_end(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return longer == shorter or longer.endswith("/" + shorter)
