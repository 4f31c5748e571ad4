"""Outlines in text: how one family of models writes the area of a thing as polygons.

One idea: an outline is a list of rings under the even-odd rule, so several parts and holes are all just rings, and a dialect
differs from another in punctuation (`OutlineForm`) and in how it counts coordinates (`Frame`) alone. Marks of outlines are
those of rsflow.text.turns (`[[phrase|#0]]`). Of the families here none has a documented spelling of polygons with holes: each
form continues its family's spelling of boxes and is our own, but for LISA's `[SEG]`, which stands for a mask.

An outline of four points reads like an oriented box in some forms: which of the two a text holds is known from its task.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from rsflow.dialects.contract import NUMBER
from rsflow.errors import ConfigError
from rsflow.spatial.geometry import Ring
from rsflow.text.turns import OutlineMark, outline_mark, replace_outline_marks

Rings = tuple[Ring, ...]  # an area under the even-odd rule


@dataclass(frozen=True, slots=True)
class Frame:
    """How coordinates are counted: a written number is (pixel + pad) * scale, with `digits` decimals, within 0 and `last`; of x
    and of y."""

    scale: tuple[float, float]
    pad: tuple[float, float] = (0.0, 0.0)
    digits: int = 0
    last: tuple[float, float] = (float("inf"), float("inf"))

    def write(self, ring: Ring) -> list[str]:
        return [self._write(value, place % 2) for place, value in enumerate(ring)]

    def read(self, numbers: Sequence[float]) -> Ring:
        return tuple(value / self.scale[place % 2] - self.pad[place % 2] for place, value in enumerate(numbers))

    def _write(self, value: float, axis: int) -> str:
        number = max(0.0, min((value + self.pad[axis]) * self.scale[axis], self.last[axis]))
        return f"{round(number, self.digits):.{self.digits}f}"


@dataclass(frozen=True, slots=True)
class OutlineForm:
    """The punctuation: around the phrase, an outline, a ring and a point, and between them. `token`: what stands for the whole
    outline instead of its coordinates, a mask being given apart from the text."""

    phrase: tuple[str, str] = ("", " ")
    outline: tuple[str, str] = ("[", "]")
    between_rings: str = "; "
    point: tuple[str, str, str] = ("", ", ", "")  # before x, between x and y, after y
    between_points: str = ", "
    token: str = ""

    def spell(self, phrase: str, outlines: Sequence[Rings], frame: Frame) -> str:
        named = f"{self.phrase[0]}{phrase}{self.phrase[1]}" if phrase else ""
        return named + " ".join(self.token or self._outline(rings, frame) for rings in outlines)

    def _outline(self, rings: Rings, frame: Frame) -> str:
        before, between, after = self.point
        rings_text = []
        for ring in rings:
            numbers = frame.write(ring)
            points = [f"{before}{x}{between}{y}{after}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            rings_text.append(self.between_points.join(points))
        return f"{self.outline[0]}{self.between_rings.join(rings_text)}{self.outline[1]}"


class OutlineDialect(Protocol):
    """A dialect that can spell outlines."""

    OUTLINE_FORM: OutlineForm

    def outline_frame(self, height_px: int, width_px: int) -> Frame: ...


def spell_outlines(dialect: object, text: str, outlines: Sequence[Rings], height_px: int, width_px: int) -> str:
    """The text with each mark of outlines in the family's spelling. `outlines`: float pixels of the picture.

    ConfigError for a dialect that spells none; an index beyond `outlines` is an IndexError: a bug of the maker.
    """
    known = _outline_dialect(dialect)
    frame = known.outline_frame(height_px, width_px)

    def spell(found: OutlineMark) -> str:
        return known.OUTLINE_FORM.spell(found.phrase, [outlines[index] for index in found.outlines], frame)

    return replace_outline_marks(text, spell)


def parse_outlines(dialect: object, text: str, height_px: int, width_px: int) -> tuple[str, list[Rings]]:
    """The text with a mark for each run of outlines, and these in order of appearance, in pixels. A mask's token has none:
    its mark is left out of the text and nothing is found."""
    known = _outline_dialect(dialect)
    outline_pattern, one, ring = _patterns(known.OUTLINE_FORM)
    frame = known.outline_frame(height_px, width_px)
    found: list[Rings] = []

    def read(match: re.Match[str]) -> str:
        start = len(found)
        for outline in one.finditer(match["outlines"]):
            rows = [re.findall(NUMBER, part) for part in ring.findall(outline[0])]
            found.append(tuple(frame.read([float(number) for number in row]) for row in rows))
        return outline_mark(match["phrase"] or "", *range(start, len(found)))

    return outline_pattern.sub(read, text), found


def _outline_dialect(dialect: object) -> OutlineDialect:
    if not isinstance(getattr(dialect, "OUTLINE_FORM", None), OutlineForm):
        name = getattr(dialect, "__name__", type(dialect).__name__).rpartition(".")[2]
        raise ConfigError(
            f"dialect {name}: found a text with outlines (task segmentation), which it does not spell; leave the task out"
        )
    return dialect  # type: ignore[return-value]  # it has the form, and so the frame


@cache
def _patterns(form: OutlineForm) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """What matches a phrase with its outlines, one outline, and one ring."""

    def loose(text: str) -> str:
        return r"\s*".join(re.escape(character) for character in text.split()) if text.strip() else r"\s*"

    before, between, after = map(loose, form.point)
    point = rf"{before}\s*{NUMBER}\s*{between}\s*{NUMBER}\s*{after}"
    ring = rf"{point}(?:\s*{loose(form.between_points)}\s*{point}){{2,}}"
    start, end = map(loose, form.outline)
    outline = rf"{start}\s*{ring}(?:\s*{loose(form.between_rings)}\s*{ring})*\s*{end}"
    delimited = form.phrase[0]
    phrase = (
        rf"(?:{re.escape(form.phrase[0])}(?P<phrase>[^<\[\]|]*){re.escape(form.phrase[1])})?" if delimited else "(?P<phrase>)"
    )
    return re.compile(rf"{phrase}(?P<outlines>{outline}(?:\s*{outline})*)"), re.compile(outline), re.compile(ring)
