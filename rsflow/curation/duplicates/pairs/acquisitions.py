"""One acquisition delivered twice (overlapping granules, reprocessed editions), found by ground and time.

Two tiles of one source that show the same ground at the same instant show the same picture, whatever their grid or processing;
signatures do not find these. A time of exactly midnight is taken for a date without a time and matches nothing, because several
flights over one place on one day are several pictures.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.candidates import same_ground
from rsflow.curation.splits.ground import Boxes
from rsflow.curation.value_codes import value_codes

MAX_GSD_RATIO = 1.01
_DAY_US = 86_400_000_000
_BLOCK = 1 << 16


def same_acquisition_pairs(tiles: pa.Table, boxes: Boxes) -> Indices:
    """Pairs of rows (n, 2): one source, sensor, instant and resolution, two scenes, ground that mostly is the same.

    `tiles` has source, sensor, scene_id, acquired_at and gsd_m; `boxes` is their ground. "Mostly" as for near duplicates: the
    boxes share at least half of what they cover together.
    """
    moment = np.asarray(tiles["acquired_at"].cast(pa.int64()).fill_null(0), dtype=np.int64)
    rows = np.flatnonzero((moment % _DAY_US != 0) & ~np.isnan(boxes[:, 0]))
    scene = value_codes(tiles["scene_id"])[rows]
    columns = np.stack([moment[rows], value_codes(tiles["source"])[rows], value_codes(tiles["sensor"])[rows]], axis=1)
    _, group = np.unique(columns, axis=0, return_inverse=True)
    group = group.reshape(-1)
    # Most acquisitions come as one scene: only those of several are compared.
    several = _count_scenes(group, scene)[group] > 1
    rows, group, scene = rows[several], group[several], scene[several]
    if not len(rows):
        return np.empty((0, 2), dtype=np.int64)
    shapes = shapely.box(boxes[rows, 0], boxes[rows, 1], boxes[rows, 2], boxes[rows, 3])
    tree = shapely.STRtree(shapes)
    gsd = np.asarray(tiles["gsd_m"].fill_null(np.nan), dtype=np.float64)[rows]
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(rows), _BLOCK):
        a, b = tree.query(shapes[start : start + _BLOCK])
        a = a + start
        alike = (a < b) & (group[a] == group[b]) & (scene[a] != scene[b])
        alike &= np.maximum(gsd[a], gsd[b]) <= MAX_GSD_RATIO * np.minimum(gsd[a], gsd[b])
        pairs = np.stack([rows[a[alike]], rows[b[alike]]], axis=1)
        found.append(pairs[same_ground(boxes, pairs)])
    return np.concatenate(found)


def _count_scenes(group: Indices, scene: Indices) -> Indices:
    """The number of scenes of each group."""
    pairs = np.unique(np.stack([group, scene], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(group.max(initial=-1)) + 1)
