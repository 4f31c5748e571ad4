"""Which split each tile falls to, and which tiles leave so that splits share neither ground nor pictures.

One idea: dealing never moves what a source or an earlier selection has put somewhere, and never looks at neighbours; what comes
too close by that leaves afterwards, the tile of the weaker split: first by ground, then by pixels.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Select
from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons
from rsflow.curation.duplicates.candidates import Confirm
from rsflow.curation.duplicates.cross_split import weaker_tiles
from rsflow.curation.duplicates.deduplicate import asking, pictures_by_sensor
from rsflow.curation.hashing import stable_hashes
from rsflow.curation.splits.ground import Boxes, boxes_of
from rsflow.curation.splits.split_groups import FREE, NOWHERE, assign_splits, near_stronger, pins, strengths
from rsflow.curation.task_runner import TaskRunner

SOURCE = "held_out:source"
MERGED = "split_merged"
BUFFER = "split_buffer"
ALIKE = "split_alike"
CROWD = "split_crowd"

_COLUMNS = ("tile_id", "cell", "scene_id", "sensor", "categories")


def assign_tile_splits(
    tiles: pa.Table,
    cluster: Indices,
    settings: Select,
    seed: int,
    confirm: Confirm,
    verdicts: DropReasons,
    spread: TaskRunner,
) -> pa.Array:
    """The split that every tile belongs to, duplicates to that of their cluster; null for those that were never dealt.

    What belongs to no split of ours leaves, and what is too close to a tile of a stronger split. With `was_split`, a tile stays
    in the split that it, or a duplicate of it, was dealt to before, or leaves.
    """
    rows = np.flatnonzero(verdicts.kept)
    pinned = _of_cluster(pins(tiles["source_split"], settings.source_splits, settings.splits), cluster)[rows]
    ranks = np.full(tiles.num_rows, FREE, dtype=np.int64)
    if "was_split" in tiles.column_names:
        ranks = _of_cluster(_ranks(tiles["was_split"], settings), cluster)
    former = ranks[rows]
    table = tiles.select([name for name in _COLUMNS if name in tiles.column_names])
    table = table.append_column("cluster", pa.array(cluster)).take(pa.array(rows))
    split = assign_splits(table, settings.splits, seed, pinned, former)
    verdicts.drop(rows[np.asarray(pc.equal(split, NOWHERE))], SOURCE)
    moved = (pinned == FREE) & (former != FREE) & (former != _ranks(split, settings))
    verdicts.drop(rows[moved], MERGED)
    ranks[rows] = np.where(moved, former, _ranks(split, settings))
    boxes = boxes_of(tiles["footprint"])
    _part_ground(boxes, ranks, settings, verdicts)
    _part_pictures(tiles, boxes, ranks, settings, seed, confirm, verdicts, spread)
    return _named(_of_cluster(ranks, cluster), settings)


def _part_ground(boxes: Boxes, ranks: Indices, settings: Select, verdicts: DropReasons) -> None:
    rows = np.flatnonzero(verdicts.kept)
    splits = _named(ranks[rows], settings)
    verdicts.drop(rows[near_stronger(boxes[rows], splits, settings.splits, settings.buffer_m)], BUFFER)


def _part_pictures(
    tiles: pa.Table,
    boxes: Boxes,
    ranks: Indices,
    settings: Select,
    seed: int,
    confirm: Confirm,
    verdicts: DropReasons,
    spread: TaskRunner,
) -> None:
    priority = stable_hashes(tiles["tile_id"], seed)
    for rows, pictures in pictures_by_sensor(tiles, np.flatnonzero(verdicts.kept), boxes):
        ask = asking(confirm, rows)
        alike, crowded = weaker_tiles(pictures, ranks[rows], priority[rows], settings.near_bits, ask, spread)
        verdicts.drop(rows[alike], ALIKE)
        verdicts.drop(rows[crowded], CROWD)


def _of_cluster(ranks: Indices, cluster: Indices) -> Indices:
    """For each tile the strongest split in its cluster."""
    most = np.full(len(cluster), FREE, dtype=np.int64)
    np.maximum.at(most, cluster, ranks)
    return most[cluster]


def _ranks(split: pa.Array | pa.ChunkedArray, settings: Select) -> Indices:
    """Splits by strength, the weakest 0; FREE for none, and for one that has no share."""
    order = pa.array(strengths(settings.splits), pa.string())
    return np.asarray(pc.index_in(split, value_set=order).fill_null(FREE), dtype=np.int64)


def _named(ranks: Indices, settings: Select) -> pa.Array:
    return pa.array(strengths(settings.splits), pa.string()).take(pa.array(ranks, mask=ranks == FREE))
