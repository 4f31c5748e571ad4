"""What one source's scenes are, as far as files show it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rsflow.readers import SceneInfo


@dataclass(frozen=True, slots=True)
class SceneGroup:
    """Files that one source's `scenes` can name.

    `patterns`: as in `scenes.files`. `product`: a kind of product, or "". `bands`: common name -> token in the name, where
    a scene is a file per band. `meaning`: why the files are no scenes, by their names, else "". `classes`: names of the
    class folders, empty where there are none. `stems`: names of the pictures without suffix. `info`: what the first file
    that opens is; `fault` says why none did. `count`: scenes, as far as names tell. `catalogue`: the document of the STAC
    catalogue that lists them, or ""; `licences` and `is_radar` are what its items state.
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
