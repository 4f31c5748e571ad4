"""The spelling of InternVL: `<ref>13 ships</ref><box>[[x1, y1, x2, y2], …]</box>`.

One idea: shares of the picture's own width and height in thousandths, rounded to whole numbers, no padding. Source:
https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html#grounding-detection-data. A bare box is `<box>`
alone, as in questions about a region.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, Boxes, spell_marks
from rsflow.geometry import Box

SCALE = 1000

_BOX = rf"\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}\s*\]"
_SPELLED = re.compile(rf"(?:<ref>([^<\[\]|]*)</ref>)?<box>\[\s*({_BOX}(?:\s*,\s*{_BOX})*)\s*\]</box>")


def spell(text: str, boxes: Sequence[Box], height_px: int, width_px: int) -> str:
    """Rounds to a thousandth of the picture's side."""
    size = (width_px, height_px, width_px, height_px)

    def write(phrase: str, group: list[Box]) -> str:
        rows = [[round(value / side * SCALE) for value, side in zip(box, size, strict=True)] for box in group]
        return (f"<ref>{phrase}</ref>" if phrase else "") + f"<box>{rows}</box>"

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Box]]:
    """Phrases in `<ref>` come back into their marks."""
    boxes = Boxes([])

    def read(match: re.Match[str]) -> str:
        group = []
        for spelled in re.findall(_BOX, match[2]):
            x0, y0, x1, y1 = (float(number) / SCALE for number in re.findall(NUMBER, spelled))
            group.append((x0 * width_px, y0 * height_px, x1 * width_px, y1 * height_px))
        return boxes.mark(match[1] or "", group)

    return _SPELLED.sub(read, text), boxes.found
