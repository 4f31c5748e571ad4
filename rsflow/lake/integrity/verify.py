"""Every file of the lake compared with its digest: tables, and the pictures and raw bands of tile files.

One idea: the same checks that guard reading are made of everything at once, and what they refuse is listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from rsflow.errors import LakeError, StorageError
from rsflow.files import storage
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity import digests
from rsflow.lake.receipts import completed_units, read_receipt_rows
from rsflow.lake.tables import Lake
from rsflow.lake.tile_files import read_pictures, read_raw

_COLUMNS = ["tile_id", "file", "row_group", "row", "picture_sha256", "raw"]


def find_damage(lake: Lake) -> Iterator[str]:
    """What is wrong with tables, tile files and the small JSON files beside them, a line each."""
    yield from _json_damage(lake)
    sound = True
    for name in TABLES:
        try:
            found = [*digests.find_damage(lake.root, name)]
            if not found:
                lake.read(name)
        except LakeError as error:
            found = [str(error)]
        sound = sound and not found
        yield from found
    if sound:
        yield from _tile_faults(lake)


def _json_damage(lake: Lake) -> Iterator[str]:
    names = [f"snapshots/{name}" for name in storage.list_files(lake.place("snapshots")) if name.endswith(".selection.json")]
    for name in ["sharded.json", *names]:
        try:
            lake.read_json(name, [])
        except (LakeError, StorageError) as error:
            yield str(error)


def _tile_faults(lake: Lake) -> Iterator[str]:
    files: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_receipt_rows(lake, "tiles", completed_units(lake)["receipt"], _COLUMNS).to_pylist():
        files[row["file"]].append(row)
    for _, tiles in sorted(files.items()):
        try:
            read_pictures(lake.root, tiles)
            read_raw(lake.root, [tile for tile in tiles if tile["raw"]])
        except LakeError as error:
            yield str(error)
