"""Plain pixels of the picture, for reading by people and for models without a convention of their own.

One idea: `13 ships [x0, y0, x1, y1; …]`, coordinates in pixels from the upper left corner, at most one decimal; an oriented
box is its four corners, eight numbers. This is our own choice and nobody's format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import BoxCollector, spell_marks
from rsflow.dialects.spelling import brackets
from rsflow.dialects.spelling.outlines import Frame, OutlineForm
from rsflow.dialects.spelling.paths import BRACKETS
from rsflow.spatial.geometry import Region

_GROUP = re.compile(brackets.GROUP)

OUTLINE_FORM = OutlineForm()
PATH_FORM = BRACKETS


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to 0.1 pixel; a whole number is written without decimals."""
    return spell_marks(text, boxes, _write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Every bracket of four or eight numbers per box becomes a mark without a phrase."""
    boxes = BoxCollector([])
    return _GROUP.sub(lambda match: boxes.mark("", brackets.read(match[1])), text), boxes.found


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """Half of a tenth of a pixel, whatever the size."""
    return 0.05, 0.05


def outline_frame(height_px: int, width_px: int) -> Frame:
    """How outlines are counted: as boxes are."""
    return Frame((1.0, 1.0), digits=1)


def _write(phrase: str, boxes: list[Region]) -> str:
    group = brackets.write([[_number(value) for value in box] for box in boxes], ", ", "; ")
    return f"{phrase} {group}" if phrase else group


def _number(value: float) -> str:
    # A build streams millions of these: formatting rounds by itself, and is half the cost.
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text[:-2] if text[-1] == "0" else text
