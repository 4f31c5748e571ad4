"""Near duplicates between splits, pair by pair.

Duplicates in large groups of similar pictures are found through leaders (`rsflow.curation.duplicates.pairs.candidates`), which
may miss some. After split assignment every candidate pair of two splits is compared, and the tile of the weaker split is
dropped where the pixels confirm it. So no two selected tiles of two splits are near duplicates, and a build can verify that
from the selected tiles alone.

Candidates are as for duplicates: one sensor, signatures within `bits` (with flips, in any of eight orientations), and ground
that is the same or not known. Tiles of two splits that both have known ground do not touch, so at least one of a pair has none;
a fully georeferenced archive needs no comparison.

Pictures without content (at most bits // 2 bits set) are all within `bits` of each other. Of these only pairs whose faint
signatures agree (`Pictures.faint`) are compared, so that comparisons grow with the number of pictures, not with its square. The
total is limited to `COMPARISONS_PER_PICTURE` per picture, or `MIN_COMPARISONS` if that is more. Beyond it, pictures of the
stronger splits with most candidates are dropped, because they cannot be verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.candidates import (
    LEADER_ROUNDS,
    MIN_BITS_SET,
    Confirm,
    Flags,
    Pictures,
    confirm_in_batches,
    merge_pieces,
)
from rsflow.curation.duplicates.pairs.hamming import Signatures, expand_ranges, iter_cross_pairs
from rsflow.curation.duplicates.pictures.orientations import INVERSE_ORIENTATION, ORIENTATIONS
from rsflow.curation.hashing import Hashes
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner

COMPARISONS_PER_PICTURE = LEADER_ROUNDS // 2  # fewer than finding the duplicates of a crowd may take
MIN_COMPARISONS = 1 << 22  # questions: a minute or two
FAINT_BITS = 18  # of 64: thumbnails that correlate by 0.9 differ in 9 +- 3 of them, others in 32 +- 4

_FAINT_BLOCK = 1 << 20  # hashes compared at a time
_PICTURES_AT_ONCE = (
    32  # pictures of one side that are compared with those of the other before the next: each read serves so many
)


def weaker_split_duplicates(
    pictures: Pictures, ranks: Indices, priority: Hashes, bits: int, confirm: Confirm, runner: TaskRunner = LOCAL_RUNNER
) -> tuple[Flags, Flags]:
    """(duplicates, uncomparable): tiles to drop, because a kept one of a higher rank shows the same, or to limit comparisons.

    `ranks`: 0 is the weakest split. Of pictures with as many to compare with, those of the smallest `priority` stay.
    """
    duplicates, uncomparable = np.zeros((2, len(ranks)), dtype=np.bool_)
    for rank in reversed(range(ranks.max(initial=0))):
        weak, strong = (
            np.flatnonzero((ranks == rank) & ~uncomparable),
            np.flatnonzero((ranks > rank) & ~(duplicates | uncomparable)),
        )
        numbers = _count_comparisons(pictures, strong, weak, bits, runner)
        most = max(MIN_COMPARISONS, COMPARISONS_PER_PICTURE * (len(strong) + len(weak)))
        order = np.lexsort((priority[strong], numbers))
        compared = order[np.cumsum(numbers[order]) <= most]
        uncomparable[np.delete(strong, compared)] = True
        some = strong[compared[numbers[compared] > 0]]
        duplicates[confirmed_cross_pairs(pictures, some, weak, bits, confirm, runner)[:, 1]] = True
    return duplicates, uncomparable


def confirmed_cross_pairs(
    pictures: Pictures, strong: Indices, weak: Indices, bits: int, confirm: Confirm, runner: TaskRunner = LOCAL_RUNNER
) -> Indices:
    """(row of `strong`, row of `weak`, orientation) that show one picture: at least one for each of `weak` that has any."""
    found = [np.empty((0, 3), dtype=np.int64)]
    matched = np.zeros(len(pictures.signatures), dtype=np.bool_)
    for pairs in merge_pieces(_candidates(pictures, strong, weak, bits, runner), _reading_order):
        found.append(confirm_in_batches(pairs[~matched[pairs[:, 1]]], confirm))
        matched[found[-1][:, 1]] = True
    return np.concatenate(found)


def _count_comparisons(pictures: Pictures, strong: Indices, weak: Indices, bits: int, runner: TaskRunner) -> Indices:
    """Number of candidate pairs of each of `strong`, counted by runs of equal signatures without making the pairs."""
    counts = np.zeros(len(pictures.signatures), dtype=np.int64)
    for ours, theirs, _ in _comparable_runs(pictures, strong, weak, bits):
        change = np.zeros(len(ours.rows) + 1, dtype=np.int64)
        for runs in _near_runs(ours, theirs, bits, runner):
            others = runs[:, 3] - runs[:, 2]
            np.add.at(change, runs[:, 0], others)
            np.subtract.at(change, runs[:, 1], others)
        counts[ours.rows] += np.cumsum(change[:-1])
        for pairs in _faint_pairs(pictures, ours, theirs):
            counts += np.bincount(pairs[:, 0], minlength=len(counts))
    return counts[strong]


def _candidates(pictures: Pictures, strong: Indices, weak: Indices, bits: int, runner: TaskRunner) -> Iterator[Indices]:
    """(row of `strong`, row of `weak`, orientation) to compare; a turned pair may come twice."""
    for ours, theirs, orientation in _comparable_runs(pictures, strong, weak, bits):
        for faint in _faint_pairs(pictures, ours, theirs):
            yield np.column_stack([faint, np.full(len(faint), orientation)])
        for runs in _near_runs(ours, theirs, bits, runner):
            for run, x in expand_ranges(np.arange(len(runs)), runs[:, 0], runs[:, 1]):
                for left, y in expand_ranges(np.arange(len(run)), runs[run, 2], runs[run, 3]):
                    yield np.stack([ours.rows[x[left]], theirs.rows[y], np.full(len(y), orientation)], axis=1)


def _reading_order(pairs: Indices) -> Indices:
    """An order that reads few pictures at a time: a block of one side with all of the other, then the next block."""
    _, number = np.unique(pairs[:, 0], return_inverse=True)
    return np.lexsort((pairs[:, 2], pairs[:, 0], pairs[:, 1], number.reshape(-1) // _PICTURES_AT_ONCE))


@dataclass(frozen=True, slots=True)
class _SignatureRuns:
    """Rows by signature: those of values[k] are rows[starts[k]:starts[k + 1]]. The first `empty` values have few bits set."""

    rows: Indices
    values: Signatures
    starts: Indices
    empty: int

    @classmethod
    def of(cls, rows: Indices, signatures: Signatures, least: int, bits: int) -> _SignatureRuns:
        """Of those rows whose signature has at least so many bits set."""
        rows = rows[np.bitwise_count(signatures[rows]) >= least]
        own = signatures[rows]
        order = np.lexsort((own, np.bitwise_count(own) > bits // 2))
        own = own[order]
        starts = np.flatnonzero(np.concatenate([[True], own[1:] != own[:-1]])[: len(own)])
        values = own[starts]
        empty = int((np.bitwise_count(values) <= bits // 2).sum())
        return cls(rows[order], values, np.append(starts, len(rows)), empty)


def _comparable_runs(
    pictures: Pictures, strong: Indices, weak: Indices, bits: int
) -> Iterator[tuple[_SignatureRuns, _SignatureRuns, int]]:
    """The runs to compare, without pairs that both have known ground, and the orientation of the second."""
    upright, grounded = pictures.signatures, pictures.grounded
    for ours, theirs in ((strong[~grounded[strong]], weak), (strong[grounded[strong]], weak[~grounded[weak]])):
        if len(ours) and len(theirs):
            yield _SignatureRuns.of(ours, upright, 0, bits), _SignatureRuns.of(theirs, upright, 0, bits), 0
            for turn in range(1, ORIENTATIONS if pictures.views is not None else 1):
                yield _oriented_runs(pictures, ours, 0, bits), _oriented_runs(pictures, theirs, turn, bits), turn
                yield (
                    _oriented_runs(pictures, ours, turn, bits),
                    _oriented_runs(pictures, theirs, 0, bits),
                    int(INVERSE_ORIENTATION[turn]),
                )


def _oriented_runs(pictures: Pictures, rows: Indices, orientation: int, bits: int) -> _SignatureRuns:
    signatures = pictures.signatures if pictures.views is None or orientation == 0 else pictures.views[:, orientation]
    return _SignatureRuns.of(rows, signatures, MIN_BITS_SET, bits)


def _faint_pairs(pictures: Pictures, ours: _SignatureRuns, theirs: _SignatureRuns) -> Iterator[Indices]:
    """(row, row) of pictures without content, all of which are within `bits` of each other, whose faint signatures agree."""
    some, others = ours.rows[: ours.starts[ours.empty]], theirs.rows[: theirs.starts[theirs.empty]]
    step = max(1, _FAINT_BLOCK // max(1, len(others)))
    for start in range(0, len(some) if len(others) else 0, step):
        block = some[start : start + step]
        if pictures.faint is None:
            yield np.stack([np.repeat(block, len(others)), np.tile(others, len(block))], axis=1)
        else:
            apart = np.bitwise_count(pictures.faint[block][:, None] ^ pictures.faint[others][None])
            a, b = np.nonzero(apart <= FAINT_BITS)
            yield np.stack([block[a], others[b]], axis=1)


def _near_runs(ours: _SignatureRuns, theirs: _SignatureRuns, bits: int, runner: TaskRunner) -> Iterator[Indices]:
    """Runs (n, 4) of rows within `bits` of each other, not both without content: start and stop on our side, then on theirs."""
    for mine, others in (
        (slice(ours.empty, None), slice(0, None)),
        (slice(0, ours.empty), slice(theirs.empty, None)),
    ):
        values, compared = theirs.values[others], ours.values[mine]
        if len(values) and len(compared):
            for pairs in iter_cross_pairs(values, compared, bits, runner):
                a, b = pairs[:, 1] + mine.start, pairs[:, 0] + others.start
                yield np.stack([ours.starts[a], ours.starts[a + 1], theirs.starts[b], theirs.starts[b + 1]], axis=1)
