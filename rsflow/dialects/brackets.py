"""Boxes in one pair of square brackets, `[a, b, c, d; …]`: what the dialects without special tokens share.

One idea: reading and writing of number groups, four to a box, boxes parted by semicolons. What the numbers mean is for the
dialect to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER
from rsflow.geometry import Box

_FOUR = rf"\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}\s*"
GROUP = rf"\[({_FOUR}(?:;{_FOUR})*)\]"


def write(boxes: Sequence[Sequence[str]], comma: str, semicolon: str) -> str:
    """`boxes`: four spelled numbers each."""
    return f"[{semicolon.join(comma.join(numbers) for numbers in boxes)}]"


def read(inside: str) -> list[Box]:
    """The boxes of what GROUP's one group caught."""
    boxes = []
    for part in inside.split(";"):
        x0, y0, x1, y1 = (float(number) for number in re.findall(NUMBER, part))
        boxes.append((x0, y0, x1, y1))
    return boxes
