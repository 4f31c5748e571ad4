"""Confirmed pairs connect what all pairs would connect; crowds stay cheap; ground keeps strangers apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rsflow.curation.connected_components import Indices, component_labels
from rsflow.curation.duplicates.pairs.candidates import (
    CROWD_SIZE,
    LEADER_ROUNDS,
    Confirm,
    Pictures,
    near_duplicate_pairs,
    same_ground,
)
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation


def world(count: int, seed: int, kinds: int = 40) -> tuple[Pictures, npt.NDArray[np.int64]]:
    """Pictures of a few kinds: signatures a few bits around each kind's, some without ground, some on shared ground."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, kinds, count)
    base = random.integers(0, 2**64, kinds, dtype=np.uint64)
    base[: kinds // 4] = 0
    flips = np.array(
        [sum(1 << int(bit) for bit in random.choice(64, int(n), replace=False)) for n in random.integers(0, 5, count)]
    )
    boxes = np.full((count, 4), np.nan)
    grounded = random.random(count) < 0.5
    corner = random.integers(0, 6, (count, 2)) * 0.4
    boxes[grounded] = np.hstack([corner, corner + 1.0])[grounded]
    return Pictures(base[kind] ^ flips.astype(np.uint64), boxes), kind


def confirmer(kind: npt.NDArray[np.int64], asked: list[int]) -> Confirm:
    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        assert len(pairs) <= 8192
        assert (pairs[:, 0] < pairs[:, 1]).all()
        asked.append(len(pairs))
        return kind[pairs[:, 0]] == kind[pairs[:, 1]]

    return confirm


def all_pairs_components(pictures: Pictures, kind: npt.NDArray[np.int64], bits: int) -> Indices:
    i, j = np.triu_indices(len(kind), 1)
    pairs = np.stack([i, j], axis=1)
    near = np.bitwise_count(pictures.signatures[i] ^ pictures.signatures[j]) <= bits
    return component_labels(len(kind), pairs[near & (kind[i] == kind[j]) & same_ground(pictures.boxes, pairs)])


@pytest.mark.parametrize("bits", [0, 3, 6, 9])
def test_components_are_those_of_all_pairs(bits: int) -> None:
    pictures, kind = world(220, bits, kinds=60)
    edges = near_duplicate_pairs(pictures, bits, confirmer(kind, []))
    expected = all_pairs_components(pictures, kind, bits)
    np.testing.assert_array_equal(component_labels(len(kind), edges), expected)
    assert len(np.unique(expected)) < len(kind) - 3


def test_pending_and_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, kind = world(220, 3, kinds=60)
    whole = component_labels(len(kind), near_duplicate_pairs(pictures, 6, confirmer(kind, [])))
    monkeypatch.setattr("rsflow.curation.duplicates.pairs.candidates._BATCH", 2)
    monkeypatch.setattr("rsflow.curation.duplicates.pairs.candidates._PAIRS_PER_PIECE", 5)
    np.testing.assert_array_equal(component_labels(len(kind), near_duplicate_pairs(pictures, 6, confirmer(kind, []))), whole)


def test_a_crowd_of_few_kinds_is_sorted_out_with_few_questions() -> None:
    count = 50_000
    kind = np.random.default_rng(0).integers(0, LEADER_ROUNDS, count)
    signatures = np.uint64(1) << np.random.default_rng(1).integers(0, 64, count).astype(np.uint64)  # one bit: all of a crowd
    asked: list[int] = []
    edges = near_duplicate_pairs(Pictures(signatures, np.full((count, 4), np.nan)), 6, confirmer(kind, asked))
    label = component_labels(count, edges)
    assert len(np.unique(label)) == LEADER_ROUNDS
    assert len(np.unique(label * LEADER_ROUNDS + kind)) == LEADER_ROUNDS
    assert sum(asked) <= LEADER_ROUNDS * count


def test_near_empty_signatures_are_one_crowd() -> None:
    random = np.random.default_rng(0)
    signatures = np.unique(np.bitwise_or.reduce(np.uint64(1) << random.integers(0, 64, (3, 3000), dtype=np.uint64)))
    unlike = np.arange(len(signatures))
    asked: list[int] = []
    near_duplicate_pairs(Pictures(signatures, np.full((len(unlike), 4), np.nan)), 6, confirmer(unlike, asked))
    assert sum(asked) <= (LEADER_ROUNDS + 1) * len(unlike)  # all pairs would be a hundred times as many


def test_a_crowd_of_strangers_stays_within_its_bound() -> None:
    count = 20_000
    asked: list[int] = []
    unlike = np.arange(count)
    assert (
        len(
            near_duplicate_pairs(Pictures(np.zeros(count, np.uint64), np.full((count, 4), np.nan)), 6, confirmer(unlike, asked))
        )
        == 0
    )
    assert sum(asked) <= (LEADER_ROUNDS + 1) * count


def test_a_sea_of_different_ground_asks_nothing_and_two_dates_of_it_are_found() -> None:
    side = 60
    west, south = (grid.ravel() * 0.05 for grid in np.meshgrid(np.arange(side), np.arange(side)))
    once = np.stack([west, south, west + 0.05, south + 0.05], axis=1)
    asked: list[int] = []
    same = np.zeros(2 * side**2, dtype=np.int64)
    assert len(near_duplicate_pairs(Pictures(np.zeros(side**2, np.uint64), once), 6, confirmer(same, asked))) == 0
    assert not sum(asked)
    twice = np.vstack([once, once])
    label = component_labels(
        2 * side**2, near_duplicate_pairs(Pictures(np.zeros(2 * side**2, np.uint64), twice), 6, confirmer(same, asked))
    )
    np.testing.assert_array_equal(label, np.tile(np.arange(side**2), 2))


def test_crowd_meets_other_signatures_through_its_leaders() -> None:
    signatures = np.array([0xFFFF] * (CROWD_SIZE + 1) + [0xFFFE], dtype=np.uint64)
    edges = near_duplicate_pairs(
        Pictures(signatures, np.full((CROWD_SIZE + 2, 4), np.nan)), 6, confirmer(np.zeros(CROWD_SIZE + 2, np.int64), [])
    )
    assert len(np.unique(component_labels(CROWD_SIZE + 2, edges))) == 1


def turned_world(count: int, seed: int) -> tuple[Pictures, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pictures that are one of a few in some orientation, with their eight views a few bits from the true ones."""
    random = np.random.default_rng(seed)
    true = random.integers(0, 2**64, (count // 4, ORIENTATIONS), dtype=np.uint64)
    kind, way = random.integers(0, len(true), count), random.integers(0, ORIENTATIONS, count)
    # What `apply_orientation` does to its own results, learned from one picture.
    corner = np.arange(6, dtype=np.uint8).reshape(2, 3)
    looks = [apply_orientation(corner, k).tolist() for k in range(ORIENTATIONS)]
    after = [
        [looks.index(apply_orientation(apply_orientation(corner, a), b).tolist()) for b in range(ORIENTATIONS)]
        for a in range(ORIENTATIONS)
    ]
    views = true[kind[:, None], np.array(after)[way]]
    flips = np.uint64(1) << random.integers(0, 64, views.shape, dtype=np.uint64)
    views ^= np.where(random.random(views.shape) < 0.5, flips, np.uint64(0))
    return Pictures(views[:, 0].copy(), np.full((count, 4), np.nan), views), kind, way


def test_turned_pictures_are_found_and_asked_about_in_their_orientation() -> None:
    pictures, kind, way = turned_world(300, 5)
    corner = np.arange(6, dtype=np.uint8).reshape(2, 3)

    def confirm(pairs: Indices) -> npt.NDArray[np.bool_]:
        assert (pairs[:, 0] < pairs[:, 1]).all()
        shown = [
            kind[i] == kind[j]
            and np.array_equal(
                apply_orientation(corner, int(way[i])), apply_orientation(apply_orientation(corner, int(way[j])), int(turn))
            )
            for i, j, turn in pairs.tolist()
        ]
        return np.array(shown, dtype=np.bool_)

    edges = near_duplicate_pairs(pictures, 2, confirm)
    label = component_labels(len(kind), edges)
    assert len(np.unique(label)) == len(np.unique(kind)) == len(np.unique(label * 1000 + kind))
    upright = component_labels(len(kind), edges[edges[:, 2] == 0])
    assert len(np.unique(upright)) == len(np.unique(kind * 8 + way)) == len(np.unique((upright * 1000 + kind) * 8 + way))
    plain = near_duplicate_pairs(Pictures(pictures.signatures, pictures.boxes), 2, confirm)
    np.testing.assert_array_equal(component_labels(len(kind), plain), upright)


def test_empty_views_and_symmetric_pictures_find_nothing_new() -> None:
    same = np.full((40, ORIENTATIONS), 3, dtype=np.uint64)
    same[:, 0] = np.random.default_rng(0).integers(0, 2**64, 40, dtype=np.uint64)
    asked: list[int] = []
    near_duplicate_pairs(Pictures(same[:, 0].copy(), np.full((40, 4), np.nan), same), 4, confirmer(np.arange(40), asked))
    alone = np.random.default_rng(1).integers(0, 2**64, (40, 1), dtype=np.uint64).repeat(ORIENTATIONS, axis=1)
    near_duplicate_pairs(Pictures(alone[:, 0].copy(), np.full((40, 4), np.nan), alone), 4, confirmer(np.arange(40), asked))
    assert not sum(asked)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ((0.0, 0.0, 1.0, 1.0), True),
        ((0.2, 0.0, 1.2, 1.0), True),  # 0.8 of 1.2
        ((0.5, 0.0, 1.5, 1.0), False),  # 0.5 of 1.5
        ((1.0, 0.0, 2.0, 1.0), False),  # neighbours
        ((360.0, 0.0, 361.0, 1.0), True),  # a turn later
        ((-359.8, 0.0, -358.8, 1.0), True),
        ((0.25, 0.25, 0.75, 0.75), False),  # a part of it, four times as fine
        ((np.nan, np.nan, np.nan, np.nan), True),
    ],
)
def test_same_ground(other: tuple[float, ...], same: bool) -> None:
    boxes = np.array([(0.0, 0.0, 1.0, 1.0), other])
    assert same_ground(boxes, np.array([[0, 1], [1, 0]])).tolist() == [same, same]
