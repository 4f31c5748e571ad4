"""What lies on a local disk, where "absent" and "cannot be read" are two answers: Python's own os.path calls give one.

One idea: only a file system that says that there is nothing makes something absent. Missing permission, a disk that fails or a
server that does not answer is an OSError.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator


def exists(path: str) -> bool:
    """Whether there is such a file or folder, a broken link too."""
    return _state(os.lstat, path) is not None


def is_folder(path: str) -> bool:
    """Whether it is a folder or a link to one; a link that leads nowhere is none."""
    state = _state(os.stat, path)
    return state is not None and stat.S_ISDIR(state.st_mode)


def _state(look: Callable[[str], os.stat_result], path: str) -> os.stat_result | None:
    """None where there is nothing, or a link that leads to itself."""
    try:
        return look(path)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return None
        raise


def walk_files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """(path below the folder, its state) of every file in it; linked folders are not entered, broken links left out."""
    for place, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            path = os.path.join(place, name)
            state = _state(os.stat, path)
            if state is not None:  # it may have been deleted meanwhile
                yield os.path.relpath(path, folder).replace(os.sep, "/"), state


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
