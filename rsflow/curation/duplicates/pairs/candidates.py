"""Candidate pairs for near duplicates, and the few comparisons that decide.

Signatures propose pairs, known ground excludes most of them, and only the rest is passed to `confirm`, which reads pictures.
Two pictures of known ground can be the same only where their bounding boxes share at least half of what they cover together, so
two tiles of one calm sea are never joined.

Signatures of windows (`Pictures.anchors`) propose pairs that the whole picture does not: crops, frames and small shifts. A
window signature that more than `CROWD_SIZE` pictures share, or with fewer than `MIN_BITS_SET` bits set, proposes nothing.

With `Pictures.views` flipped and rotated pictures are proposed too: any of the eight views of one within `bits` of the other as
it is. Views with fewer than `MIN_BITS_SET` bits set propose nothing.

Crowds: thousands of empty pictures (sea, snow, black) with one signature are millions of pairs. All signatures with at most
bits // 2 bits set are within `bits` of each other and count as one. Where more than `CROWD_SIZE` pictures share a signature,
leaders are compared instead of all pairs: the best picture with all others, then the best of those not joined yet, and so on
for `LEADER_ROUNDS` rounds. Pictures of known ground have leaders per patch of ground. So a crowd of n pictures needs at most 2
LEADER_ROUNDS n comparisons. Missed, in crowds only: pictures that are similar to no leader, pictures of known ground on two
sides of a patch border, and pairs of a crowd's other pictures with other signatures or views. Between two splits nothing is
missed by this: see `rsflow.curation.duplicates.cross_split`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from rsflow.curation.connected_components import component_labels
from rsflow.curation.duplicates.pairs.hamming import Indices, Signatures, expand_ranges, iter_cross_pairs, iter_near_pairs
from rsflow.curation.duplicates.pictures.orientations import INVERSE_ORIENTATION, ORIENTATIONS
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner

CROWD_SIZE = 64
LEADER_ROUNDS = 16
MIN_BITS_SET = 8

_BATCH = 1 << 13  # pairs in one question: 100 MB of thumbnails at most on either side
_PAIRS_PER_PIECE = 1 << 20  # pairs gathered before any is asked: sorted, so that pictures are read in order

# Gets (n, 3) row, other row, orientation: does the first show what the other shows when it is turned so?
Confirm = Callable[[Indices], npt.NDArray[np.bool_]]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of one sensor, the best first. `boxes` (n, 4): west, south, east, north in degrees, NaN where unknown.

    `views` (n, 8): the signatures in all orientations, 0 where one is not known; without it only upright pairs are found.
    `anchors` (n, k): the signatures of windows, 0 where one is not known; two pictures that share one are worth a look too.
    `faint` (n,): the faint signatures; without them all pictures without content of two splits are compared.
    """

    signatures: Signatures
    boxes: npt.NDArray[np.float64]
    views: Signatures | None = None
    anchors: Signatures | None = None
    faint: Signatures | None = None

    @property
    def grounded(self) -> Flags:
        return ~np.isnan(self.boxes[:, 0])


def near_duplicate_pairs(pictures: Pictures, bits: int, confirm: Confirm, runner: TaskRunner = LOCAL_RUNNER) -> Indices:
    """Confirmed (row, other row, orientation), enough of them that their connected components are the near duplicates.

    Of orientation 0 there are enough that the components of these alone are the upright ones.
    """
    unit = np.where(np.bitwise_count(pictures.signatures) <= bits // 2, np.uint64(0), pictures.signatures)
    _, unit, counts = np.unique(unit, return_inverse=True, return_counts=True)
    crowded = counts[unit] > CROWD_SIZE
    members = np.flatnonzero(crowded)
    edges, leaders = _leader_edges(pictures, members, unit[members], ~pictures.grounded[members], confirm)
    grounded = members[pictures.grounded[members]]
    patches = _ground_patches(unit[grounded], pictures.boxes[grounded])
    local, _ = _leader_edges(pictures, grounded, patches, np.ones(len(grounded), dtype=np.bool_), confirm)
    edges = np.concatenate([edges, local])
    representatives = np.sort(np.concatenate([np.flatnonzero(~crowded), leaders]))
    edges = _extend_edges(
        _signature_pairs(pictures, pictures.signatures[representatives], representatives, bits, runner),
        edges,
        pictures.grounded,
        confirm,
    )
    if pictures.anchors is not None:
        edges = _extend_edges(
            _anchor_pairs(pictures, pictures.anchors, representatives, bits, runner), edges, pictures.grounded, confirm
        )
    if pictures.views is None:
        return edges
    return _extend_edges(
        _oriented_pairs(pictures, pictures.views, representatives, bits, runner), edges, pictures.grounded, confirm
    )


def _extend_edges(found: Iterator[Indices], edges: Indices, grounded: Flags, confirm: Confirm) -> Indices:
    """The edges, and those of the pairs found that are confirmed and join what was not joined yet."""
    count = len(grounded)
    for pairs in merge_pieces(found, _by_row):
        label, by_ground = component_labels(count, edges), component_labels(count, edges[grounded[edges[:, :2]].all(axis=1)])
        one, other = pairs[:, 0], pairs[:, 1]
        # What a picture without a place joins may be parted again (rsflow.curation.duplicates.known_ground).
        placed = grounded[one] & grounded[other]
        news = pairs[np.where(placed, by_ground[one] != by_ground[other], label[one] != label[other])]
        edges = np.concatenate([edges, confirm_in_batches(news, confirm)])
    return edges


def same_ground(boxes: npt.NDArray[np.float64], pairs: Indices) -> Flags:
    """False where both boxes of a pair are known and share less than half of what they cover together."""
    a, b = boxes[pairs[:, 0]], boxes[pairs[:, 1]].copy()
    # The same place may be spelled with longitudes a whole turn apart on the two sides of the antimeridian.
    turns = np.round((a[:, 0] + a[:, 2] - b[:, 0] - b[:, 2]) / 720.0) * 360.0
    b[:, 0] += turns
    b[:, 2] += turns
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common = np.prod(np.clip(sides, 0.0, None), axis=1)
    union = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - common
    unknown = np.isnan(a[:, 0]) | np.isnan(b[:, 0])
    result: Flags = unknown | (2.0 * common >= union)
    return result


def _leader_edges(
    pictures: Pictures, members: Indices, keys: Indices, may_lead: Flags, confirm: Confirm
) -> tuple[Indices, Indices]:
    """Per key, in rounds: the first member that may lead, against all that no leader has joined: (edges, leaders)."""
    edges, leaders = [np.empty((0, 3), dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for _ in range(LEADER_ROUNDS):
        key, first = np.unique(keys[may_lead], return_index=True)
        lead = np.flatnonzero(may_lead)[first]
        if not len(lead):
            break
        leaders.append(members[lead])
        led = np.isin(keys, key)
        led[lead] = False
        leader = members[lead][np.searchsorted(key, keys[led])]
        pairs = _with_orientation_0(np.sort(np.stack([leader, members[led]], axis=1), axis=1))
        edges.append(confirm_in_batches(pairs[same_ground(pictures.boxes, pairs)], confirm))
        left = ~np.isin(members, np.concatenate([edges[-1][:, :2].ravel(), members[lead]]))
        members, keys, may_lead = members[left], keys[left], may_lead[left]
    return np.concatenate(edges), np.sort(np.concatenate(leaders))


def _ground_patches(unit: Indices, boxes: npt.NDArray[np.float64]) -> Indices:
    """A number per unit and patch of ground: the lattice cell, about as wide as the picture, that holds its middle."""
    size = np.exp2(np.round(np.log2(np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9))))
    row = np.floor((boxes[:, 1] + boxes[:, 3]) / 2 / size)
    col = np.floor(((boxes[:, 0] + boxes[:, 2]) / 2 + 180.0) % 360.0 / size)
    _, patch = np.unique(np.stack([unit, size, row, col], axis=1), axis=0, return_inverse=True)
    return patch.reshape(-1).astype(np.int64)


def _anchor_pairs(
    pictures: Pictures, anchors: Signatures, representatives: Indices, bits: int, runner: TaskRunner
) -> Iterator[Indices]:
    """The same of voices any of whose windows, or the whole, is within `bits` of another's; common windows say nothing."""
    windows = np.column_stack([pictures.signatures[representatives], anchors[representatives]])
    owners = np.repeat(representatives, windows.shape[1])
    flat = windows.ravel()
    _, value, counts = np.unique(flat, return_inverse=True, return_counts=True)
    telling = (np.bitwise_count(flat) >= MIN_BITS_SET) & (counts[value] <= CROWD_SIZE)
    return _signature_pairs(pictures, flat[telling], owners[telling], bits, runner)


def _signature_pairs(
    pictures: Pictures, signatures: Signatures, owners: Indices, bits: int, runner: TaskRunner
) -> Iterator[Indices]:
    """Upright pairs of different owners of signatures within `bits`, on the same ground, i < j."""
    ranks = np.argsort(signatures, kind="stable")
    order = owners[ranks]
    values, start, counts = np.unique(signatures[ranks], return_index=True, return_counts=True)
    own = np.flatnonzero(counts > 1)
    for units in chain([np.stack([own, own], axis=1)], iter_near_pairs(values, bits, runner)):
        a, b = units[:, 0], units[:, 1]
        for row, left in expand_ranges(np.arange(len(units)), start[a], start[a] + counts[a]):
            for x, y in expand_ranges(left, start[b[row]], start[b[row]] + counts[b[row]]):
                pairs = _with_orientation_0(np.sort(np.stack([order[x], order[y]], axis=1)[x != y], axis=1))
                pairs = pairs[pairs[:, 0] < pairs[:, 1]]
                yield pairs[same_ground(pictures.boxes, pairs)]


def _oriented_pairs(
    pictures: Pictures, views: Signatures, representatives: Indices, bits: int, runner: TaskRunner
) -> Iterator[Indices]:
    """The same of one as it lies and the other turned, i < j."""
    upright = representatives[np.bitwise_count(pictures.signatures[representatives]) >= MIN_BITS_SET]
    for orientation in range(1, ORIENTATIONS):
        turned = representatives[np.bitwise_count(views[representatives, orientation]) >= MIN_BITS_SET]
        for found in iter_cross_pairs(pictures.signatures[upright], views[turned, orientation], bits, runner):
            row, other = upright[found[:, 0]], turned[found[:, 1]]
            orientation_seen = np.where(row < other, orientation, INVERSE_ORIENTATION[orientation])
            pairs = np.stack([np.minimum(row, other), np.maximum(row, other), orientation_seen], axis=1)[row != other]
            yield pairs[same_ground(pictures.boxes, pairs)]


def _with_orientation_0(pairs: Indices) -> Indices:
    return np.pad(pairs, ((0, 0), (0, 1)))


def merge_pieces(found: Iterator[Indices], order: Callable[[Indices], Indices]) -> Iterator[Indices]:
    """The same pairs in few large pieces, each put in an order and without what stands twice side by side in it."""
    waiting: list[Indices] = []
    count = 0
    for piece in found:
        waiting.append(piece)
        count += len(piece)
        if count >= _PAIRS_PER_PIECE:
            yield _sort_unique(waiting, order)
            waiting, count = [], 0
    if count:
        yield _sort_unique(waiting, order)


def confirm_in_batches(pairs: Indices, confirm: Confirm) -> Indices:
    """The pairs that `confirm` says yes to."""
    answers = [confirm(pairs[start : start + _BATCH]) for start in range(0, len(pairs), _BATCH)]
    confirmed: Indices = pairs[np.concatenate([np.empty(0, dtype=np.bool_), *answers])]
    return confirmed


def _sort_unique(pieces: list[Indices], order: Callable[[Indices], Indices]) -> Indices:
    pairs: Indices = np.concatenate(pieces)
    pairs = pairs[order(pairs)]
    new: Flags = (np.diff(pairs, axis=0, prepend=-1) != 0).any(axis=1)
    return pairs[new]


def _by_row(pairs: Indices) -> Indices:
    """The order in which pictures lie in their files."""
    return np.lexsort((pairs[:, 2], pairs[:, 1], pairs[:, 0]))
