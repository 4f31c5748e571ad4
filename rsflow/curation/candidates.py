"""Near duplicates among pictures: which pairs are worth looking at, and how few looks decide.

One idea: signatures find the pairs, ground rules most of them out, and only what is left is asked of `confirm`, which must
read pictures. Two pictures of known ground can be the same only where that ground is the same: their footprints' bounding
boxes share at least half of what they cover together. So two tiles of one calm sea are never joined, however alike.

The trap is the crowd: thousands of empty pictures (sea, snow, black) with one signature are millions of pairs. All signatures
with at most bits // 2 bits set are within `bits` of each other and count as one. Where more than `CROWD` pictures share a
signature, leaders are asked instead of all pairs: the best picture against all others, then the best of those that were not
joined, and so on for `ROUNDS` rounds. Pictures of known ground have leaders of their own per patch of ground. So a crowd of n
costs at most 2 ROUNDS n questions. What this may miss, in crowds only: pictures that no leader resembles, pictures of known
ground on the two sides of a patch's border, and, of a crowd's pictures, all but its leaders against other signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from rsflow.curation.groups import components
from rsflow.curation.hamming import Indices, Signatures, each_near_pairs, expand

CROWD = 64
ROUNDS = 16

_BATCH = 1 << 13  # pairs in one question: 100 MB of thumbnails at most on either side
_PENDING = 1 << 20  # pairs gathered before any is asked: sorted, so that pictures are read in order

Confirm = Callable[[Indices], npt.NDArray[np.bool_]]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of one sensor, the best first. `boxes` (n, 4): west, south, east, north in degrees, NaN where unknown."""

    signatures: Signatures
    boxes: npt.NDArray[np.float64]

    @property
    def grounded(self) -> Flags:
        return ~np.isnan(self.boxes[:, 0])


def near_edges(pictures: Pictures, bits: int, confirm: Confirm) -> Indices:
    """Confirmed pairs (n, 2), enough of them that their connected components are the near duplicates."""
    unit = np.where(np.bitwise_count(pictures.signatures) <= bits // 2, np.uint64(0), pictures.signatures)
    _, unit, counts = np.unique(unit, return_inverse=True, return_counts=True)
    crowded = counts[unit] > CROWD
    members = np.flatnonzero(crowded)
    edges, leaders = _stars(pictures, members, unit[members], ~pictures.grounded[members], confirm)
    grounded = members[pictures.grounded[members]]
    patches = _patches(unit[grounded], pictures.boxes[grounded])
    local, _ = _stars(pictures, grounded, patches, np.ones(len(grounded), dtype=np.bool_), confirm)
    edges = np.concatenate([edges, local])
    voices = np.sort(np.concatenate([np.flatnonzero(~crowded), leaders]))
    for pairs in _gather(_voice_pairs(pictures, voices, bits)):
        label = components(len(unit), edges)
        news = pairs[label[pairs[:, 0]] != label[pairs[:, 1]]]
        edges = np.concatenate([edges, _ask(news, confirm)])
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


def _stars(pictures: Pictures, members: Indices, keys: Indices, may_lead: Flags, confirm: Confirm) -> tuple[Indices, Indices]:
    """Per key, in rounds: the first member that may lead, against all that no leader has joined: (edges, leaders)."""
    edges, leaders = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for _ in range(ROUNDS):
        key, first = np.unique(keys[may_lead], return_index=True)
        lead = np.flatnonzero(may_lead)[first]
        if not len(lead):
            break
        leaders.append(members[lead])
        led = np.isin(keys, key)
        led[lead] = False
        leader = members[lead][np.searchsorted(key, keys[led])]
        pairs = np.sort(np.stack([leader, members[led]], axis=1), axis=1)
        edges.append(_ask(pairs[same_ground(pictures.boxes, pairs)], confirm))
        left = ~np.isin(members, np.concatenate([edges[-1].ravel(), members[lead]]))
        members, keys, may_lead = members[left], keys[left], may_lead[left]
    return np.concatenate(edges), np.sort(np.concatenate(leaders))


def _patches(unit: Indices, boxes: npt.NDArray[np.float64]) -> Indices:
    """A number per unit and patch of ground: the lattice cell, about as wide as the picture, that holds its middle."""
    size = np.exp2(np.round(np.log2(np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9))))
    row = np.floor((boxes[:, 1] + boxes[:, 3]) / 2 / size)
    col = np.floor(((boxes[:, 0] + boxes[:, 2]) / 2 + 180.0) % 360.0 / size)
    _, patch = np.unique(np.stack([unit, size, row, col], axis=1), axis=0, return_inverse=True)
    return patch.reshape(-1).astype(np.int64)


def _voice_pairs(pictures: Pictures, voices: Indices, bits: int) -> Iterator[Indices]:
    """Pairs of voices within `bits` and on the same ground, i < j."""
    order = voices[np.argsort(pictures.signatures[voices], kind="stable")]
    values, start, counts = np.unique(pictures.signatures[order], return_index=True, return_counts=True)
    own = np.flatnonzero(counts > 1)
    for units in chain([np.stack([own, own], axis=1)], each_near_pairs(values, bits)):
        a, b = units[:, 0], units[:, 1]
        for row, left in expand(np.arange(len(units)), start[a], start[a] + counts[a]):
            for x, y in expand(left, start[b[row]], start[b[row]] + counts[b[row]]):
                pairs = np.sort(np.stack([order[x], order[y]], axis=1)[x < y], axis=1)
                yield pairs[same_ground(pictures.boxes, pairs)]


def _gather(pieces: Iterator[Indices]) -> Iterator[Indices]:
    """The same pairs in few large pieces, each sorted."""
    waiting: list[Indices] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count >= _PENDING:
            yield _sorted(waiting)
            waiting, count = [], 0
    if count:
        yield _sorted(waiting)


def _sorted(pieces: list[Indices]) -> Indices:
    pairs: Indices = np.concatenate(pieces)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _ask(pairs: Indices, confirm: Confirm) -> Indices:
    """The pairs that `confirm` says yes to."""
    answers = [confirm(pairs[start : start + _BATCH]) for start in range(0, len(pairs), _BATCH)]
    said_yes: Indices = pairs[np.concatenate([np.empty(0, dtype=np.bool_), *answers])]
    return said_yes
