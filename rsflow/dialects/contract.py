"""What a dialect is: how one family of models writes boxes in text.

One idea: pure functions. `spell` turns a text with marks (rsflow.text.turns) and float pixel boxes into the family's own
spelling, `parse` turns such a spelling back, `max_rounding_px` says how far its rounding moves a box. A dialect knows the
picture's size and nothing else: it never sees labels, and it changes nothing in a text but its marks.

Boxes may be oriented (eight numbers). Of the families here only GeoChat has a spelling for these; every other spelling of
them is marked as our own where it stands. Polygons are spelled by none: their boxes are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rsflow.spatial.geometry import Region, corners, ring_area, to_quad
from rsflow.text.turns import Mark, mark, replace_marks

# Decimals on both sides of the comma, so that a parser takes what a model may answer, not only what `spell` writes.
FLAT = 1e-6  # square pixels: what is less comes from floating point alone
NUMBER = r"-?\d+(?:\.\d+)?"


class Dialect(Protocol):
    """`boxes` are float pixels of a picture of `height_px` rows and `width_px` columns, four numbers each or eight."""

    def spell(self, text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
        """The text with each mark in the family's spelling. An index beyond `boxes` is an IndexError: a bug of the maker."""
        ...

    def parse(self, text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
        """The text with a mark for each box spelling, and its boxes in order of appearance, in pixels.

        Marks of `parse(spell(text, boxes))` hold the same boxes up to the dialect's rounding; the phrase comes back into
        the mark where the spelling delimits it, and stays in front of the mark where it does not.
        """
        ...

    def max_rounding_px(self, height_px: int, width_px: int) -> tuple[float, float]:
        """The most that spelling moves an x and a y of a box inside the picture, in pixels."""
        ...


@dataclass
class BoxCollector:
    """Collects the boxes that a parser meets, and writes the mark of each group."""

    found: list[Region]

    def mark(self, phrase: str, group: Sequence[Region]) -> str:
        start = len(self.found)
        self.found.extend(group)
        return mark(phrase, *range(start, len(self.found)))


def spell_marks(text: str, boxes: Sequence[Region], write: Callable[[str, list[Region]], str]) -> str:
    """The text with each mark replaced by `write(phrase, its boxes)`."""

    def spell(found: Mark) -> str:
        return write(found.phrase, [boxes[index] for index in found.boxes])

    return replace_marks(text, spell)


def make_region(numbers: Sequence[float]) -> Region:
    """Four numbers as a box, eight as an oriented one. Any other number of them is a ValueError."""
    if len(numbers) == 4:
        x0, y0, x1, y1 = numbers
        return (x0, y0, x1, y1)
    return to_quad(numbers)


def scale_region(found: Region, scale_x: float, scale_y: float) -> list[float]:
    """Its numbers, every x times `scale_x` and every y times `scale_y`."""
    return [value * (scale_y if place % 2 else scale_x) for place, value in enumerate(found)]


def collapsed_boxes(dialect: Dialect, boxes: Sequence[Region], height_px: int, width_px: int) -> tuple[int, ...]:
    """Positions of the boxes that have an area in pixels and lose it to the dialect's rounding."""
    lost = []
    for position, box in enumerate(boxes):
        if ring_area(corners(box)) > 0 and ring_area(corners(_read_back(dialect, box, height_px, width_px))) < FLAT:
            lost.append(position)
    return tuple(lost)


def displacement_px(dialect: Dialect, box: Region, height_px: int, width_px: int) -> float:
    """How far a box is from its spelling: the greatest distance in pixels from a corner of one to the nearest of the other."""
    was, now = _points(box), _points(_read_back(dialect, box, height_px, width_px))
    return max(max(min(math.dist(a, b) for b in now) for a in was), max(min(math.dist(a, b) for a in was) for b in now))


def _read_back(dialect: Dialect, box: Region, height_px: int, width_px: int) -> Region:
    return dialect.parse(dialect.spell(mark("", 0), [box], height_px, width_px), height_px, width_px)[1][0]


def _points(box: Region) -> list[tuple[float, float]]:
    found = corners(box)
    return list(zip(found[::2], found[1::2], strict=True))
