"""The spelling of Qwen3-VL: JSON objects with `bbox_2d`, in thousandths of the picture's own sides.

One idea: relative coordinates from 0 to 1000, so that no resizing matters. Source: the model's own
https://github.com/QwenLM/Qwen3-VL/blob/main/cookbooks/2d_grounding.ipynb ("relative coordinates ranging from 0 to 1000", read
back as `/ 1000 * width`), and its maintainers in https://github.com/QwenLM/Qwen3-VL/issues/1486. How objects and lists of them
look is in rsflow.dialects.spelling.json_boxes. Qwen2.5-VL counts in pixels: rsflow.dialects.qwen.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.dialects.contract import make_region, scale_region, spell_marks
from rsflow.dialects.spelling import json_boxes
from rsflow.dialects.spelling.outlines import Frame
from rsflow.spatial.geometry import Region

SCALE = 1000
PICTURE_NAME = "Picture {}: "  # before each of several pictures: rsflow.dialects.spelling.several_pictures

OUTLINE_FORM = json_boxes.OUTLINE_FORM
PATH_FORM = json_boxes.PATH_FORM


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to a thousandth of the picture's side."""

    def write(phrase: str, group: list[Region]) -> str:
        rows = [scale_region(box, SCALE / width_px, SCALE / height_px) for box in group]
        return json_boxes.write(phrase, [[max(0, min(round(value), SCALE)) for value in row] for row in rows])

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Every object, or list of objects, becomes a mark without a phrase; a `label` is read and dropped."""
    return json_boxes.read(text, lambda box: make_region(scale_region(box, width_px / SCALE, height_px / SCALE)))


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """Half of a thousandth of each side."""
    return 0.5 / SCALE * width_px, 0.5 / SCALE * height_px


def outline_frame(height_px: int, width_px: int) -> Frame:
    """How outlines are counted: as boxes are."""
    return Frame((SCALE / width_px, SCALE / height_px), last=(SCALE, SCALE))
