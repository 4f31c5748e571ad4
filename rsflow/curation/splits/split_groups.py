"""Split assignment by groups: train, val and test that share no ground and no picture.

Tiles of one ground cell are one group (where the ground is unknown, of one scene, or of the scenes cut from one parent), and so
are tiles of one cluster of duplicates; groups are connected components of both relations. A whole group is assigned to one
split by its name and the seed alone, so a tile keeps its split when data is added, as long as its group does not merge with
another.

Numbers in names: cells have a row and a column, pictures of a class or a sensor are numbered. The last two numbers of a name
are multiplied by two irrational numbers and added to the hash of the rest (an additive recurrence in two dimensions,
https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/). So the cells of a scene, and the pictures
of a numbered series, are assigned nearly in proportion: a series of 100 has 4 to 6 in a split of 5 %, where hashes alone give 0
to 12. This stratifies by sensor, category and place as far as names follow these; a category that is spread over pictures
without numbers is assigned by hash, in proportion on average only.

With `splits_by: category` groups are assigned by their labels instead (`rsflow.curation.splits.stratified`), which is closer,
and much closer for rare categories. The result then depends on all groups that are assigned together. So that tiles keep their
split when data is added, the previous splits are an input and stay, and two lakes of the same data that grew in other steps may
differ. If groups of two previous splits become one, the stronger split takes it.

Tiles reach over the edges of their cells. So a tile is dropped where its ground touches, or is nearer than `buffer_m` to, a
tile of a stronger split; a split is stronger the smaller its share. The alternative, to drop every tile that reaches out of its
cell, would empty the small splits first. No tile ever changes its split; added data only drops tiles that now have a test tile
next to them.

A split named by the source is kept: its test pictures are test pictures here, with all their duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices, component_labels, first_equal_row, pairs_with_first
from rsflow.curation.hashing import Hashes, stable_hashes, unit_interval
from rsflow.curation.splits.ground import Boxes, is_within_distance
from rsflow.curation.splits.parent_scenes import parent_scenes
from rsflow.curation.splits.stratified import assign_stratified, build_strata
from rsflow.curation.value_codes import encode_values

UNASSIGNED = -1  # no source says where the tile belongs
EXCLUDED = ""  # it belongs to a split that this dataset does not have

_NUMBERED_NAME = r"^(?P<head>(?s:.*?))(?P<first>[0-9]{1,9})?(?P<middle>[^0-9]*)(?P<last>[0-9]{1,9})(?P<tail>[^0-9]*)$"
_PLASTIC = 1.32471795724474602596  # the real solution of x**3 = x + 1
_STEPS = (int(2**64 / _PLASTIC**2), int(2**64 / _PLASTIC))
_SPLIT_PREFIXES = {"test": "test", "val": "val", "dev": "val"}


def assign_splits(
    tiles: pa.Table,
    shares: Mapping[str, float],
    seed: int,
    pinned: Indices | None = None,
    former: Indices | None = None,
    ties: Indices | None = None,
) -> pa.Array:
    """The split of every tile. `tiles` has tile_id, cluster, cell (null: unknown ground) and scene_id; order means nothing.

    With sensor and categories (lists), groups are assigned by these, else by their names. `former`: the split of each tile that
    its group keeps where groups are assigned by categories, in the form of `pinned`.

    No two tiles of one cell, of one cluster, or of one scene where the cell is null, are on different sides, nor are two rows
    that `ties` (n, 2) join. `shares` need
    not sum to 1; a split of share 0 gets nothing. A group's name is the smallest of its cells and scenes.

    Give it the tiles that stay. Duplicates that were dropped tie nothing, and should not: one empty picture that recurs
    everywhere would tie all ground together.

    `pinned` (see `source_split_ranks`) goes before: a tile, or the whole group where a tile's ground is unknown, is in that
    split; NOWHERE where there is none. Tiles of known ground that share a cell with a pinned one are left where they are, for
    `is_near_stronger_split`.

    Shares hold on average over groups: with a few large groups they can be far off, and a split can be empty. One guarantee:
    the first split with a share above 0 is not empty; if no group falls to it by name, it gets the one of the smallest number
    (the nearest to it). By categories it is the split of the largest share. Raises ValueError for a negative share or none
    above 0.
    """
    names, bounds = _share_ends(shares)
    order = splits_by_strength(shares)
    place = _tile_places(tiles)
    pairs = np.concatenate([pairs_with_first(first_equal_row(place)), pairs_with_first(first_equal_row(tiles["cluster"]))])
    group = component_labels(tiles.num_rows, pairs if ties is None else np.concatenate([pairs, ties]))
    points = _group_points(place, group, seed)
    free = np.full(tiles.num_rows, UNASSIGNED, dtype=np.int64)
    own = free if pinned is None else _spread_in_group(pinned, group, np.asarray(pc.is_null(tiles["cell"])))
    if "categories" in tiles.column_names:
        ranks = _assign_by_categories(
            tiles, [shares[name] for name in order], group, points, own, free if former is None else former
        )
    else:
        chosen = np.searchsorted(bounds, unit_interval(points), side="right")
        if len(chosen) and chosen.min() > 0:
            chosen[points == points.min()] = 0
        ranks = np.array([order.index(name) for name in names], dtype=np.int64)[chosen]
    return pa.array([*order, EXCLUDED], pa.string()).take(pa.array(np.where(own == UNASSIGNED, ranks, own)))


def splits_by_strength(shares: Mapping[str, float]) -> list[str]:
    """The splits with a share, the weakest (largest) first."""
    return sorted((name for name, share in shares.items() if share > 0), key=lambda name: (-shares[name], name))


def source_split_ranks(source_splits: pa.ChunkedArray, split_names: Mapping[str, str], shares: Mapping[str, float]) -> Indices:
    """Per tile the split that its source says, as a position in [*strengths(shares), NOWHERE]; FREE where it says none.

    `split_names`: from the source's word to a split of ours. Spellings such as "testA", "Validation" or "dev" count as "test"
    and "val"; words that are not in `split_names` leave the tile free, splits without a share put it NOWHERE.
    """
    order = splits_by_strength(shares)
    codes = encode_values(source_splits)
    words = [split_names.get(_normalise_split(word)) for word in codes.dictionary.to_pylist()]
    ranks = [UNASSIGNED if split is None else order.index(split) if split in order else len(order) for split in words]
    numbers = np.array([*ranks, UNASSIGNED], dtype=np.int64)
    result: Indices = numbers[np.asarray(codes.indices.fill_null(-1))]
    return result


def is_near_stronger_split(
    boxes: Boxes, splits: pa.Array, shares: Mapping[str, float], buffer_m: float
) -> npt.NDArray[np.bool_]:
    """True for tiles that must leave: one of a stronger split, that itself stays, touches them or is nearer than `buffer_m`.

    `boxes` as `rsflow.curation.splits.ground.bounding_boxes` makes them; tiles of unknown ground stay.
    """
    order = splits_by_strength(shares)
    ranks = np.asarray(pc.index_in(splits, value_set=pa.array(order, pa.string())).fill_null(-1))
    leaves = np.zeros(len(ranks), dtype=np.bool_)
    for rank in reversed(range(len(order) - 1)):
        rows = np.flatnonzero(ranks == rank)
        stronger = (ranks > rank) & ~leaves
        leaves[rows] = is_within_distance(boxes[rows], boxes[stronger], buffer_m)
    return leaves


def _share_ends(shares: Mapping[str, float]) -> tuple[list[str], list[float]]:
    """The splits with a share, and where in [0, 1) all but the last end."""
    used = {name: share for name, share in shares.items() if share != 0}
    if not used or min(used.values()) < 0:
        raise ValueError(f"shares are {shares}: expected numbers from 0, at least one above 0")
    ends = np.cumsum(list(used.values()))
    return list(used), list(ends[:-1] / ends[-1])


def _normalise_split(word: str) -> str:
    word = word.lower()
    return next((known for start, known in _SPLIT_PREFIXES.items() if word.startswith(start)), word)


def _assign_by_categories(
    tiles: pa.Table, shares: list[float], group: Indices, points: Hashes, own: Indices, former: Indices
) -> Indices:
    """Each row's split, as its group is assigned; rows with an `own` are in none of the groups, but count for their split."""
    count = int(group.max(initial=-1)) + 1
    kept = np.full(count, UNASSIGNED, dtype=np.int64)
    np.maximum.at(kept, group[own == UNASSIGNED], former[own == UNASSIGNED])
    fixed = np.concatenate([kept, np.arange(len(shares) + 1)])
    group = np.where(own == UNASSIGNED, group, count + own)
    return assign_stratified(build_strata(tiles["sensor"], tiles["categories"]), group, fixed, points, shares)[group]


def _spread_in_group(pinned: Indices, group: Indices, groundless: npt.NDArray[np.bool_]) -> Indices:
    """Each row's pin; in a group of unknown ground the strongest of its rows'."""
    strongest = np.full(group.max(initial=-1) + 1, UNASSIGNED, dtype=np.int64)
    np.maximum.at(strongest, group[groundless], pinned[groundless])
    return np.where(groundless, strongest[group], pinned)


def _tile_places(tiles: pa.Table) -> pa.ChunkedArray:
    """What ties a tile to a place: its cell, else its scene's parent, else its scene, spelled so that these never meet."""
    cells = pc.binary_join_element_wise("cell", tiles["cell"], ":")
    return pc.coalesce(cells, pc.binary_join_element_wise("scene", scene_groups(tiles["scene_id"], tiles["cell"]), ":"))


def scene_groups(scenes: pa.ChunkedArray, cells: pa.ChunkedArray, certain: bool = False) -> pa.Array:
    """Per tile the parent of its scene, or the scene where that is not known; of tiles of known ground only the scene."""
    groundless = scenes.filter(pc.is_null(cells)).unique()
    parents = parent_scenes(groundless.to_pylist(), certain)
    known = pa.array(parents, pa.string()).take(pc.index_in(scenes, value_set=groundless))
    return pc.coalesce(known, scenes)


def _group_points(place: pa.ChunkedArray, group: Indices, seed: int) -> Hashes:
    """Each tile's group as a number of 64 bits, by the smallest of its places."""
    order = np.asarray(pc.sort_indices(place)).astype(np.int64)
    _, first = np.unique(group[order], return_index=True)
    return _name_points(place.take(pa.array(order[first])), seed)[group]


def _name_points(names: pa.ChunkedArray, seed: int) -> Hashes:
    """Names spread over 64 bits: at random, and evenly over those that differ in their last two whole numbers alone."""
    found = pc.extract_regex(names, _NUMBERED_NAME)
    series = pc.binary_join_element_wise(*(pc.struct_field(found, part) for part in ("head", "middle", "tail")), "#")
    points: Hashes = stable_hashes(pc.coalesce(series, names), seed)
    for part, step in (("first", _STEPS[0]), ("last", _STEPS[1])):
        digits = pc.struct_field(found, part)
        number = pc.fill_null(pc.if_else(pc.equal(digits, ""), "0", digits), "0").cast(pa.uint64())
        points = points + np.asarray(number, dtype=np.uint64) * np.uint64(step)
    return points
