"""Match boxes of overlapping or adjacent tiles that show the same object of a scene.

Two tiles can be compared only where they overlap: there both should show the same part of an object. So two boxes are clipped
to the overlap and matched by the intersection over union of what remains; how an object continues outside of the overlap is
not compared. Tiles without an overlap can share an edge: an object of one category that ends at that edge in both tiles, over
the same stretch of it, is one object.

Matching is one to one, best agreement first. Two boxes of one tile are never the same object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rsflow.spatial.geometry import FloatArray

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

MIN_CONTAINED = 0.8  # share of the smaller box of a cut object that must lie in the larger one


@dataclass(frozen=True, slots=True)
class Views:
    """Boxes in scene pixels (n, 4), the windows (n, 4) of the tiles that saw them, and `cut` (n, 4): which sides lie on an edge
    of their tile inside the scene. `tile`, `labeller` and `category` are numbers (n,)."""

    box: FloatArray
    window: FloatArray
    cut: Flags
    tile: Numbers
    labeller: Numbers
    category: Numbers


def sides_cut(box: FloatArray, window: FloatArray, edge_px: float) -> Flags:
    """Which sides (n, 4) are within `edge_px` of their window's, where that is not the scene's own edge.

    The scene is what the windows span.
    """
    scene = np.concatenate([window[:, :2].min(axis=0), window[:, 2:].max(axis=0)])
    inner: Flags = (np.abs(box - window) <= edge_px) & (window != scene)
    return inner


def same_objects(views: Views, min_iou: float, edge_px: float) -> Numbers:
    """The number (n,) of each view's object: views with the same number show the same one, at most one of each tile."""
    one, other = _candidate_pairs(views, edge_px)
    agreement, seam, same = _agreement(views, one, other, min_iou, edge_px)
    best_first = np.lexsort((other, one, -agreement, seam))
    chosen = best_first[same[best_first]]
    return _union_pairs(views.tile, one[chosen].tolist(), other[chosen].tolist())


def _candidate_pairs(views: Views, edge_px: float) -> tuple[Numbers, Numbers]:
    """Pairs (one < other) of a labeller's boxes in different tiles that touch or nearly do."""
    reach = views.box + np.array([-edge_px, -edge_px, edge_px, edge_px])
    tree = shapely.STRtree(shapely.box(*views.box.T))
    one, other = (np.asarray(side, dtype=np.int64) for side in tree.query(shapely.box(*reach.T)))
    between_tiles = (one < other) & (views.tile[one] != views.tile[other]) & (views.labeller[one] == views.labeller[other])
    return one[between_tiles], other[between_tiles]


def _agreement(views: Views, one: Numbers, other: Numbers, min_iou: float, edge_px: float) -> tuple[FloatArray, Flags, Flags]:
    """For each pair: how well it agrees, whether it is judged at a seam alone, and whether it is the same object."""
    low = np.maximum(views.window[one, :2], views.window[other, :2])
    high = np.minimum(views.window[one, 2:], views.window[other, 2:])
    thin: Flags = high - low <= edge_px
    seam: Flags = np.asarray(thin.any(axis=1))
    sides = [np.stack([np.maximum(views.box[i, :2], low), np.minimum(views.box[i, 2:], high)]) for i in (one, other)]
    common = np.clip(np.minimum(sides[0][1], sides[1][1]) - np.maximum(sides[0][0], sides[1][0]), 0, None)
    size, other_size = (np.clip(side[1] - side[0], 0, None) for side in sides)
    same_category = views.category[one] == views.category[other]

    iou = _safe_divide(common.prod(1), size.prod(1) + other_size.prod(1) - common.prod(1))
    part = _safe_divide(common.prod(1), np.minimum(size.prod(1), other_size.prod(1)))
    either_cut = views.cut[one].any(axis=1) | views.cut[other].any(axis=1)
    overlaps = ~seam & ((iou >= min_iou) | (same_category & either_cut & (part >= MIN_CONTAINED)))

    edge_overlap = _safe_divide(common, size + other_size - common)[
        :, ::-1
    ]  # an edge along x is compared in y, and the reverse
    meets = thin & ~thin[:, ::-1] & same_category[:, None] & (edge_overlap >= min_iou) & _cut_at_shared_edge(views, one, other)
    agreement = np.where(meets.any(axis=1), np.where(meets, edge_overlap, 0).max(axis=1, initial=0), iou)
    return agreement, seam, overlaps | meets.any(axis=1)


def _cut_at_shared_edge(views: Views, one: Numbers, other: Numbers) -> Flags:
    """For each pair and axis (m, 2): whether both boxes are cut at the edges that their tiles turn to each other."""
    first = views.window[one, :2] < views.window[other, :2]
    return np.where(first, views.cut[one, 2:] & views.cut[other, :2], views.cut[other, 2:] & views.cut[one, :2])


def _union_pairs(tile: Numbers, ones: list[int], others: list[int]) -> Numbers:
    """Pairs joined in their order, but for those that would put two views of a tile together. Numbers by first view."""
    parent = list(range(len(tile)))
    tiles: dict[int, set[int]] = {}

    def root(view: int) -> int:
        while parent[view] != view:
            parent[view] = view = parent[parent[view]]
        return view

    for one, other in zip(ones, others, strict=True):
        a, b = sorted((root(one), root(other)))
        mine, theirs = tiles.setdefault(a, {int(tile[a])}), tiles.setdefault(b, {int(tile[b])})
        if a != b and mine.isdisjoint(theirs):
            parent[b] = a
            mine |= theirs
    return np.array([root(view) for view in range(len(tile))], dtype=np.int64)


def _safe_divide(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> FloatArray:
    found: FloatArray = np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
    return found
