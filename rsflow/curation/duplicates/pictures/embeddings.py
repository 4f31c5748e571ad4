"""Pictures that mean the same: pairs of vectors whose cosine is at least a limit.

One idea, that of SemDeDup (https://arxiv.org/abs/2303.09540) with two changes: vectors are grouped around centres, and only
those that share a group are compared. Centres are found on a sample, for they only have to divide the work; and a vector is
compared with the groups of its `PROBED_CENTRES` nearest centres, not of one, so that pairs on a border are not lost. What is
found is verified in double precision; what is missed are pairs that have none of their nearest centres in common, few above
0.9.

The same rows in the same order give the same pairs on one machine. Between machines the matrix products of groups round
differently, so a pair that hangs on one border may be found on one only; the verified cosines do not differ.

Memory: one normalised copy of the vectors, and blocks. Time: about 4 sqrt(3 n) n d multiplications for n vectors of d numbers
that spread well; a crowd of m alike vectors costs m^2 d.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rsflow.curation.connected_components import Indices, component_labels

Vectors = npt.NDArray[np.float32]

PROBED_CENTRES = 3

_ROUNDS = 6
_PER_CENTRE = 32  # sampled vectors for each centre
_BLOCK = 4096
_PENDING = 1 << 22  # pairs held before they are reduced to what connects
_ROUNDING = 1e-3  # more than a product of normalised float32 vectors is wrong by


@dataclass(frozen=True, slots=True)
class TileEmbeddings:
    """The rows of tiles that have a vector, their vectors (n, d), and the least cosine of what means the same."""

    rows: Indices
    vectors: Vectors
    cosine: float

    def of(self, rows: Indices) -> TileEmbeddings:
        """The same for a table of these rows alone."""
        some = np.isin(self.rows, rows)
        return TileEmbeddings(np.searchsorted(rows, self.rows[some]), self.vectors[some], self.cosine)

    def among(self, rows: Indices) -> tuple[Indices, Vectors]:
        """Those of these rows that have a vector, in their order, and the vectors."""
        place = np.full(int(max(rows.max(initial=-1), self.rows.max(initial=-1))) + 1, -1, dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        known = rows[place[rows] >= 0]
        return known, self.vectors[place[known]]


def similar_pairs(vectors: Vectors, cosine: float) -> Indices:
    """Pairs (i, j), i < j, of rows (n, d) with at least this cosine: enough that their components are those of all found.

    Vectors of length 0 are like nothing.
    """
    edges = np.empty((0, 2), dtype=np.int64)
    if len(vectors) < 2:
        return edges
    unit = _normalise(vectors)
    waiting, count = [edges], 0
    for pairs in _close_pairs(unit, _nearest_centres(unit, _find_centres(unit)), cosine):
        waiting.append(pairs)
        count += len(pairs)
        if count >= _PENDING:
            waiting, count = [_star_pairs(len(unit), np.concatenate(waiting))], 0
    return _star_pairs(len(unit), np.concatenate(waiting))


def _normalise(vectors: Vectors) -> Vectors:
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)).astype(np.float32)
    lengths[lengths == 0] = 1.0
    unit: Vectors = vectors / lengths[:, None]
    return unit


def _find_centres(unit: Vectors) -> Vectors:
    """Centres of a sample that is spread evenly over the rows, by a few rounds of k-means on the sphere."""
    number = max(1, round(np.sqrt(PROBED_CENTRES * len(unit))))
    sample = unit[_sample_evenly(len(unit), number * _PER_CENTRE)]
    centres = sample[_sample_evenly(len(sample), number)]
    for _ in range(_ROUNDS):
        own = _nearest_centres(sample, centres, probes=1)[:, 0]
        order = np.argsort(own, kind="stable")
        found, starts = np.unique(own[order], return_index=True)
        centres[found] = _normalise(np.add.reduceat(sample[order], starts, axis=0))
    return centres


def _sample_evenly(count: int, number: int) -> Indices:
    """At most so many of the rows, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, number)).astype(np.int64))


def _nearest_centres(unit: Vectors, centres: Vectors, probes: int = PROBED_CENTRES) -> npt.NDArray[np.int64]:
    """(n, probes): the nearest centres, the nearest first."""
    probes = min(probes, len(centres))
    nearest = np.empty((len(unit), probes), dtype=np.int64)
    for start in range(0, len(unit), _BLOCK):
        close = unit[start : start + _BLOCK] @ centres.T
        rows = np.arange(len(close))
        for probe in range(probes):
            best = close.argmax(axis=1)
            nearest[start : start + _BLOCK, probe] = best
            close[rows, best] = -np.inf
    return nearest


def _close_pairs(unit: Vectors, nearest: Indices, cosine: float) -> Iterator[Indices]:
    """Verified pairs of a vector of a group and one that has the group among its nearest."""
    probes = nearest.shape[1]
    order = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[order], np.arange(nearest.max() + 2))
    for start, stop in pairwise(bounds.tolist()):
        group = order[start:stop] // probes
        own = group[order[start:stop] % probes == 0]
        around = unit[group]
        for begin in range(0, len(own), _BLOCK):
            part = own[begin : begin + _BLOCK]
            row, other = np.nonzero(unit[part] @ around.T >= cosine - _ROUNDING)
            pairs = np.sort(np.stack([part[row], group[other]], axis=1), axis=1)
            yield _verify(unit, pairs[pairs[:, 0] < pairs[:, 1]], cosine)


def _verify(unit: Vectors, pairs: Indices, cosine: float) -> Indices:
    blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    exact = [_cosines(unit[block[:, 0]], unit[block[:, 1]]) >= cosine for block in blocks]
    close: Indices = pairs[np.concatenate([np.empty(0, dtype=np.bool_), *exact])]
    return close


def _cosines(a: Vectors, b: Vectors) -> npt.NDArray[np.float64]:
    """In double precision: of normalised vectors, whose lengths are rounded."""
    across, own, other = (np.einsum("ij,ij->i", one, two, dtype=np.float64) for one, two in ((a, b), (a, a), (b, b)))
    cosines: npt.NDArray[np.float64] = across / np.sqrt(own * other)
    return cosines


def _star_pairs(count: int, pairs: Indices) -> Indices:
    """What connects the same rows: each with the first of its component."""
    label = component_labels(count, pairs)
    _, first = np.unique(label, return_index=True)
    stars = np.stack([first[label], np.arange(count)], axis=1)
    return stars[stars[:, 0] < stars[:, 1]]
