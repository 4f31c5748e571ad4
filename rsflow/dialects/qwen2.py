"""The spelling of Qwen2-VL: `<|object_ref_start|>a ship<|object_ref_end|><|box_start|>(x1,y1),(x2,y2)<|box_end|>`.

One idea: thousandths of the picture's own sides in [0, 1000), each box between the model's own tokens. Source: the grounding
paragraph of https://arxiv.org/abs/2409.12191; the scale is confirmed in https://github.com/QwenLM/Qwen3-VL/issues/721. Several
boxes stand one after the other, each in its tokens. Oriented boxes are our own use of the model's tokens `<|quad_start|>` and
`<|quad_end|>`, with four points in place of two, as Qwen-VL writes the outline of text (https://arxiv.org/abs/2308.12966).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, BoxCollector, make_region, scale_region, spell_marks
from rsflow.dialects.spelling.outlines import Frame, OutlineForm
from rsflow.dialects.spelling.paths import PathForm
from rsflow.spatial.geometry import Region

SCALE = 1000
PICTURE_NAME = "Picture {}: "  # before each of several pictures: rsflow.dialects.spelling.several_pictures

_POINT = rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
_BOX = rf"<\|box_start\|>{_POINT}\s*,\s*{_POINT}<\|box_end\|>"
_QUAD = rf"<\|quad_start\|>{_POINT}(?:\s*,\s*{_POINT}){{3}}<\|quad_end\|>"
_ONE = re.compile(f"{_BOX}|{_QUAD}")
_WRITTEN_BOXES = re.compile(rf"(?:<\|object_ref_start\|>([^<\[\]|]*)<\|object_ref_end\|>)?((?:{_BOX}|{_QUAD})+)")

OUTLINE_FORM = OutlineForm(
    ("<|object_ref_start|>", "<|object_ref_end|>"), ("<|quad_start|>", "<|quad_end|>"), ";", ("(", ",", ")"), ","
)
PATH_FORM = PathForm(
    {"point": ("<|box_start|>", "<|box_end|>"), **dict.fromkeys(("scribble", "polygon"), ("<|quad_start|>", "<|quad_end|>"))},
    ("(", ",", ")"),
    ",",
)


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to a thousandth of the picture's side; 999 is the largest coordinate."""

    def write(phrase: str, group: list[Region]) -> str:
        reference = f"<|object_ref_start|>{phrase}<|object_ref_end|>" if phrase else ""
        return reference + "".join(_write(scale_region(box, SCALE / width_px, SCALE / height_px)) for box in group)

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Phrases between their tokens come back into their marks; boxes that stand one after the other share one."""
    boxes = BoxCollector([])

    def read(match: re.Match[str]) -> str:
        rows = [make_region([float(number) for number in re.findall(NUMBER, one)]) for one in _ONE.findall(match[2])]
        return boxes.mark(match[1] or "", [make_region(scale_region(row, width_px / SCALE, height_px / SCALE)) for row in rows])

    return _WRITTEN_BOXES.sub(read, text), boxes.found


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """A thousandth of each side: half of one by rounding, a whole one at the far edge."""
    return 1 / SCALE * width_px, 1 / SCALE * height_px


def outline_frame(height_px: int, width_px: int) -> Frame:
    """How outlines are counted: as boxes are."""
    return Frame((SCALE / width_px, SCALE / height_px), last=(SCALE - 1, SCALE - 1))


def _write(numbers: Sequence[float]) -> str:
    whole = [max(0, min(round(number), SCALE - 1)) for number in numbers]
    points = ",".join(f"({x},{y})" for x, y in zip(whole[::2], whole[1::2], strict=True))
    tag = "box" if len(numbers) == 4 else "quad"
    return f"<|{tag}_start|>{points}<|{tag}_end|>"
