"""What a dialect is: how one family of models writes boxes in text.

One idea: two pure functions. `spell` turns a text with marks (rsflow.turns) and float pixel boxes into the family's own
spelling, `parse` turns such a spelling back. A dialect knows the picture's size and nothing else: it never sees labels,
and it changes nothing in a text but its marks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rsflow.geometry import Box, area
from rsflow.turns import Mark, mark, replace_marks

# Decimals on both sides of the comma, so that a parser takes what a model may answer, not only what `spell` writes.
NUMBER = r"-?\d+(?:\.\d+)?"


class Dialect(Protocol):
    """`boxes` are (x0, y0, x1, y1) float pixels of a picture of `height_px` rows and `width_px` columns."""

    def spell(self, text: str, boxes: Sequence[Box], height_px: int, width_px: int) -> str:
        """The text with each mark in the family's spelling. An index beyond `boxes` is an IndexError: a bug of the maker."""
        ...

    def parse(self, text: str, height_px: int, width_px: int) -> tuple[str, list[Box]]:
        """The text with a mark for each box spelling, and its boxes in order of appearance, in pixels.

        Marks of `parse(spell(text, boxes))` hold the same boxes up to the dialect's rounding; the phrase comes back into
        the mark where the spelling delimits it, and stays in front of the mark where it does not.
        """
        ...


@dataclass
class Boxes:
    """Collects the boxes that a parser meets, and writes the mark of each group."""

    found: list[Box]

    def mark(self, phrase: str, group: Sequence[Box]) -> str:
        start = len(self.found)
        self.found.extend(group)
        return mark(phrase, *range(start, len(self.found)))


def spell_marks(text: str, boxes: Sequence[Box], write: Callable[[str, list[Box]], str]) -> str:
    """The text with each mark replaced by `write(phrase, its boxes)`."""

    def spell(found: Mark) -> str:
        return write(found.phrase, [boxes[index] for index in found.boxes])

    return replace_marks(text, spell)


def collapsed(dialect: Dialect, boxes: Sequence[Box], height_px: int, width_px: int) -> tuple[int, ...]:
    """Positions of the boxes that have an area in pixels and lose it to the dialect's rounding."""
    lost = []
    for position, box in enumerate(boxes):
        _, back = dialect.parse(dialect.spell(mark("", 0), [box], height_px, width_px), height_px, width_px)
        if area(box) > 0 and area(back[0]) <= 0:
            lost.append(position)
    return tuple(lost)
