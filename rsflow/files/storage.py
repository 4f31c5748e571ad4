"""Places: local paths and object stores behind the same few calls.

One idea: a place is a string, a path or a URL that fsspec knows (`s3://`, `https://`, `memory://`). Files are written whole:
to a temporary name and then renamed where the store is a disk, in one PUT where it is an object store, so a reader never
sees half a file. Errors become a StorageError that names the place and what to do; a fault that may pass is
waited for (rsflow.files.faults).

fsspec is used rather than pyarrow's file systems because s3fs honours the same endpoints, profiles and caches that users of
Python tools already have, and because it reads https as well.
"""

from __future__ import annotations

import errno
import math
import os
import posixpath
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import IO, Any, NamedTuple

from fsspec.implementations.local import LocalFileSystem

from rsflow.errors import StorageError
from rsflow.files import local_files
from rsflow.files.faults import MASK as MASK
from rsflow.files.faults import describe_error as describe_error
from rsflow.files.faults import mask_secrets as mask_secrets
from rsflow.files.faults import retry_transient
from rsflow.files.faults import translate_errors as translate_errors
from rsflow.files.filesystems import filesystem as filesystem
from rsflow.files.filesystems import is_remote as is_remote
from rsflow.files.filesystems import join as join
from rsflow.files.local_glob import list_local, local_glob


@retry_transient
def exists(place: str) -> bool:
    with translate_errors(place, "look for"):
        fs, path = filesystem(place)
        return _exists(fs, path)


def _exists(fs: Any, path: str) -> bool:
    if _is_local(fs):
        return local_files.exists(path)
    fs.invalidate_cache(path)  # s3fs remembers listings for ever, and another process may have written meanwhile
    return bool(fs.exists(path))


def _is_local(fs: Any) -> bool:
    return isinstance(fs, LocalFileSystem)


@retry_transient
def read_bytes(place: str, start: int | None = None, stop: int | None = None) -> bytes:
    """The file's bytes, or those in [start, stop)."""
    with translate_errors(place, "read"):
        fs, path = filesystem(place)
        # s3fs would first look the size up, in a listing that may be older than the file, to read parts at once.
        whole = {"max_concurrency": 1} if place.startswith("s3://") else {}
        return bytes(fs.cat_file(path, start=start, end=stop, **whole))


def read_text_if_exists(place: str) -> str | None:
    """The file's text, or None where there is none: one request where `exists` and `read_text` are two."""
    data = read_bytes_if_exists(place)
    return None if data is None else _decode(place, data)


def read_bytes_if_exists(place: str) -> bytes | None:
    """The file's bytes, or None where there is none."""
    try:
        return read_bytes(place)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def read_text(place: str) -> str:
    return _decode(place, read_bytes(place))


def _decode(place: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StorageError(f"{place}: is not UTF-8 text ({error.reason} at byte {error.start})") from error


def write_bytes(place: str, data: bytes) -> None:
    """Write a file whole: afterwards it holds exactly `data`, and at no time did it hold part of it."""
    with create(place) as stream:
        stream.write(data)


@retry_transient
def write_if_absent(place: str, data: bytes) -> bool:
    """Write a file whole where there is none; False, and nothing was changed, where there is one.

    Of several writers at once one succeeds, but for object stores that know no conditional writes.
    """
    fs, path = filesystem(place)
    with translate_errors(place, "write"):
        try:
            if is_remote(place):
                return _put_new(fs, path, data)
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            temporary = f"{path}.{uuid.uuid4().hex}.tmp"
            try:
                with open(temporary, "wb") as stream:
                    stream.write(data)
                try:
                    os.link(temporary, path)
                except OSError as error:
                    if error.errno == errno.EEXIST or os.path.exists(path):
                        return False
                    os.replace(temporary, path)  # some file systems know no hard links
            finally:
                if os.path.exists(temporary):
                    os.unlink(temporary)
        except FileExistsError:
            return False
    return True


def _put_new(fs: Any, path: str, data: bytes) -> bool:
    fs.invalidate_cache(path)
    if fs.exists(path):  # some stores ignore the condition
        return False
    try:
        fs.pipe_file(path, data, mode="create")
    except OSError as error:
        # Stores report a condition that is not met in different ways, and some do not support conditions.
        fs.invalidate_cache(path)
        if fs.exists(path):
            return False
        if error.errno != errno.ENOSYS:
            raise
        fs.pipe_file(path, data)
    return True


@contextmanager
def create(place: str) -> Iterator[IO[bytes]]:
    """A stream whose content appears at `place` when the block ends well, and not at all when it raises."""
    fs, path = filesystem(place)
    with translate_errors(place, "write"):
        if is_remote(place):
            stream = fs.open(path, "wb")
            try:
                yield stream
            except BaseException:
                # Closing would publish the half-written object; discarding drops the upload.
                getattr(stream, "discard", lambda: None)()
                raise
            stream.close()
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        temporary = f"{path}.{uuid.uuid4().hex}.tmp"
        try:
            with open(temporary, "wb") as stream:
                yield stream
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise


@retry_transient
def remove(place: str) -> None:
    """Delete a file; one that is not there is no error."""
    with translate_errors(place, "delete"), suppress(FileNotFoundError):
        fs, path = filesystem(place)
        fs.rm_file(path)


@retry_transient
def remove_all(places: Sequence[str]) -> None:
    """Delete files of one file system, an object store's in few requests."""
    if places:
        with translate_errors(places[0], "delete"):
            fs, _ = filesystem(places[0])
            fs.rm([filesystem(place)[1] for place in places])


@retry_transient
def remove_folder(place: str) -> None:
    """Delete a folder and all in it; one that is not there is no error."""
    with translate_errors(place, "delete"):
        fs, path = filesystem(place)
        if _exists(fs, path):
            fs.rm(path, recursive=True)


@retry_transient
def glob(pattern: str) -> list[str]:
    """Files that match, sorted, spelled so that they can be opened (with the scheme where it had one).

    A pattern that names a file gives that file, also where the name has brackets; `**` crosses folders, links are followed.
    Left out are the files that macOS adds beside others (._name, __MACOSX): they hold no data.
    """
    with translate_errors(pattern, "list"):
        fs, path = filesystem(pattern)
        if pattern.startswith(("http://", "https://")):
            # A web server cannot be listed: the address is the one file, and opening it will show whether it is missing.
            return [pattern]
        _forget_listings(fs, path)
        wild = any(c in path for c in "*?[")
        if not wild or (not is_remote(pattern) and _exists(fs, path)):
            found = [path] if _exists(fs, path) else []
        else:
            found = sorted(fs.glob(path)) if is_remote(pattern) else local_glob(path)
        files = [name for name in found if not is_metadata(name) and not fs.isdir(name)]
        return [fs.unstrip_protocol(name) if is_remote(pattern) else name for name in files]


def _forget_listings(fs: Any, pattern: str) -> None:
    """Let the folder that a pattern begins in, and all below it, be listed anew. Others stay listed, for `stat_key`."""
    base = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
    for folder in [folder for folder in getattr(fs, "dircache", ()) if f"{folder}/".startswith(f"{base}/")]:
        fs.dircache.pop(folder, None)
    fs.invalidate_cache(base)


def is_metadata(place: str) -> bool:
    """Whether a file is what macOS writes beside files on other systems' disks and in archives (AppleDouble)."""
    return posixpath.basename(place).startswith("._") or "__MACOSX" in place.split("/")


def list_files(place: str, follow_links: bool = False) -> list[str]:
    """All files below a folder, relative to it, sorted; none where it is missing. `follow_links`: enter linked folders too."""
    if follow_links and not is_remote(place):
        with translate_errors(place, "list"):
            return list_local(filesystem(place)[1])
    return [file.place for file in scan_folder(place)]


class FileEntry(NamedTuple):
    """A file below a folder: `place` relative to it, `changed` in seconds since 1970 (infinite where nobody knows)."""

    place: str
    bytes: int
    changed: float


@retry_transient
def scan_folder(place: str) -> list[FileEntry]:
    """All files below a folder, sorted, with size and time; none where it is missing. One listing, whatever their number."""
    with translate_errors(place, "list"):
        fs, path = filesystem(place)
        if _is_local(fs):
            if not _exists(fs, path):
                return []
            return sorted(FileEntry(name, state.st_size, state.st_mtime) for name, state in local_files.walk_files(path))
        fs.invalidate_cache(path)
        base = path.rstrip("/") + "/"
        entries = {name: info for name, info in fs.find(path, detail=True).items() if name.startswith(base)}
    return [FileEntry(name[len(base) :], int(info["size"] or 0), _changed(info)) for name, info in sorted(entries.items())]


def _changed(info: dict[str, Any]) -> float:
    found = next((info[name] for name in (*_CHANGED, "created") if info.get(name)), None)
    return found.timestamp() if isinstance(found, datetime) else found if isinstance(found, float) else math.inf


_CHANGED = ("mtime", "LastModified", "Last-Modified")  # as the file systems call it


@retry_transient
def stat_key(place: str, fresh: bool = False) -> str:
    """A short text that changes when the file's content may have changed: size and time, or the object's ETag.

    Not `fresh`, it may come from what `glob` just listed: one request for a folder instead of one for every file.
    """
    with translate_errors(place, "look at"):
        fs, path = filesystem(place)
        if fresh:
            fs.invalidate_cache(path)
        info = fs.info(path)
    tag = info.get("ETag") or info.get("etag")
    if tag:
        return f"etag:{tag}:{info['size']}"
    remote = next((info[name] for name in _CHANGED if info.get(name)), "")
    changed = remote if is_remote(place) else os.stat(path).st_mtime_ns
    return f"stat:{info['size']}:{changed}"
