"""Pictures that show a part of one another: crops, enlargements and shifted windows, found by shared keypoints.

Keypoints with similar codes vote for where one picture lies in the other. Three that agree on scale and place make a
candidate; the pixels of the region that both show decide. Only pairs of two sets are looked for, as pictures of two splits, and
of these only such as `rsflow.curation.duplicates.cross_split` compares: at least one of a pair has no known ground.

Cost: a look-up of every keypoint of one set among all of the other (`rsflow.curation.duplicates.pairs.hamming`), at a number
of bits that falls with their number (`_bits_for`), so that the chance matches of a keypoint stay a few dozen. What is gained
in time is paid in recall: of archives beyond some hundred thousand pictures fewer keypoints match. Codes that more than
`CROWD_SIZE` keypoints share, as of regular patterns, are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.candidates import CROWD_SIZE
from rsflow.curation.duplicates.pairs.hamming import iter_cross_pairs
from rsflow.curation.duplicates.pictures.keypoints import Codes, orient_codes, unpack_positions, working_factor
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner

MIN_AGREEING = 3  # keypoints that agree on scale and place
MIN_SHARED = 0.08  # of the smaller picture's area

_MIN_SIDE_PX = 20.0  # of the shared region, in working pixels of either picture
_SCALES = (0.2, 5.0)  # of one picture in the other, in working pixels
_TOLERANCE_PX = 3.0
_TOLERANCE = 0.06  # of the distance between two keypoints
_SCALE_SLACK = 1.6  # between the scale that two blobs' sizes say and the one that their places say
_MIN_BASE_PX = 6.0  # between two keypoints that say what the scale is
_MOST_MATCHES = 48  # of one pair of pictures: of more, those whose codes differ least
_MATCHES = 1 << 22  # gathered at a time

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Gets (n, 3) row, other row, orientation, and (n, 8) left, top, right, bottom of the region that both show, as shares of the
# first picture turned so, then of the second: do they show the same there?
ConfirmRegions = Callable[[Indices, Floats], Flags]


@dataclass(frozen=True, slots=True)
class KeypointSets:
    """The keypoints of pictures: those of row k are [starts[k], starts[k + 1]). `heights`, `widths`: in working pixels."""

    starts: Indices
    positions: npt.NDArray[np.int32]  # packed
    codes: Codes
    heights: Floats
    widths: Floats

    @classmethod
    def build(cls, counts: Indices, positions: npt.NDArray[np.int32], codes: Codes, sizes: Indices) -> KeypointSets:
        """`counts`: keypoints of each picture; `sizes` (n, 2): its rows and columns."""
        factor = np.array([working_factor(rows, cols) for rows, cols in sizes.tolist()], dtype=np.int64)
        height, width = (sizes // factor[:, None]).T.astype(np.float64) if len(sizes) else np.empty((2, 0))
        return cls(np.concatenate([[0], np.cumsum(counts)]), positions, codes, height, width)

    def of(self, rows: Indices) -> tuple[Indices, Indices]:
        """(keypoints of these rows, the row of each)."""
        counts = (self.starts[1:] - self.starts[:-1])[rows]
        owner = np.repeat(rows, counts)
        first = np.repeat(self.starts[rows] - np.cumsum(counts) + counts, counts)
        return first + np.arange(len(owner)), owner


def tile_keypoints(tiles: pa.Table, rows: Indices) -> KeypointSets | None:
    """The keypoints of rows of tiles; None without their columns. A null is a picture without any."""
    if "keypoints" not in tiles.column_names:
        return None
    taken = tiles.select(["keypoints", "keypoint_codes", "height_px", "width_px"]).take(pa.array(rows))
    positions, codes = (taken[name].combine_chunks() for name in ("keypoints", "keypoint_codes"))
    counts = np.asarray(pc.fill_null(pc.list_value_length(positions), 0), dtype=np.int64)
    sizes = np.stack([np.asarray(taken[name].fill_null(0), dtype=np.int64) for name in ("height_px", "width_px")], axis=1)
    packed, numbers = np.asarray(positions.flatten(), dtype=np.int32), np.asarray(codes.flatten(), dtype=np.int64)
    return KeypointSets.build(counts, packed, numbers.view(np.uint64), np.maximum(sizes, 1))


def overlapping_weaker_tiles(
    keypoints: KeypointSets,
    ranks: Indices,
    grounded: Flags,
    confirm: ConfirmRegions,
    orientations: int = ORIENTATIONS,
    runner: TaskRunner = LOCAL_RUNNER,
) -> Flags:
    """Tiles that have a part in common with one of a higher rank that itself stays. `ranks`: 0 is the weakest split."""
    leaves = np.zeros(len(ranks), dtype=np.bool_)
    for rank in reversed(range(ranks.max(initial=0))):
        weak, strong = np.flatnonzero(ranks == rank), np.flatnonzero((ranks > rank) & ~leaves)
        leaves[find_overlaps(keypoints, strong, weak, grounded, confirm, orientations, runner)[:, 1]] = True
    return leaves


def find_overlaps(
    keypoints: KeypointSets,
    strong: Indices,
    weak: Indices,
    grounded: Flags,
    confirm: ConfirmRegions,
    orientations: int = ORIENTATIONS,
    runner: TaskRunner = LOCAL_RUNNER,
    least: int = MIN_AGREEING,
) -> Indices:
    """(row of `strong`, row of `weak`, orientation) that show the same in part, in any of the first `orientations`.

    `least`: keypoints that must agree."""
    found = [np.empty((0, 3), dtype=np.int64)]
    for ours, theirs in ((strong[~grounded[strong]], weak), (strong[grounded[strong]], weak[~grounded[weak]])):
        for pairs, regions in _candidates(keypoints, ours, theirs, orientations, runner, least):
            found.append(pairs[confirm(pairs, regions)] if len(pairs) else pairs)
    return np.concatenate(found)


def confirm_regions_by_position(confirm: ConfirmRegions, rows: Indices) -> ConfirmRegions:
    """The same question about positions in `rows`."""
    return lambda pairs, regions: confirm(np.column_stack([rows[pairs[:, :2]], pairs[:, 2:]]), regions)


def _candidates(
    keypoints: KeypointSets, ours: Indices, theirs: Indices, orientations: int, runner: TaskRunner, least: int
) -> Iterator[tuple[Indices, Floats]]:
    known, _ = keypoints.of(theirs)
    known = _drop_common_codes(keypoints.codes, known)
    queries, _ = keypoints.of(ours)
    if not len(known) or not len(queries):
        return
    owner = np.searchsorted(keypoints.starts, np.arange(len(keypoints.codes)), side="right") - 1
    bits = _max_code_distance(len(known))
    for start in range(0, len(queries), step := max(1, _MATCHES // 64)):
        some = queries[start : start + step]
        for orientation in range(orientations):
            codes = orient_codes(keypoints.codes[some], orientation)
            pieces = [np.empty((0, 2), dtype=np.int64), *iter_cross_pairs(keypoints.codes[known], codes, bits, runner)]
            right, left = np.concatenate(pieces).T
            yield _verify_geometry(keypoints, some[left], known[right], owner, orientation, least)


def _max_code_distance(count: int) -> int:
    """In how many bits two codes may differ, where each is compared with so many: measured on real tiles, see
    benchmarks/duplicate_crops.py."""
    return 8 if count <= 1 << 20 else 6 if count <= 1 << 23 else 4


def _drop_common_codes(codes: Codes, rows: Indices) -> Indices:
    _, value, counts = np.unique(codes[rows], return_inverse=True, return_counts=True)
    return rows[counts[value.reshape(-1)] <= CROWD_SIZE]


def _verify_geometry(
    keypoints: KeypointSets, left: Indices, right: Indices, owner: Indices, orientation: int, least: int
) -> tuple[Indices, Floats]:
    """The pairs of pictures of which enough matches (keypoint, keypoint) agree, and the regions that they share."""
    key = owner[left] * len(keypoints.heights) + owner[right]
    order = np.lexsort((right, left, key))
    key, left, right = key[order], left[order], right[order]
    bounds = [*np.flatnonzero(np.diff(key, prepend=-1)).tolist(), len(key)]
    pairs, regions = [], []
    for start, stop in pairwise(bounds):
        if stop - start >= least:
            one, other = owner[left[start]], owner[right[start]]
            size = _oriented_size(keypoints.heights[one], keypoints.widths[one], orientation)
            points = unpack_positions(keypoints.positions[left[start:stop]]).astype(np.float64)
            points[:, :2] = _oriented_points(points[:, :2], keypoints.heights[one], keypoints.widths[one], orientation)
            others = unpack_positions(keypoints.positions[right[start:stop]]).astype(np.float64)
            placed = _fit_placement(points, others, least)
            shared = (
                None if placed is None else _shared_region(placed, size, (keypoints.heights[other], keypoints.widths[other]))
            )
            if shared is not None:
                pairs.append((one, other, orientation))
                regions.append(shared)
    return np.array(pairs, dtype=np.int64).reshape(-1, 3), np.array(regions, dtype=np.float64).reshape(-1, 8)


def _fit_placement(points: Floats, others: Floats, least: int) -> tuple[float, float, float] | None:
    """(scale, right, down) that take most of `points` (n, 3: column, row, blob) to their `others`; None: too few agree."""
    points, others = points[:_MOST_MATCHES], others[:_MOST_MATCHES]
    one, other = np.triu_indices(len(points), 1)
    base, image = points[other, :2] - points[one, :2], others[other, :2] - others[one, :2]
    length = (base**2).sum(axis=1)
    scale = (base * image).sum(axis=1) / np.maximum(length, 1e-9)
    usable = (length >= _MIN_BASE_PX**2) & (scale > _SCALES[0]) & (scale < _SCALES[1])
    usable &= np.hypot(*(image - scale[:, None] * base).T) <= _TOLERANCE_PX + _TOLERANCE * np.hypot(*image.T)
    one, scale = one[usable], scale[usable]
    if not len(one):
        return None
    moved = others[one, :2] - scale[:, None] * points[one, :2]
    wrong = others[None, :, :2] - scale[:, None, None] * points[None, :, :2] - moved[:, None]
    near = np.hypot(wrong[..., 0], wrong[..., 1]) <= _TOLERANCE_PX * np.maximum(1.0, scale)[:, None]
    ratio = others[:, 2] / points[:, 2] / scale[:, None]
    agree = near & (ratio < _SCALE_SLACK) & (ratio > 1 / _SCALE_SLACK)
    best = int(agree.sum(axis=1).argmax())
    rows = agree[best]
    distinct = min(len(np.unique(some[rows, :2], axis=0)) for some in (points, others))
    return _least_squares_placement(points[rows, :2], others[rows, :2]) if distinct >= least else None


def _least_squares_placement(points: Floats, others: Floats) -> tuple[float, float, float]:
    """The least-squares scale and shift of points to others."""
    middle, target = points.mean(axis=0), others.mean(axis=0)
    base, image = points - middle, others - target
    scale = float((base * image).sum() / (base**2).sum())
    right, down = target - scale * middle
    return scale, float(right), float(down)


def _shared_region(
    placed: tuple[float, float, float], size: tuple[float, float], other: tuple[float, float]
) -> list[float] | None:
    """The region that both show as shares of the first picture and of the other; None where that is too little."""
    scale, right, down = placed
    start = np.maximum([right, down], 0.0)
    stop = np.minimum([right + scale * size[1], down + scale * size[0]], [other[1], other[0]])
    sides = stop - start
    smaller = min(scale**2 * size[0] * size[1], other[0] * other[1])
    if (sides < _MIN_SIDE_PX * max(1.0, scale)).any() or sides.prod() < MIN_SHARED * smaller:
        return None
    own = (np.stack([start, stop]) - [right, down]) / scale / [size[1], size[0]]
    return [*own.ravel().tolist(), *(np.stack([start, stop]) / [other[1], other[0]]).ravel().tolist()]


def _oriented_size(height: float, width: float, orientation: int) -> tuple[float, float]:
    return (width, height) if orientation % 2 else (height, width)


def _oriented_points(points: Floats, height: float, width: float, orientation: int) -> Floats:
    """Where points (column, row) of a picture lie in `apply_orientation` of it."""
    x, y = points.T
    x = width - 1 - x if orientation >= 4 else x
    for _ in range(orientation % 4):
        x, y, width, height = y, width - 1 - x, height, width
    return np.stack([x, y], axis=1)
