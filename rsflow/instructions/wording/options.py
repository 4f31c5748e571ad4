"""The options of a multiple-choice question: which are wrong for sure and near the right one, and in which order they stand.

For questions made from facts of a tile (rsflow.instructions.multiple_choice) and from records of samples
(rsflow.exports.benchmarks.multiple_choice): who asks knows what is excluded, here is what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.instructions.wording.positions import PLACES

LETTERS = "ABCD"
MAX_WRONG = len(LETTERS) - 1
_STEPS = (1, -1, 2, -2, 3, -3)  # of wrong numbers from the right one
_FAR = 10  # from this count on, neighbours are too similar: wrong numbers are a fifth and more away


def wrong_numbers(count: int) -> list[str]:
    """Numbers near an exact count, the nearest first."""
    step = 1 if count < _FAR else round(count / 5)
    return [str(count + by * step) for by in _STEPS if count + by * step >= 0]


def wrong_places(place: str) -> list[str]:
    """Places that do not touch this one, so that no reading of a border makes them right; of the centre, the corners."""
    cells = {name: (row, col) for row, names in enumerate(PLACES) for col, name in enumerate(names)}
    row, col = cells[place]
    apart = [name for name, (r, c) in cells.items() if max(abs(r - row), abs(c - col)) > 1]
    return apart or [name for name, (r, c) in cells.items() if r != 1 and c != 1]


def similar_first(right: str, names: Iterable[str], *key: str | int) -> list[str]:
    """Names in the order of the hash, those that share a word with the right one first."""
    words = set(right.split())
    return sorted(hash_order(sorted(names), *key), key=lambda name: not words & set(name.split()))


def arrange_options(right: str, wrong: Sequence[str], *key: str | int) -> list[str]:
    """The right option among the first MAX_WRONG of the wrong ones, in the order of the hash."""
    return hash_order([right, *wrong[:MAX_WRONG]], *key, "order")
