"""Wrong options are wrong for sure and near; the right one stands anywhere."""

from __future__ import annotations

from collections import Counter

import pytest

from rsflow.instructions.wording.options import LETTERS, arrange_options, similar_first, wrong_numbers, wrong_places
from rsflow.instructions.wording.positions import PLACES


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 37, 500])
def test_wrong_numbers_differ_and_of_many_by_a_fifth(count: int) -> None:
    numbers = [int(number) for number in wrong_numbers(count)]
    assert len(set(numbers)) == len(numbers) >= 3
    assert min(numbers) >= 0
    assert min(abs(number - count) for number in numbers) >= (1 if count < 10 else round(count / 5))


def test_wrong_places_do_not_touch_the_right_one() -> None:
    cells = {name: (row, col) for row, names in enumerate(PLACES) for col, name in enumerate(names)}
    for place, (row, col) in cells.items():
        wrong = [cells[name] for name in wrong_places(place)]
        assert len(wrong) >= 3
        assert (row, col) not in wrong
        if place != "centre":
            assert all(max(abs(r - row), abs(c - col)) > 1 for r, c in wrong)


def test_what_shares_a_word_comes_first() -> None:
    assert similar_first("cargo ship", ["plane", "ship", "train"], 0, "a")[0] == "ship"
    assert sorted(similar_first("x", ["b", "a"], 1)) == ["a", "b"]


def test_the_right_option_stands_under_every_letter_about_equally_often() -> None:
    wrong = ["b", "c", "d", "e"]
    found = Counter(arrange_options("a", wrong, 0, str(i)).index("a") for i in range(400))
    assert sorted(found) == list(range(len(LETTERS)))
    assert min(found.values()) > 60
    assert set(arrange_options("a", wrong, 0, "k")) == {"a", "b", "c", "d"}
