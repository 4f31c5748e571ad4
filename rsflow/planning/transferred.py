"""What is known of all objects of a tile, with what was passed to it from other tiles of its cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

KNOWN = ("vocabulary", "unknown")


def with_passed(tiles: pa.Table, transfers: pa.Table) -> pa.Table:
    """Tiles with these columns extended by those of TRANSFERS rows."""
    if not transfers.num_rows:
        return tiles
    mine = pc.is_in(tiles["tile_id"], value_set=transfers["tile_id"].combine_chunks().unique())
    changed = tiles.filter(mine).to_pylist()
    add_transfers([changed], transfers)
    return pa.concat_tables([tiles.filter(pc.invert(mine)), pa.Table.from_pylist(changed, schema=tiles.schema)])


def add_transfers(tiles: Iterable[list[dict[str, Any]]], transfers: pa.Table) -> None:
    """Extend these columns of tiles, where they have them, by those of TRANSFERS rows."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in (
        transfers.select(["tile_id", "from_tile", *KNOWN])
        .sort_by([("tile_id", "ascending"), ("from_tile", "ascending")])
        .to_pylist()
    ):
        found[row["tile_id"]].append(row)
    for tile in (tile for mine in tiles for tile in mine if tile["tile_id"] in found):
        for name in KNOWN:
            if name in tile:
                passed = [value for row in found[tile["tile_id"]] for value in row[name]]
                tile[name] = list(dict.fromkeys([*(tile[name] or ()), *passed]))
