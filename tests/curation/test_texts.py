"""Texts as sets of word triples: Jaccard beside a slow plain one, sketches that never lose a pair, and groups."""

from __future__ import annotations

import random
import re
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.connected_components import Indices, component_labels
from rsflow.curation.duplicates.texts import text_similarity as texts
from rsflow.curation.duplicates.texts.text_similarity import (
    Sketch,
    build_shingle_sets,
    normalise_text,
    shingles,
    similar_pairs_in_groups,
    sketch_texts,
)

TEXT = st.text(alphabet="ab c.D-2é\n", max_size=24)


def plain_folded(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@cache
def plain_set(text: str) -> frozenset[tuple[str, ...]]:
    words = plain_folded(text).split()
    return frozenset(tuple(words[k : k + 3]) for k in range(max(1, len(words) - 2)))


def plain_jaccard(a: str, b: str) -> float:
    return len(plain_set(a) & plain_set(b)) / len(plain_set(a) | plain_set(b))


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of which one in five is another with one word changed, or shuffled into capitals."""
    chance = random.Random(seed)
    vocabulary = [f"word{k}" for k in range(60)]
    made: list[str] = []
    for _ in range(count):
        words = chance.choices(vocabulary, k=chance.randint(1, 60))
        if made and chance.random() < 0.2:
            words = chance.choice(made).split()
            place = chance.randrange(len(words))
            words[place] = "changed" if chance.random() < 0.7 else words[place].upper()
        made.append(" ".join(words))
    return made


@given(st.lists(TEXT, max_size=8))
@settings(max_examples=60, deadline=None)
def test_folding_and_sets_are_the_plain_ones(some: list[str]) -> None:
    words = normalise_text(pa.array(some, pa.string()))
    assert words.to_pylist() == [plain_folded(text) for text in some]
    pairs = np.array([(i, j) for i in range(len(some)) for j in range(len(some))], dtype=np.int64).reshape(-1, 2)
    found = build_shingle_sets(*shingles(words)).jaccard(pairs)
    np.testing.assert_allclose(found, [plain_jaccard(some[i], some[j]) for i, j in pairs])


def test_what_folding_keeps_apart() -> None:
    a, b, c, d = normalise_text(pa.array(["Two  ships.", "two SHIPS", "two ship s", "３ ships"])).to_pylist()
    assert a == b != c
    assert d == "3 ships"


@pytest.mark.parametrize("many", [10, 512])
@pytest.mark.parametrize("least", [0.4, 0.75, 0.9, 1.0])
def test_alike_in_groups_is_brute_force(least: float, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_PAIRS", 7)
    monkeypatch.setattr(texts, "LARGE_GROUP", many)
    said = sentences(240, 1)
    groups = np.random.default_rng(0).integers(0, 3, len(said))
    words = normalise_text(pa.array(said))
    asked: list[int] = []

    def read_texts(rows: Indices) -> pa.Array:
        assert (np.diff(rows) > 0).all()
        asked.append(len(rows))
        return words.take(pa.array(rows))

    pairs = similar_pairs_in_groups(groups, sketch_texts(words), least, read_texts)
    expected = [
        (i, j)
        for i in range(len(said))
        for j in range(i)
        if groups[i] == groups[j]
        and (plain_jaccard(said[i], said[j]) >= least if least < 1 else plain_folded(said[i]) == plain_folded(said[j]))
    ]
    found = component_labels(len(said), pairs)
    np.testing.assert_array_equal(found, component_labels(len(said), np.array(expected).reshape(-1, 2)))
    assert len(np.unique(found)) < len(said) - 5
    all_pairs = sum(int(n) * (int(n) - 1) // 2 for n in np.bincount(groups))
    once = len(said) if many < 512 else 0  # groups of many are read whole
    assert sum(asked) < (0 if least == 1 else all_pairs // 2 + once) + 1  # sketches rule most of them out


def compared_texts(count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pairs that are looked at among so many different texts of one picture, of a few forms of words with numbers in them."""
    random, compared = np.random.default_rng(3), 0
    kinds = ["ships", "cars", "small planes", "storage tanks"]
    said = [
        f"there are {number} {kinds[number % 4]} of which {int(random.integers(count))} lie in the upper left of the picture"
        for number in range(count)
    ]
    look = texts.may_be_similar

    def counted(sketches: Sketch, pairs: Indices, least: float) -> texts.Flags:
        nonlocal compared
        compared += len(pairs)
        return look(sketches, pairs, least)

    monkeypatch.setattr(texts, "may_be_similar", counted)
    words = normalise_text(pa.array(said))
    similar_pairs_in_groups(np.zeros(count, dtype=np.int64), sketch_texts(words), 0.9, lambda rows: words.take(pa.array(rows)))
    monkeypatch.undo()
    return compared


def test_comparisons_of_the_texts_of_one_picture_grow_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (60, 600, 6000):
        assert compared_texts(count, monkeypatch) <= 40 * count


def test_what_points_at_boxes_is_only_like_its_equal() -> None:
    words = normalise_text(pa.array(["a b c d e f g h i j k l m"] * 3))
    plain = sketch_texts(words)
    marked = Sketch(plain.text_hash ^ np.array([1, 1, 2], dtype=np.uint64), plain.bits, np.zeros(3, dtype=np.int32))
    pairs = similar_pairs_in_groups(np.zeros(3, dtype=np.int64), marked, 0.5, lambda rows: words.take(pa.array(rows)))
    assert sorted(map(sorted, pairs.tolist())) == [[0, 1]]
