"""What a build has read of a lake: within a block, the log of each table and each file of it are read once.

One idea: between two phases nothing but the build's own commits matters to it, and these are known. So the first reading of a
table in a block decides which version the block sees, and later ones cost an object store no request. Outside of a block every
reading asks for the newest version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from rsflow.files import storage

MAX_BYTES = 256 * 2**20  # of files that are kept


@dataclass(slots=True)
class _Cache:
    tables: set[tuple[str, str]] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    bytes: int = 0


_CACHE: ContextVar[_Cache | None] = ContextVar("lake_read_cache", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Within the block, tables are read as they were at first, with this process's own commits."""
    token = _CACHE.set(_Cache())
    try:
        yield
    finally:
        _CACHE.reset(token)


def is_current(root: str, table: str) -> bool:
    """Whether the block has read this table's log; from now on it has."""
    cache = _CACHE.get()
    if cache is None:
        return False
    known = (root, table) in cache.tables
    cache.tables.add((root, table))
    return known


def forget(root: str, table: str) -> None:
    """Read this table's log again next time: another writer got ahead."""
    if cache := _CACHE.get():
        cache.tables.discard((root, table))


def forget_all(root: str) -> None:
    """Read the logs of all of the lake's tables again next time.

    Another writer's marks came in with a commit of this process: its rows, which it had committed before them, must be seen
    too.
    """
    if cache := _CACHE.get():
        cache.tables = {known for known in cache.tables if known[0] != root}


def read_file(place: str) -> bytes:
    """The bytes of a file that never changes."""
    cache = _CACHE.get()
    if cache is None or not storage.is_remote(place):
        return storage.read_bytes(place)
    if place not in cache.files:
        data = storage.read_bytes(place)
        if cache.bytes + len(data) > MAX_BYTES:
            return data
        cache.files[place] = data
        cache.bytes += len(data)
    return cache.files[place]
