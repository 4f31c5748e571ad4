"""The spelling of Qwen2.5-VL: JSON objects with `bbox_2d`, in whole pixels of the picture as the model sees it.

One idea: the model's processor first resizes a picture so that both sides are multiples of 28 and its area lies within
limits, and coordinates are absolute in that resized picture. Source: the grounding example of
https://github.com/QwenLM/Qwen3-VL/blob/main/qwen-vl-finetune/README.md (`{"bbox_2d": [135, 114, 1016, 672]}`) and the rule
and default limits in `tools/process_bbox.ipynb` beside it. Several boxes are a JSON list. A phrase stands in front of its
JSON: the format has a `label` per box but no place for "13 ships". Whoever trains with other `min_pixels` or `max_pixels`
must use the same limits here. Qwen2-VL and Qwen3-VL count in thousandths: not this dialect.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, Boxes, spell_marks
from rsflow.errors import DataError
from rsflow.geometry import Box

FACTOR_PX = 28
MIN_PIXELS = 56 * 56
MAX_PIXELS = 28 * 28 * 1280
MAX_ASPECT = 200

_OBJECT = rf'\{{\s*"bbox_2d":\s*\[\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}\s*\]\s*(?:,\s*"label":\s*"[^"]*"\s*)?\}}'
_NUMBERS = re.compile(rf'"bbox_2d":\s*\[({NUMBER}(?:\s*,\s*{NUMBER}){{3}})\s*\]')
_SPELLED = re.compile(rf"\[\s*{_OBJECT}(?:\s*,\s*{_OBJECT})*\s*\]|{_OBJECT}")


def resized(height_px: int, width_px: int) -> tuple[int, int]:
    """(height, width) of the picture that the model sees: multiples of 28 that keep its shape as well as they can.

    Raises DataError `too_elongated` beyond a ratio of 200 to 1, which the model's processor refuses too.
    """
    if max(height_px, width_px) > MAX_ASPECT * min(height_px, width_px):
        raise DataError(
            "too_elongated", f"{height_px} x {width_px} pixels: at most {MAX_ASPECT} to 1 can be shown to the model"
        )
    height, width = (round(side / FACTOR_PX) * FACTOR_PX for side in (height_px, width_px))
    if height * width > MAX_PIXELS:
        shrink = math.sqrt(height_px * width_px / MAX_PIXELS)
        height, width = (max(1, math.floor(side / shrink / FACTOR_PX)) * FACTOR_PX for side in (height_px, width_px))
    elif height * width < MIN_PIXELS:
        grow = math.sqrt(MIN_PIXELS / (height_px * width_px))
        height, width = (math.ceil(side * grow / FACTOR_PX) * FACTOR_PX for side in (height_px, width_px))
    return height, width


def spell(text: str, boxes: Sequence[Box], height_px: int, width_px: int) -> str:
    """Rounds to a pixel of the resized picture; its last row and column are the largest coordinates."""
    height, width = resized(height_px, width_px)
    scales = (width / width_px, height / height_px) * 2
    last = (width - 1, height - 1) * 2

    def write(phrase: str, group: list[Box]) -> str:
        rows = [
            {"bbox_2d": [max(0, min(round(value * scale), stop)) for value, scale, stop in zip(box, scales, last, strict=True)]}
            for box in group
        ]
        spelled = json.dumps(rows if len(rows) > 1 else rows[0])
        return f"{phrase} {spelled}" if phrase else spelled

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Box]]:
    """Every object, or list of objects, with `bbox_2d` becomes a mark without a phrase; a `label` is read and dropped."""
    height, width = resized(height_px, width_px)
    scale_x, scale_y = width_px / width, height_px / height
    boxes = Boxes([])

    def read(match: re.Match[str]) -> str:
        group = []
        for numbers in _NUMBERS.findall(match[0]):
            x0, y0, x1, y1 = (float(number) for number in numbers.split(","))
            group.append((x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y))
        return boxes.mark("", group)

    return _SPELLED.sub(read, text), boxes.found
