"""Every pair within the radius, each once: against brute force, for every layout of parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.duplicates.pairs import hamming
from rsflow.curation.duplicates.pairs.hamming import (
    Indices,
    Signatures,
    expand_ranges,
    iter_cross_pairs,
    iter_near_pairs,
    near_pairs,
)


def brute_force(signatures: Signatures, bits: int) -> Indices:
    differ = np.bitwise_count(signatures[:, None] ^ signatures[None, :])
    return np.stack(np.nonzero(np.triu(differ <= bits, 1)), axis=1)


def family(count: int, seed: int) -> Signatures:
    """Signatures at distances all around the usual radii, equal ones and near-empty ones among them."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 2**64, count, dtype=np.uint64)
    for k in range(1, count):
        flips = random.choice(64, int(random.integers(0, 20)), replace=False)
        parent = np.uint64(0) if k % 5 == 0 else values[int(random.integers(0, k))]
        values[k] = parent ^ np.uint64(sum(1 << int(bit) for bit in flips))
    return values


@pytest.mark.parametrize("bits", [0, 1, 2, 3, 5, 6, 7, 8, 11, 12, 16, 64])
def test_pairs_are_those_of_brute_force(bits: int) -> None:
    values = family(300 if bits <= 16 else 20, bits)
    expected = brute_force(values, bits)
    assert len(expected) > 20
    np.testing.assert_array_equal(near_pairs(values, bits), expected)


@pytest.mark.parametrize("parts", range(3, 9))
@pytest.mark.parametrize("bits", [1, 6, 7, 10])
def test_every_number_of_parts_gives_the_same(parts: int, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "_cost", lambda _count, _others, _bits, asked: float(asked != parts))
    values = family(200, parts)
    np.testing.assert_array_equal(near_pairs(values, bits), brute_force(values, bits))
    left, right = values[:120], values[80:]
    expected = np.argwhere(np.bitwise_count(left[:, None] ^ right[None, :]) <= bits)
    pieces = list(iter_cross_pairs(left, right, bits))
    found = np.concatenate([np.empty((0, 2), dtype=np.int64), *pieces])
    np.testing.assert_array_equal(found[np.lexsort((found[:, 1], found[:, 0]))], expected)


def test_blocks_of_the_second_set_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = family(100, 1), family(150, 1)
    whole = np.concatenate(list(iter_cross_pairs(left, right, 6)))
    monkeypatch.setattr(hamming, "_BLOCK", 7)
    parts = np.concatenate(list(iter_cross_pairs(left, right, 6)))
    assert sorted(map(tuple, parts.tolist())) == sorted(map(tuple, whole.tolist()))
    assert len(whole) > 10


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=12), st.integers(0, 9))
def test_any_list(values: list[int], bits: int) -> None:
    signatures = np.array(values, dtype=np.uint64)
    np.testing.assert_array_equal(near_pairs(signatures, bits), brute_force(signatures, bits))


def test_small_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = family(150, 9)
    whole = near_pairs(values, 7)
    monkeypatch.setattr(hamming, "_CHUNK", 3)
    np.testing.assert_array_equal(near_pairs(values, 7), whole)
    assert max(map(len, iter_near_pairs(values, 7))) < 150


def test_expand_is_the_loop() -> None:
    left, start, stop = np.array([7, 8, 9]), np.array([2, 5, 0]), np.array([4, 5, 3])
    got = [pair for a, b in expand_ranges(left, start, stop) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert got == [(7, 2), (7, 3), (9, 0), (9, 1), (9, 2)]


def test_a_radius_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 64"):
        near_pairs(np.zeros(2, dtype=np.uint64), 65)
