"""Split assignment of tiles, and the tiles dropped so that splits share neither ground nor pictures.

Assignment keeps what the source or an earlier selection assigned and does not consider neighbours. Conflicts are resolved after
it by dropping the tile of the weaker (larger) split: by ground, by near duplicates, then by overlapping pictures.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Select
from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons
from rsflow.curation.duplicates.cross_split import weaker_split_duplicates
from rsflow.curation.duplicates.deduplicate import confirm_by_position, pictures_by_sensor
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import (
    ConfirmRegions,
    confirm_regions_by_position,
    overlapping_weaker_tiles,
    tile_keypoints,
)
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS
from rsflow.curation.hashing import stable_hashes
from rsflow.curation.splits.ground import Boxes, bounding_boxes
from rsflow.curation.splits.split_groups import (
    EXCLUDED,
    UNASSIGNED,
    assign_splits,
    is_near_stronger_split,
    source_split_ranks,
    splits_by_strength,
)
from rsflow.curation.task_runner import TaskRunner

HELD_OUT_SOURCE = "held_out:source"
SPLIT_MERGED = "split_merged"
SPLIT_BUFFER = "split_buffer"
SPLIT_ALIKE = "split_alike"
SPLIT_OVERLAP = "split_overlap"
SPLIT_CROWD = "split_crowd"

_COLUMNS = ("tile_id", "cell", "scene_id", "sensor", "categories")


def assign_tile_splits(
    tiles: pa.Table,
    cluster: Indices,
    settings: Select,
    seed: int,
    confirm: Confirm,
    verdicts: DropReasons,
    runner: TaskRunner,
    confirm_regions: ConfirmRegions | None = None,
    ties: Indices | None = None,
) -> pa.Array:
    """The split that every tile belongs to, duplicates to that of their cluster; null for those that were never assigned.

    `ties`: pairs (n, 2) of rows that belong to one split, as the dates of one place do.

    What belongs to no split of ours leaves, and what is too close to a tile of a stronger split. With `was_split`, a tile stays
    in the split that it, or a duplicate of it, was assigned to before, or leaves.
    """
    rows = np.flatnonzero(verdicts.kept)
    pinned = _strongest_in_cluster(source_split_ranks(tiles["source_split"], settings.source_splits, settings.splits), cluster)[
        rows
    ]
    ranks = np.full(tiles.num_rows, UNASSIGNED, dtype=np.int64)
    if "was_split" in tiles.column_names:
        ranks = _strongest_in_cluster(_split_ranks(tiles["was_split"], settings), cluster)
    former = ranks[rows]
    table = tiles.select([name for name in _COLUMNS if name in tiles.column_names])
    table = table.append_column("cluster", pa.array(cluster)).take(pa.array(rows))
    split = assign_splits(table, settings.splits, seed, pinned, former, _positions_of(ties, rows, tiles.num_rows))
    verdicts.drop(rows[np.asarray(pc.equal(split, EXCLUDED))], HELD_OUT_SOURCE)
    moved = (pinned == UNASSIGNED) & (former != UNASSIGNED) & (former != _split_ranks(split, settings))
    verdicts.drop(rows[moved], SPLIT_MERGED)
    ranks[rows] = np.where(moved, former, _split_ranks(split, settings))
    boxes = bounding_boxes(tiles["footprint"])
    _separate_ground(boxes, ranks, settings, verdicts)
    _separate_pictures(tiles, boxes, ranks, settings, seed, confirm, verdicts, runner)
    if confirm_regions is not None:
        _separate_overlaps(tiles, boxes, ranks, settings, confirm_regions, verdicts, runner)
    return _split_names(_strongest_in_cluster(ranks, cluster), settings)


def _positions_of(ties: Indices | None, rows: Indices, count: int) -> Indices | None:
    """Pairs of rows as pairs of positions in `rows`, those of which both are there."""
    if ties is None or not len(ties):
        return None
    position = np.full(count, -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    found = position[ties]
    kept: Indices = found[(found >= 0).all(axis=1)]
    return kept


def _separate_ground(boxes: Boxes, ranks: Indices, settings: Select, verdicts: DropReasons) -> None:
    rows = np.flatnonzero(verdicts.kept)
    splits = _split_names(ranks[rows], settings)
    verdicts.drop(rows[is_near_stronger_split(boxes[rows], splits, settings.splits, settings.buffer_m)], SPLIT_BUFFER)


def _separate_pictures(
    tiles: pa.Table,
    boxes: Boxes,
    ranks: Indices,
    settings: Select,
    seed: int,
    confirm: Confirm,
    verdicts: DropReasons,
    runner: TaskRunner,
) -> None:
    priority = stable_hashes(tiles["tile_id"], seed)
    for rows, pictures in pictures_by_sensor(tiles, np.flatnonzero(verdicts.kept), boxes):
        ask = confirm_by_position(confirm, rows)
        alike, crowded = weaker_split_duplicates(pictures, ranks[rows], priority[rows], settings.near_bits, ask, runner)
        verdicts.drop(rows[alike], SPLIT_ALIKE)
        verdicts.drop(rows[crowded], SPLIT_CROWD)


def _separate_overlaps(
    tiles: pa.Table,
    boxes: Boxes,
    ranks: Indices,
    settings: Select,
    confirm: ConfirmRegions,
    verdicts: DropReasons,
    runner: TaskRunner,
) -> None:
    rows = np.flatnonzero(verdicts.kept)
    keypoints, grounded = tile_keypoints(tiles, rows), ~np.isnan(boxes[rows, 0])
    if keypoints is not None:
        ask, orientations = confirm_regions_by_position(confirm, rows), ORIENTATIONS if settings.flips else 1
        verdicts.drop(
            rows[overlapping_weaker_tiles(keypoints, ranks[rows], grounded, ask, orientations, runner)], SPLIT_OVERLAP
        )


def _strongest_in_cluster(ranks: Indices, cluster: Indices) -> Indices:
    """For each tile the strongest split in its cluster."""
    most = np.full(len(cluster), UNASSIGNED, dtype=np.int64)
    np.maximum.at(most, cluster, ranks)
    return most[cluster]


def _split_ranks(split: pa.Array | pa.ChunkedArray, settings: Select) -> Indices:
    """Splits by strength, the weakest 0; FREE for none, and for one that has no share."""
    order = pa.array(splits_by_strength(settings.splits), pa.string())
    return np.asarray(pc.index_in(split, value_set=order).fill_null(UNASSIGNED), dtype=np.int64)


def _split_names(ranks: Indices, settings: Select) -> pa.Array:
    return pa.array(splits_by_strength(settings.splits), pa.string()).take(pa.array(ranks, mask=ranks == UNASSIGNED))
