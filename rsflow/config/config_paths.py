"""Where the paths of a configuration start: at the folder of the file that holds them.

One idea: a configuration means the same from any working directory, so its relative paths are made absolute when it is read.
Absolute paths, `~` and addresses such as `s3://` stay. A model is a path where it begins with `./`, `../`, or where a folder of
that name stands there; otherwise it is a name on the Hugging Face Hub.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Callable
from typing import Any

from rsflow.files import storage

_SOURCE = r"sources\.\d+\."
_ENTRY = rf"{_SOURCE}annotations(\.\d+)?\."  # one entry, or one of a list
_FOLDERS = re.compile(
    rf"root|output|data\.cache|generation\.prompts\.\d+\.(file|examples)|{_SOURCE}scenes\.stac(\.(href|area))?|{_SOURCE}labellers\.\d+\.calibration"
    rf"|{_ENTRY}options\.(classes|area_of_interest|expressions\.[^.]+)"
)
_PATTERNS = re.compile(rf"({_SOURCE}scenes\.files|{_ENTRY}(files|splits\.[^.]+)|select\.held_out\.\d+\.files)(\.\d+)?")
_MODELS = re.compile(rf"base_model|{_SOURCE}labellers\.\d+\.model|generation\.engine\.model")


def absolute_paths(value: Any, folder: str, at: tuple[str, ...] = ()) -> Any:
    """The value at the key path `at` of a configuration, with all relative paths in it started at `folder`.

    `folder`: a local folder or an address. Post-condition: applied again, with whatever folder, it changes nothing more.
    """
    if isinstance(value, dict):
        return {key: absolute_paths(inner, folder, (*at, str(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [absolute_paths(inner, folder, (*at, str(number))) for number, inner in enumerate(value)]
    key = ".".join(at)
    if not isinstance(value, str) or not value or _is_absolute(value):
        return value
    if _MODELS.fullmatch(key):
        return _absolute(value, folder) if _is_model_folder(value, folder) else value
    if _PATTERNS.fullmatch(key):
        # The folder's own name is no pattern. A path without a pattern is also looked up as it stands.
        return _absolute(value, glob.escape(folder) if glob.has_magic(value) and not storage.is_remote(folder) else folder)
    return _absolute(value, folder) if _FOLDERS.fullmatch(key) else value


def map_paths(value: Any, change: Callable[[str], str], at: tuple[str, ...] = ()) -> Any:
    """The configuration's plain values with every path in it put through `change`."""
    if isinstance(value, dict):
        return {key: map_paths(inner, change, (*at, str(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [map_paths(inner, change, (*at, str(number))) for number, inner in enumerate(value)]
    return change(value) if isinstance(value, str) and value and _is_path(at) else value


def relative_paths(value: Any, at: tuple[str, ...] = ()) -> list[str]:
    """The paths of a configuration's plain values, models apart, that start at no known folder."""
    if isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return [path for key, each in inner for path in relative_paths(each, (*at, str(key)))]
    is_path = isinstance(value, str) and bool(value) and _is_path(at) and not _MODELS.fullmatch(".".join(at))
    return [value] if is_path and not _is_absolute(value) else []


def strip_common_folder(value: dict[str, Any]) -> dict[str, Any]:
    """A configuration's plain values with the folder that all its local absolute paths share taken off them: the same wherever
    the whole of it lies. `root` does not count, and without such paths nothing changes."""
    paths = [path for path in _collect_paths({**value, "root": ""}, ()) if path.startswith("/")]
    shared = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    prefix = f"{shared.rstrip('/')}/"
    return dict(map_paths(value, lambda path: path.removeprefix(prefix))) if shared else value


def _collect_paths(value: Any, at: tuple[str, ...]) -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    own = [value] if isinstance(value, str) and _is_path(at) else []
    return own + [path for key, one in inner for path in _collect_paths(one, (*at, str(key)))]


def _is_path(at: tuple[str, ...]) -> bool:
    return any(keys.fullmatch(".".join(at)) for keys in (_FOLDERS, _PATTERNS, _MODELS))


def parent_folder(path: str) -> str:
    """The folder that holds a file, absolute unless it is an address."""
    return posixpath.dirname(path) if storage.is_remote(path) else os.path.dirname(os.path.abspath(os.path.expanduser(path)))


def _is_absolute(path: str) -> bool:
    return "://" in path or path.startswith(("/", "~"))


def _is_model_folder(model: str, folder: str) -> bool:
    local = not storage.is_remote(folder)
    return local and (model.startswith(("./", "../")) or os.path.isdir(os.path.join(folder, model)))


def _absolute(path: str, folder: str) -> str:
    if not storage.is_remote(folder):
        return os.path.normpath(os.path.join(folder, path))
    scheme, _, rest = folder.partition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join(rest, path))}"
