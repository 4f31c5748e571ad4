"""Memory that a process shares with those it starts, whether they are forked or spawned.

One idea: an anonymous file in memory, mapped through its descriptor. It has no name that could be left behind, its
pages are allocated when they are first written, and it does not count against the size of /dev/shm, which is 64 MB in a
container by default.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


class SharedBuffer:
    """`size` bytes, initially zero. They are freed when no process has this object or an array of it any more."""

    def __init__(self, size: int) -> None:
        self._hold(_anonymous(size), size)

    def _hold(self, file: int, size: int) -> None:
        self._file, self._size = file, size
        self._map = mmap.mmap(file, size)
        weakref.finalize(self, os.close, file)

    @property
    def bytes(self) -> Bytes:
        return np.frombuffer(self._map, dtype=np.uint8)

    def __getstate__(self) -> tuple[Any, int]:
        return DupFd(self._file), self._size

    def __setstate__(self, state: tuple[Any, int]) -> None:
        self._hold(state[0].detach(), state[1])


class PrivateBuffer:
    """`size` bytes of this process alone, initially zero. Pages of a file take several times as long to fault in."""

    def __init__(self, size: int) -> None:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            pages.madvise(mmap.MADV_HUGEPAGE)
        self.bytes: Bytes = np.frombuffer(pages, dtype=np.uint8)


def _anonymous(size: int) -> int:
    if sys.platform == "linux":
        file = os.memfd_create("rsflow")
    else:
        with tempfile.TemporaryFile() as named:
            file = os.dup(named.fileno())
    os.ftruncate(file, size)
    return file
