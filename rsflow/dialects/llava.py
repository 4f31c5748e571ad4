"""The spelling of LLaVA-1.5's region data (Visual Genome, RefCOCO): `[0.61, 0.36, 0.92, 0.83]`.

One idea: shares of the padded square (rsflow.dialects.spelling.padded_square), two decimals. Source: the released training mix
as read off in https://github.com/haotian-liu/LLaVA/issues/606. It delimits no phrase and never shows several boxes at once:
the phrase in front, semicolons between boxes and eight numbers for an oriented one are our own choice. For models that pad
their pictures, as LLaVA-1.5 does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import BoxCollector, spell_marks
from rsflow.dialects.spelling import brackets, padded_square
from rsflow.dialects.spelling.outlines import OutlineForm
from rsflow.dialects.spelling.padded_square import from_square, to_square
from rsflow.dialects.spelling.paths import BRACKETS
from rsflow.spatial.geometry import Region

PICTURE_NAME = ""  # before each of several pictures: rsflow.dialects.spelling.several_pictures

_GROUP = re.compile(brackets.GROUP)

OUTLINE_FORM = OutlineForm()
PATH_FORM = BRACKETS

max_rounding_px, outline_frame = padded_square.max_rounding_px, padded_square.outline_frame


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to 0.01 of the longer side."""

    def write(phrase: str, group: list[Region]) -> str:
        shares = [to_square(box, height_px, width_px) for box in group]
        numbers = [[_number(value) for value in box] for box in shares]
        return (f"{phrase} " if phrase else "") + brackets.write(numbers, ", ", "; ")

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Every bracket of four or eight numbers per box becomes a mark without a phrase."""
    boxes = BoxCollector([])

    def read(match: re.Match[str]) -> str:
        return boxes.mark("", [from_square(box, height_px, width_px) for box in brackets.read(match[1])])

    return _GROUP.sub(read, text), boxes.found


def _number(value: float) -> str:
    return str(round(value, 2) + 0.0)  # 0.5, not 0.50: as in the files
