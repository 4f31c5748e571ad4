"""Plain pixels of the picture, for reading by people and for models without a convention of their own.

One idea: `13 ships [x0, y0, x1, y1; …]`, coordinates in pixels from the upper left corner, at most one decimal. This is our
own choice and nobody's format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects import brackets
from rsflow.dialects.contract import Boxes, spell_marks
from rsflow.geometry import Box

_GROUP = re.compile(brackets.GROUP)


def spell(text: str, boxes: Sequence[Box], height_px: int, width_px: int) -> str:
    """Rounds to 0.1 pixel; a whole number is written without decimals."""
    return spell_marks(text, boxes, _write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Box]]:
    """Every bracket of four numbers per box becomes a mark without a phrase."""
    boxes = Boxes([])
    return _GROUP.sub(lambda match: boxes.mark("", brackets.read(match[1])), text), boxes.found


def _write(phrase: str, boxes: list[Box]) -> str:
    group = brackets.write([[_number(value) for value in box] for box in boxes], ", ", "; ")
    return f"{phrase} {group}" if phrase else group


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
