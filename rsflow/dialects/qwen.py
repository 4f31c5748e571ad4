"""The spelling of Qwen2.5-VL: JSON objects with `bbox_2d`, in whole pixels of the picture as the model sees it.

One idea: the model's processor first resizes a picture so that both sides are multiples of 28 and its area lies within limits,
and coordinates are absolute in that resized picture. Source: the grounding example of
https://github.com/QwenLM/Qwen3-VL/blob/main/qwen-vl-finetune/README.md (`{"bbox_2d": [135, 114, 1016, 672]}`) and the rule and
default limits in `tools/process_bbox.ipynb` beside it. How objects and lists of them look is in
rsflow.dialects.spelling.json_boxes. The limits are by default those of the released models, `preprocessor_config.json` of
https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct (3B, 32B and 72B alike): 3,136 and 12,845,056 pixels. For training with
others names them, `qwen:min_pixels=3136,max_pixels=1003520`; rsflow.collate refuses a processor that resizes otherwise.
Qwen2-VL (rsflow.dialects.qwen2) and Qwen3-VL (rsflow.dialects.qwen3) count in thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rsflow.dialects.contract import make_region, scale_region, spell_marks
from rsflow.dialects.spelling import json_boxes
from rsflow.dialects.spelling.outlines import Frame, OutlineForm
from rsflow.dialects.spelling.paths import PathForm
from rsflow.errors import ConfigError, DataError
from rsflow.spatial.geometry import Region

FACTOR_PX = 28
MIN_PIXELS = 3_136
MAX_PIXELS = 12_845_056
MAX_ASPECT = 200
PICTURE_NAME = "Picture {}: "  # before each of several pictures: rsflow.dialects.spelling.several_pictures


@dataclass(frozen=True)
class Qwen:
    """The spelling for a processor with these limits of a picture's area, in pixels."""

    min_pixels: int = MIN_PIXELS
    max_pixels: int = MAX_PIXELS
    PICTURE_NAME: ClassVar[str] = PICTURE_NAME

    OUTLINE_FORM: ClassVar[OutlineForm] = json_boxes.OUTLINE_FORM
    PATH_FORM: ClassVar[PathForm] = json_boxes.PATH_FORM

    def __post_init__(self) -> None:
        if not FACTOR_PX**2 <= self.min_pixels <= self.max_pixels:
            raise ConfigError(
                f"dialect qwen: min_pixels {self.min_pixels}, max_pixels {self.max_pixels}: expected "
                f"{FACTOR_PX**2} <= min_pixels <= max_pixels"
            )

    def resized(self, height_px: int, width_px: int) -> tuple[int, int]:
        """(height, width) of the picture that the model sees: multiples of 28 that keep its shape as well as they can.

        Raises DataError `too_elongated` beyond a ratio of 200 to 1, which the model's processor refuses too.
        """
        return _resized(height_px, width_px, self.min_pixels, self.max_pixels)

    def spell(self, text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
        """Rounds to a pixel of the resized picture; its last row and column are the largest coordinates."""
        height, width = self.resized(height_px, width_px)
        last = (width - 1, height - 1)

        def write(phrase: str, group: list[Region]) -> str:
            rows = [scale_region(box, width / width_px, height / height_px) for box in group]
            whole = [[max(0, min(round(v), last[i % 2])) for i, v in enumerate(row)] for row in rows]
            return json_boxes.write(phrase, whole)

        return spell_marks(text, boxes, write)

    def parse(self, text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
        """Every object, or list of objects, becomes a mark without a phrase; a `label` is read and dropped."""
        height, width = self.resized(height_px, width_px)
        return json_boxes.read(text, lambda box: make_region(scale_region(box, width_px / width, height_px / height)))

    def max_rounding_px(self, height_px: int, width_px: int) -> tuple[float, float]:
        """A pixel of the resized picture: half of one by rounding, a whole one at the far edge, which its last pixel stands
        for."""
        height, width = self.resized(height_px, width_px)
        return width_px / width, height_px / height

    def outline_frame(self, height_px: int, width_px: int) -> Frame:
        """How outlines are counted: as boxes are."""
        height, width = self.resized(height_px, width_px)
        return Frame((width / width_px, height / height_px), last=(width - 1, height - 1))


@lru_cache  # a stream asks for every text, and pictures have few sizes
def _resized(height_px: int, width_px: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    if max(height_px, width_px) > MAX_ASPECT * min(height_px, width_px):
        raise DataError(
            "too_elongated", f"{height_px} x {width_px} pixels: at most {MAX_ASPECT} to 1 can be shown to the model"
        )
    height, width = (round(side / FACTOR_PX) * FACTOR_PX for side in (height_px, width_px))
    if height * width > max_pixels:
        shrink = math.sqrt(height_px * width_px / max_pixels)
        height, width = (max(1, math.floor(side / shrink / FACTOR_PX)) * FACTOR_PX for side in (height_px, width_px))
    elif height * width < min_pixels:
        grow = math.sqrt(min_pixels / (height_px * width_px))
        height, width = (math.ceil(side * grow / FACTOR_PX) * FACTOR_PX for side in (height_px, width_px))
    return height, width


RELEASED = Qwen()
resized, spell, parse, max_rounding_px = RELEASED.resized, RELEASED.spell, RELEASED.parse, RELEASED.max_rounding_px
OUTLINE_FORM, PATH_FORM, outline_frame = Qwen.OUTLINE_FORM, Qwen.PATH_FORM, RELEASED.outline_frame
