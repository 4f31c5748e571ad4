"""Where a lake's sources were moved: pairs of folders, kept in the lake.

One idea: what a dataset was made from does not change when its files are moved, so a comparison of configurations puts former
places back into the present ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.files import storage
from rsflow.lake.json_files import read_json, write_json

FILE = "relocations.json"

Move = tuple[str, str]  # the former folder, the present one


def read_moves(root: str) -> list[Move]:
    """All moves of a lake's sources, the earliest first; none where there is no lake."""
    found = read_json(storage.join(root, FILE), ["moves"])
    return [(former, present) for former, present in found["moves"]] if found else []


def add_move(root: str, move: Move) -> None:
    """Note a further move."""
    write_json(storage.join(root, FILE), {"moves": [*read_moves(root), move]})


def original_place(path: str, moves: Sequence[Move]) -> str:
    """Where a path of today lay before all moves."""
    for former, present in reversed(moves):
        path = replace_folder(path, present, former)
    return path


def replace_folder(path: str, old: str, new: str) -> str:
    """The path with the folder `old`, where it is that or lies below it, replaced by `new`."""
    if path == old:
        return new
    return new.rstrip("/") + path.removeprefix(old.rstrip("/")) if path.startswith(old.rstrip("/") + "/") else path
