"""Point a lake to its sources at a new place: the same files elsewhere are no new data.

One idea: every scene at the new place must have the content that the lake knows, byte for byte, before anything is written;
then the table of scenes and the last configuration name the new places, and what depends on content alone finds itself done.

Refused: places of which a scene is missing or differs, and folders that no source of the lake lies in.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from rsflow.config.config_paths import map_paths
from rsflow.config.settings import BuildConfig, resolved
from rsflow.config.validation import check
from rsflow.engine.progress import progress
from rsflow.errors import LakeError, UsageError
from rsflow.files import storage
from rsflow.lake.relocations import add_move, read_moves, replace_folder
from rsflow.lake.tables import open_lake
from rsflow.phases.build import CONFIG, config_text, read_config
from rsflow.planning.sources.scenes import list_all_scenes, probe_scenes

SHOWN = 3  # scenes that a message names


@dataclass(frozen=True, slots=True)
class Relocated:
    """`moved` scenes now have files at the new place; `settings` paths of the configuration were changed."""

    moved: int
    settings: int


def relocate(root: str, old: str, new: str) -> Relocated:
    """Point a lake to its sources at a new place. UsageError and LakeError where they are not the same there."""
    lake = open_lake(root, writable=True)
    old, new = _absolute(old), _absolute(new)
    before = read_config(lake)
    changed: list[str] = []
    built = _moved_config(before, root, lambda path: _noted(path, replace_folder(path, old, new), changed))
    if not changed:
        raise UsageError(f"{root}: no source of its last configuration lies in {old}: {', '.join(sorted(_places(before)))}")
    known = lake.read("scenes").sort_by("scene_id")
    rows = _probe(built, known)
    _check_same(known, rows, new)
    lake.overwrite("scenes", lambda: [rows])
    add_move(lake.root, (old, new))
    storage.write_bytes(lake.place(CONFIG), config_text(built, read_moves(lake.root)).encode())
    files = rows["files"].combine_chunks()
    at_new = [any(replace_folder(path, new, "") != path for path in paths) for paths in files.to_pylist()]
    return Relocated(sum(at_new), len(changed))


def _absolute(folder: str) -> str:
    return folder.rstrip("/") if storage.is_remote(folder) else os.path.abspath(os.path.expanduser(folder))


def _noted(path: str, moved: str, changed: list[str]) -> str:
    changed += [path] if moved != path else []
    return moved


def _moved_config(built: BuildConfig, root: str, move: Callable[[str], str]) -> BuildConfig:
    plain = map_paths({**resolved(built), "root": ""}, move)
    return check(BuildConfig, {**plain, "root": root if storage.is_remote(root) else os.path.abspath(root)}, root)


def _places(built: BuildConfig) -> set[str]:
    found: set[str] = set()

    def collect(path: str) -> str:
        found.add(path)
        return path

    map_paths({**resolved(built), "root": ""}, collect)
    return found


def _probe(built: BuildConfig, known: pa.Table) -> pa.Table:
    """SCENES rows of the sources as they are at the new place: every file is read for its digest."""
    with progress("relocate", "scenes compared", 0, quiet_seconds=2.0) as state:
        listed = list_all_scenes(built, built.root)
        found = probe_scenes(built, listed.scenes, known, on_scene=state.count_one_of)
    if undone := {**found.undone, **listed.unanswered}:
        raise LakeError(f"{len(undone)} scenes or sources cannot be reached now: {next(iter(undone.values()))}")
    return found.scenes


def _check_same(known: pa.Table, rows: pa.Table, new: str) -> None:
    """LakeError unless every known scene is there with the same content."""
    moved = dict(zip(rows["scene_id"].to_pylist(), rows["fingerprint"].to_pylist(), strict=True))
    before = dict(zip(known["scene_id"].to_pylist(), known["fingerprint"].to_pylist(), strict=True))
    missing = sorted(before.keys() - moved.keys())
    differing = sorted(name for name, content in before.items() if name in moved and moved[name] != content)
    for words, names in (("are missing", missing), ("have other content", differing)):
        if names:
            shown = ", ".join(names[:SHOWN])
            raise LakeError(f"{new}: {len(names):,} of {len(before):,} scenes {words} (such as {shown}); nothing was changed")
