"""A YAML file as plain values, with the overrides of a command line and the variables of the environment put in.

One idea: what stands in the file, what `a.b=1` replaces and what `${NAME}` or `${NAME:-default}` stand for is settled here, so
validation sees only values. Relative paths start at the file's folder, those of an override at the working
directory (rsflow.config.config_paths). A variable that is not set and a path that leads nowhere are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import yaml

from rsflow.config.config_paths import absolute_paths, parent_folder
from rsflow.errors import ConfigError, StorageError
from rsflow.files import storage


def read_yaml(path: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The file's keys and values. ConfigError where it cannot be read, is no YAML or has no keys, or an override is wrong."""
    try:
        data = yaml.safe_load(storage.read_text(path))
    except StorageError as error:
        raise ConfigError(f"{error}. Give the path of a YAML configuration, for example configs/example_scenes.yaml") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds a {type(data).__name__}, expected keys such as root and sources")
    for override in overrides:
        _apply_override(data, override)
    return dict(absolute_paths(_expand_variables(data, path, ()), parent_folder(path)))


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """`key=value` arguments alone as plain values. ConfigError for one that is wrong."""
    data: dict[str, Any] = {}
    for override in overrides:
        _apply_override(data, override)
    return data


def _apply_override(data: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{text!r} is not an override: write key.key=value, for example tiles.size_px=256")
    *parents, last = key.split(".")
    node: Any = data
    for parent in parents:
        node = _child_of(node, parent, text)
    _child_of(node, last, text)
    try:
        given = _expand_variables(yaml.safe_load(value), text, ())
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r}: what stands after = is not valid YAML: {error}") from error
    node[int(last) if isinstance(node, list) else last] = absolute_paths(given, os.getcwd(), (*parents, last))


def _child_of(node: Any, key: str, text: str) -> Any:
    if isinstance(node, list):
        if not key.isdigit() or int(key) >= len(node):
            raise ConfigError(f"{text!r}: {key!r} must be a position from 0 to {len(node) - 1}")
        return node[int(key)]
    if not isinstance(node, dict):
        raise ConfigError(f"{text!r}: {key!r} has nothing below it")
    return node.setdefault(key, {})


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _expand_variables(node: Any, path: str, at: tuple[str | int, ...]) -> Any:
    if isinstance(node, dict):
        return {key: _expand_variables(value, path, (*at, str(key))) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand_variables(value, path, (*at, index)) for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        value = os.environ.get(match[1], match[2])
        if value is None:
            where = ".".join(map(str, at))
            raise ConfigError(f"{path}: {where}: the environment variable {match[1]} is not set: export {match[1]}=...")
        return value

    return _VARIABLE.sub(value_of, node)
