"""Splits: train, val and test that share no ground and no picture.

One idea: what is close goes together. Tiles of one ground cell are one group (of one scene, where the ground is unknown), and
so are tiles of one cluster of duplicates; groups are connected through both. A whole group falls to one split by the hash of
its name and the seed, so a tile keeps its split when data is added, as long as its group does not merge with another.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.groups import Indices, components, first_equal, joins
from rsflow.curation.hashing import Hashes, stable_hashes, unit_interval


def assign_splits(tiles: pa.Table, shares: dict[str, float], seed: int) -> pa.Array:
    """The split of every tile. `tiles` has tile_id, cluster, cell (null: unknown ground) and scene_id; order means nothing.

    No two tiles of one cell, of one cluster, or of one scene where the cell is null, are on different sides. `shares` need
    not sum to 1; a split of share 0 gets nothing. A group's name is the smallest of its cells and scenes.

    Give it the tiles that stay. Duplicates that were dropped tie nothing, and should not: one empty picture that recurs
    everywhere would tie all ground together.

    Shares hold on average over groups: with a few large groups they can be far off, and a split can be empty. One guarantee:
    the first split with a share above 0 is not empty; if no group falls to it, it gets the one of the smallest hash (the
    nearest to it). Raises ValueError for a negative share or none above 0.
    """
    names, bounds = _bounds(shares)
    place = _places(tiles)
    pairs = np.concatenate([joins(first_equal(place)), joins(first_equal(tiles["cluster"]))])
    group = components(tiles.num_rows, pairs)
    hashes = _group_hashes(place, group, seed)
    chosen = np.searchsorted(bounds, unit_interval(hashes), side="right")
    if len(chosen) and chosen.min() > 0:
        chosen[hashes == hashes.min()] = 0
    return pa.array(names, pa.string()).take(pa.array(chosen))


def _bounds(shares: dict[str, float]) -> tuple[list[str], list[float]]:
    """The splits with a share, and where in [0, 1) all but the last end."""
    used = {name: share for name, share in shares.items() if share != 0}
    if not used or min(used.values()) < 0:
        raise ValueError(f"shares are {shares}: expected numbers from 0, at least one above 0")
    ends = np.cumsum(list(used.values()))
    return list(used), list(ends[:-1] / ends[-1])


def _places(tiles: pa.Table) -> pa.ChunkedArray:
    """What ties a tile to a place: its cell, else its scene, spelled so that the two never meet."""
    cells = pc.binary_join_element_wise("cell", tiles["cell"], ":")
    return pc.coalesce(cells, pc.binary_join_element_wise("scene", tiles["scene_id"], ":"))


def _group_hashes(place: pa.ChunkedArray, group: Indices, seed: int) -> Hashes:
    """The hash of each tile's group, by the smallest of its places."""
    order = np.asarray(pc.sort_indices(place)).astype(np.int64)
    _, first = np.unique(group[order], return_index=True)
    return stable_hashes(place.take(pa.array(order[first])), seed)[group]
