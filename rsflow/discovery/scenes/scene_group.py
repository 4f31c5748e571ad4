"""What one source's scenes are, as far as files show it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rsflow.readers import SUFFIXES, SceneInfo

_SIDECARS = re.compile(r"\.(?:aux\.xml|ovr|msk|tfw|jgw|pgw|wld|prj|md5)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChangePairs:
    """The annotations of a set of two dates: `patterns` as in `annotations.files`, the `files` they match and further masks of
    the same pairs, `splits` as in `annotations.splits`, and `options`, of which a category is to be asked for."""

    patterns: tuple[str, ...]
    files: tuple[str, ...]
    splits: dict[str, tuple[str, ...]]
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class SceneGroup:
    """Files that one source's `scenes` can name.

    `patterns`: as in `scenes.files`. `product`: a kind of product, or "". `bands`: common name -> token in the name, where
    a scene is a file per band. `meaning`: why the files are no scenes, by their names, else "". `classes`: names of the
    class folders, empty where there are none. `stems`: names of the pictures without suffix. `info`: what the first file
    that opens is; `fault` says why none did. `count`: scenes, as far as names tell. `catalogue`: the document of the STAC
    catalogue that lists them, or ""; `licences` and `is_radar` are what its items state. `pairs`: where they are pairs of two
    dates with masks of what changed.
    """

    folder: str
    patterns: tuple[str, ...]
    count: int
    product: str = ""
    bands: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    stems: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    info: SceneInfo | None = None
    fault: str = ""
    meaning: str = ""
    catalogue: str = ""
    licences: tuple[str, ...] = ()
    is_radar: bool = False
    pairs: ChangePairs | None = None


def is_raster(name: str) -> bool:
    """Whether a file's name is that of a raster or picture, and of no file beside one."""
    return name.lower().endswith(tuple(SUFFIXES)) and not _SIDECARS.search(name)


def stems_of(files: Sequence[str]) -> frozenset[str]:
    """The files' names without folder and suffix."""
    return frozenset(posixpath.splitext(posixpath.basename(path))[0] for path in files)


def escape_pattern(path: str) -> str:
    """The path as a pattern that matches itself only."""
    return re.sub(r"([*?\[])", r"[\1]", path)
