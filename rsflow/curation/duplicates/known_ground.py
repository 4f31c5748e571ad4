"""Removal of edges that would join tiles of different known ground into one cluster.

Two tiles of known ground are compared only where their ground is the same, but a picture without a place can be similar to
tiles of many places and would connect them. Edges are taken in a fixed order, and an edge that would put two tiles of different
known ground into one cluster is dropped. Only components in which grounds differ are processed edge by edge.

A group of equal pictures counts as one tile, its representative: equal bytes are one picture wherever they lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsflow.curation.connected_components import Indices, component_labels
from rsflow.curation.duplicates.pairs.candidates import same_ground
from rsflow.curation.splits.ground import Boxes


def drop_edges_across_ground(
    steps: Sequence[Indices], representative: Indices, boxes: Boxes, best_first: Indices
) -> list[Indices]:
    """The same lists of edges (n, 2) without those by which a component would hold tiles of different known ground.

    `representative`: the row that stands for each row's group of equal pictures. Edges of earlier lists come first, then those
    of better rows (`best_first`: all rows, the best first).
    """
    edges = np.concatenate([representative[step] for step in steps])
    label = component_labels(len(representative), edges)
    ground = _group_ground(representative, boxes, best_first)
    doubtful = _has_differing_ground(label, ground)[label]
    if not doubtful.any():
        return list(steps)
    rank = np.empty(len(best_first), dtype=np.int64)
    rank[best_first] = np.arange(len(best_first))
    number = np.repeat(np.arange(len(steps)), [len(step) for step in steps])
    doubtful_edges = np.flatnonzero(doubtful[edges[:, 0]])
    ranks = np.sort(rank[edges[doubtful_edges]], axis=1)
    doubtful_edges = doubtful_edges[np.lexsort((ranks[:, 1], ranks[:, 0], number[doubtful_edges]))]
    taken = np.ones(len(edges), dtype=np.bool_)
    taken[doubtful_edges] = _accept_edges(edges[doubtful_edges], ground)
    return [step[taken[number == k]] for k, step in enumerate(steps)]


def _group_ground(representative: Indices, boxes: Boxes, best_first: Indices) -> Boxes:
    """The ground of each row that stands for a group: its own, else that of the best row of the group that has one."""
    ground = boxes.copy()
    known = best_first[~np.isnan(boxes[best_first, 0])]
    heads, first = np.unique(representative[known], return_index=True)
    without = np.isnan(ground[heads, 0])
    ground[heads[without]] = boxes[known[first[without]]]
    ground[representative != np.arange(len(representative))] = np.nan
    return ground


def _has_differing_ground(label: Indices, ground: Boxes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Per component whether it may hold tiles of different ground: all alike with one they still may, pair by pair."""
    known = np.flatnonzero(~np.isnan(ground[:, 0]))
    found, counts = np.unique(label[known], return_counts=True)
    several = np.zeros(int(label.max(initial=-1)) + 1, dtype=np.bool_)
    several[found] = counts > 1
    rows = known[several[label[known]]]
    _, first, own = np.unique(label[rows], return_index=True, return_inverse=True)
    apart = (ground[rows] != ground[rows[first]][own.reshape(-1)]).any(axis=1)
    several[:] = False
    several[label[rows[apart]]] = True
    return several


def _accept_edges(edges: Indices, ground: Boxes) -> list[bool]:
    """Union by union: whether each edge joins nothing that differs. A set keeps those of its tiles that have ground."""
    roots: dict[int, int] = {}
    placed: dict[int, list[int]] = {}

    def root(row: int) -> int:
        while (above := roots.get(row, row)) != row:
            roots[row] = roots.get(above, above)
            row = above
        return row

    def tiles(row: int) -> list[int]:
        return placed.setdefault(row, [] if np.isnan(ground[row, 0]) else [row])

    taken = []
    for one, other in edges.tolist():
        a, b = root(one), root(other)
        joins = a == b or _is_one_ground(tiles(a), tiles(b), ground)
        if joins and a != b:
            fewer, more = sorted((a, b), key=lambda row: len(tiles(row)))
            roots[fewer] = more
            placed[more] = tiles(more) + placed.pop(fewer)
        taken.append(joins)
    return taken


def _is_one_ground(some: list[int], others: list[int], ground: Boxes) -> bool:
    if not some or not others:
        return True
    pairs = np.stack(np.meshgrid(some, others), axis=-1).reshape(-1, 2)
    return bool(same_ground(ground, pairs).all())
