"""The spelling of MMRS-1M, the dataset of EarthGPT: `There are <p>13 ships</p>[x1,y1,x2,y2;...]`.

One idea: shares of the padded square (rsflow.dialects.spelling.padded_square), two decimals, the phrase between `<p>` and
`</p>`, one pair of brackets for all its boxes, no spaces. Source: the EarthGPT paper (https://arxiv.org/abs/2401.16822) for
the square, the released files for decimals and punctuation. Two decimals are 1 % of the longer side: small boxes may collapse
(rsflow.dialects.collapsed_boxes finds them). Oriented boxes, for which no rule is public, are our own: the same for each of
the four corners, eight numbers to a box.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import BoxCollector, spell_marks
from rsflow.dialects.spelling import brackets, padded_square
from rsflow.dialects.spelling.outlines import OutlineForm
from rsflow.dialects.spelling.padded_square import from_square, to_square
from rsflow.dialects.spelling.paths import FORMS, PathForm
from rsflow.spatial.geometry import Region

_WRITTEN_BOXES = re.compile(rf"(?:<p>([^<\[\]|]*)</p>)?{brackets.GROUP}")

OUTLINE_FORM = OutlineForm(("<p>", "</p>"), between_rings=";", point=("", ",", ""), between_points=",")
PATH_FORM = PathForm(dict.fromkeys(FORMS, ("[", "]")), ("", ",", ""), ",")

max_rounding_px, outline_frame = padded_square.max_rounding_px, padded_square.outline_frame


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to 0.01 of the longer side."""

    def write(phrase: str, group: list[Region]) -> str:
        shares = [to_square(box, height_px, width_px) for box in group]
        numbers = [[f"{round(value, 2) + 0.0:.2f}" for value in box] for box in shares]
        return (f"<p>{phrase}</p>" if phrase else "") + brackets.write(numbers, ",", ";")

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Phrases in `<p>` come back into their marks."""
    boxes = BoxCollector([])

    def read(match: re.Match[str]) -> str:
        return boxes.mark(match[1] or "", [from_square(box, height_px, width_px) for box in brackets.read(match[2])])

    return _WRITTEN_BOXES.sub(read, text), boxes.found
