"""Pairs of vectors within a cosine: beside brute force, planted ones found, whatever the lengths."""

from __future__ import annotations

import numpy as np
import pytest

from rsflow.curation.connected_components import component_labels
from rsflow.curation.duplicates.pictures import embeddings
from rsflow.curation.duplicates.pictures.embeddings import TileEmbeddings, Vectors, similar_pairs


def world(count: int, seed: int, width: int = 48) -> Vectors:
    """Vectors of mixed lengths around a few directions, one in five a copy of another with some noise."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, width)) + 1.5 * random.normal(size=(12, width))[random.integers(0, 12, count)]
    copies = random.random(count) < 0.2
    near = vectors[random.integers(0, count, count)] + random.normal(scale=0.25, size=(count, width))
    mixed = np.where(copies[:, None], near, vectors) * random.uniform(0.1, 9, (count, 1))
    return np.asarray(mixed, dtype=np.float32)


def brute_force(vectors: Vectors, cosine: float) -> set[tuple[int, int]]:
    long = vectors.astype(np.float64)
    unit = long / np.linalg.norm(long, axis=1, keepdims=True)
    return set(zip(*map(np.ndarray.tolist, np.nonzero(np.triu(unit @ unit.T >= cosine, 1))), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_is_true_and_nearly_all_is_found(seed: int) -> None:
    vectors = world(1500, seed)
    expected = component_labels(1500, np.array(sorted(brute_force(vectors, 0.95))))
    found = component_labels(1500, similar_pairs(vectors, 0.95))
    assert len(np.unique(expected)) < 1400
    merged = {tuple(pair) for pair in np.stack([expected, found], axis=1).tolist()}
    assert len(merged) == len(np.unique(found))  # nothing joined that is apart
    assert len(np.unique(found)) <= 1.005 * len(np.unique(expected))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = world(600, 7)
    whole = similar_pairs(vectors, 0.9)
    monkeypatch.setattr(embeddings, "_BLOCK", 64)
    monkeypatch.setattr(embeddings, "_PENDING", 5)
    np.testing.assert_array_equal(similar_pairs(vectors, 0.9), whole)


def test_a_crowd_is_one_and_zeros_are_alone() -> None:
    vectors = np.ones((500, 8), dtype=np.float32)
    vectors[::50] = 0.0
    pairs = similar_pairs(vectors, 0.95)
    assert len(pairs) == 489
    assert set(pairs[:, 0].tolist()) == {1}
    assert similar_pairs(vectors[:1], 0.5).shape == (0, 2)


def test_vectors_follow_their_rows() -> None:
    embedded = TileEmbeddings(np.array([1, 4, 6]), np.eye(3, dtype=np.float32), 0.9)
    rows, vectors = embedded.among(np.array([6, 5, 1]))
    assert rows.tolist() == [6, 1]
    assert vectors.tolist() == [[0, 0, 1], [1, 0, 0]]
    part = embedded.of(np.array([0, 4, 5, 6]))
    assert part.rows.tolist() == [1, 3]
    assert part.vectors.tolist() == [[0, 1, 0], [0, 0, 1]]
