"""The spelling of InternVL: `<ref>13 ships</ref><box>[[x1, y1, x2, y2], …]</box>`.

One idea: shares of the picture's own width and height in thousandths, rounded to whole numbers, no padding. Source:
https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html#grounding-detection-data. A bare box is `<box>`
alone, as in questions about a region. Oriented boxes are our own: the model's tokens `<quad>` and `</quad>`
(https://github.com/OpenGVLab/InternVL/blob/main/internvl_chat/internvl/train/constants.py), for which no use is documented,
around the eight numbers of the corners.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, BoxCollector, make_region, scale_region, spell_marks
from rsflow.dialects.spelling.outlines import Frame, OutlineForm
from rsflow.dialects.spelling.paths import PathForm
from rsflow.spatial.geometry import Region

SCALE = 1000
PICTURE_NAME = "Image-{}: "  # before each of several pictures: rsflow.dialects.spelling.several_pictures

_BOX = rf"\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}(?:(?:\s*,\s*{NUMBER}){{4}})?\s*\]"
_WRITTEN_BOXES = re.compile(rf"(?:<ref>([^<\[\]|]*)</ref>)?<(box|quad)>\[\s*({_BOX}(?:\s*,\s*{_BOX})*)\s*\]</\2>")

OUTLINE_FORM = OutlineForm(("<ref>", "</ref>"), ("<poly>[[", "]]</poly>"), "], [")
PATH_FORM = PathForm(
    {
        "point": ("<point>[[", "]]</point>"),
        "scribble": ("<line>[[", "]]</line>"),
        "polygon": ("<poly>[[", "]]</poly>"),
    }
)


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to a thousandth of the picture's side."""

    def write(phrase: str, group: list[Region]) -> str:
        rows = [[round(value) for value in scale_region(box, SCALE / width_px, SCALE / height_px)] for box in group]
        tag = "quad" if any(len(box) == 8 for box in group) else "box"
        return (f"<ref>{phrase}</ref>" if phrase else "") + f"<{tag}>{rows}</{tag}>"

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Phrases in `<ref>` come back into their marks."""
    boxes = BoxCollector([])

    def read(match: re.Match[str]) -> str:
        rows = [make_region([float(number) for number in re.findall(NUMBER, row)]) for row in re.findall(_BOX, match[3])]
        group = [make_region(scale_region(row, width_px / SCALE, height_px / SCALE)) for row in rows]
        return boxes.mark(match[1] or "", group)

    return _WRITTEN_BOXES.sub(read, text), boxes.found


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """Half of a thousandth of each side."""
    return 0.5 / SCALE * width_px, 0.5 / SCALE * height_px


def outline_frame(height_px: int, width_px: int) -> Frame:
    """How outlines are counted: as boxes are."""
    return Frame((SCALE / width_px, SCALE / height_px), last=(SCALE, SCALE))
