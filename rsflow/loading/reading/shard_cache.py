"""Whole shards of a remote root on the disk of a node, shared by all its processes.

One idea: a file in the cache is named by its content's digest and appears by a rename, after its bytes were checked against
that digest. So a file that is there is valid, whichever process, run or snapshot wrote it; two processes that fetch the
same file concurrently waste work and do no harm; and one that is deleted while it is mapped stays readable. There are no
locks that a killed process could keep: a claim only asks others to wait, and grows stale by itself.

When the files outgrow the limit, those used longest ago leave first. The newest always stays, so one file larger than the
limit is held alone.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rsflow.errors import SnapshotError
from rsflow.files import storage

_STALE_SECONDS = 20.0  # a claim or a part that did not grow for so long was left by a process that died
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ShardCache:
    """The cache in `folder`, of at most about `limit_bytes`."""

    folder: str
    limit_bytes: int

    def has(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.folder, name))

    def drop(self, name: str) -> None:
        """Delete the file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, name))

    def ensure(self, name: str, sha256: str, chunks: Callable[[], Iterator[bytes]], place: str) -> bool:
        """Have the file `name` in the folder, filled from `chunks` unless it is there; returns whether it had to be.

        SnapshotError, naming `place`, where the bytes are not those of `sha256`; StorageError where the folder cannot be
        written. Another process may evict the file at any time: a reader that finds it gone calls this again.
        """
        path = Path(self.folder, name)
        with storage.translate_errors(self.folder, "keep shards in"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                os.utime(path)  # used now: it leaves last
                return False
            with _claim_file(path) as ours:
                if not ours and path.exists():
                    return False
                self._fill(path, sha256, chunks, place)
            self._evict(path)
        return True

    def _fill(self, path: Path, sha256: str, chunks: Callable[[], Iterator[bytes]], place: str) -> None:
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        digest = hashlib.sha256()
        try:
            with open(part, "wb") as stream:
                for chunk in chunks():
                    digest.update(chunk)
                    stream.write(chunk)
                    with suppress(FileNotFoundError):
                        os.utime(_claim(path))
            if digest.hexdigest() != sha256:
                raise SnapshotError(
                    f"{place}: its SHA-256 is not the manifest's; restore the file, or delete it and build again"
                )
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    def _evict(self, newest: Path) -> None:
        now, files = time.time(), []
        for entry in os.scandir(self.folder):
            with suppress(FileNotFoundError):  # another process evicts too
                found = entry.stat()
                if entry.name.endswith((".part", ".claim")):
                    if now - found.st_mtime > 10 * _STALE_SECONDS:
                        os.unlink(entry.path)
                elif entry.name.endswith((".tar", ".idx")):  # other files are not the cache's
                    files.append((found.st_mtime_ns, entry.path, found.st_size))
        total_bytes = sum(size for _, _, size in files)
        for _, path, size in sorted(files):
            if total_bytes <= self.limit_bytes:
                break
            if path != str(newest):
                with suppress(FileNotFoundError):
                    os.unlink(path)
                total_bytes -= size


def _claim(path: Path) -> Path:
    return path.with_name(f"{path.name}.claim")


@contextmanager
def _claim_file(path: Path) -> Iterator[bool]:
    """True for the one process that shall fetch the file; others wait until it is there, or the claim is gone or stale."""
    claim = _claim(path)
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        ours = True
    except FileExistsError:
        ours = False
        while not path.exists() and _age(claim) < _STALE_SECONDS:
            time.sleep(_POLL_SECONDS)
    try:
        yield ours
    finally:
        if ours or path.exists():  # also the claim that a killed process left
            claim.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
