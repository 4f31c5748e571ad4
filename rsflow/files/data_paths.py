"""Paths that are read out of data: what a file names must lie below the folder that the user gave for it.

One idea: every reader resolves such names here. A name from an annotation, an instruction set, a mosaic or a manifest is
untrusted input; followed blindly it copies private files into a dataset. `normalise_relative` checks the spelling alone, for
names that are only compared; `resolve_below` gives the place of a file to open, with links followed. A name that leaves the
folder is a DataError `path_outside`.

Folders, files and links that the user names in a configuration or a command are not data: they are not judged here.
"""

from __future__ import annotations

import os
import posixpath
import re

from rsflow.errors import DataError
from rsflow.files import storage

# A scheme of two letters and more (C: is a drive), GDAL's virtual file systems, and fsspec's chains of file systems.
_ADDRESS = re.compile(r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]+://?|file:|/+vsi[a-z0-9_]+[/?])", re.IGNORECASE)
_CHAIN = re.compile(r"::[A-Za-z][A-Za-z0-9+.-]*:")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_SWITCH = "if it is meant, allow it with allow_outside (in a configuration) or --allow-outside (of a command)"


def normalise_relative(name: str) -> str:
    """The name with slashes and without `..`. DataError `path_outside` where it is an address or climbs out of its folder.

    An absolute path passes: rsflow.annotations.sets.allowed_paths judges it, and whoever opens files asks `resolve_below`.
    """
    native = _native_separators(name)
    resolved = posixpath.normpath(native) if ".." in native.split("/") else native
    if resolved == ".." or resolved.startswith("../"):
        raise DataError("path_outside", f"{name!r} leads out of its folder: expected a path below it")
    return resolved


def resolve_below(folder: str, name: str, allow_outside: bool = False) -> str:
    """The place of the file that data names, below `folder` (a path or URL); it need not exist.

    An absolute path or a URL is right where it lies below the folder. Links are followed on local disks. DataError
    `path_outside` for all else unless `allow_outside`.
    """
    if allow_outside:
        return name if storage.is_remote(name) or posixpath.isabs(name) else posixpath.join(folder, name.replace("\\", "/"))
    if storage.is_remote(folder):
        base = folder.rstrip("/") + "/"
        return base + _checked(name.removeprefix(base), name, folder)
    native = _native_separators(name)
    place = posixpath.normpath(posixpath.join(_local(folder), native))
    if not (_inside(place, _local(folder)) and _inside(os.path.realpath(place), os.path.realpath(_local(folder)))):
        raise _outside(name, folder)
    return place if posixpath.isabs(native) else posixpath.join(folder, posixpath.relpath(place, _local(folder)))


def check_link(root: str, path: str) -> None:
    """DataError `path_outside` where a file that a manifest or table names, `path` below a lake's root, is a link out of it.

    The first folder of the path may itself be a link (a lake whose shards lie on another disk); nothing below may leave it.
    """
    if not storage.is_remote(root):
        first, _, _ = path.partition("/")
        folder = os.path.realpath(storage.join(_local(root), first))
        place = os.path.realpath(storage.join(_local(root), path))
        if not _inside(place, folder):
            raise DataError("path_outside", f"{path!r} is a link to {place}, outside of {folder}: expected a file in it")


def _checked(below: str, name: str, folder: str) -> str:
    native = _native_separators(below)
    resolved = posixpath.normpath(native)
    if posixpath.isabs(resolved) or resolved == ".." or resolved.startswith("../"):
        raise _outside(name, folder)
    return resolved


def _native_separators(name: str) -> str:
    if "\0" in name:
        raise DataError("path_outside", f"{name!r} holds a NUL character: expected a path")
    if _ADDRESS.match(name) or _CHAIN.search(name):
        raise DataError("path_outside", f"{name!r} is an address, expected a path below the folder of the data")
    return name if _DRIVE.match(name) is None and "\\" not in name else name.replace("\\", "/")


def _local(folder: str) -> str:
    return folder.removeprefix("file://") or "."


def _inside(place: str, folder: str) -> bool:
    whole, base = os.path.abspath(place), os.path.abspath(folder)
    return whole == base or whole.startswith(base.rstrip("/") + "/")


def _outside(name: str, folder: str) -> DataError:
    return DataError("path_outside", f"{name!r} is not below {folder}, the folder it must lie in; {_SWITCH}")
