"""The spelling of GeoChat: `<p>two ships</p> {<x1><y1><x2><y2>|<angle>}<delim>{…}`.

One idea: whole hundredths of the picture's own width and height, and an angle in whole degrees by which the box that the four
numbers give is turned about its centre. Source: https://arxiv.org/abs/2311.15826 for the form and the range 0-100, and
https://github.com/mbzuai-oryx/GeoChat/blob/main/geochat_demo.py for the rest: it draws with OpenCV's `getRotationMatrix2D`, in
pixels of the picture, for which a positive angle is counter-clockwise as seen
(https://docs.opencv.org/4.x/da/d54/group__imgproc__transform.html), and takes boxes parted by `<delim>` or by nothing. The
authors have never stated the convention (issue 5 there), and a second function of that file, which nothing calls, turns the
other way: what is drawn is what we follow.

Our own: the angle is in [0, 90) where the turned-back box lies inside the picture, else in [90, 180) with the sides swapped
where that does; where neither does (a long rotated object near an edge) its horizontal box is spelled instead, because
numbers beyond 0-100 are a known fault of the released files (issue 74 there). An angle may be left out when reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, BoxCollector, make_region, scale_region, spell_marks
from rsflow.dialects.spelling.outlines import Frame, OutlineForm
from rsflow.dialects.spelling.paths import FORMS, PathForm
from rsflow.spatial.geometry import Box, Region, RotatedRectangle, bounding_box, min_area_rectangle

SCALE = 100

_BOX = rf"\{{<\s*{NUMBER}\s*>(?:\s*<\s*{NUMBER}\s*>){{3}}\s*(?:\|\s*<\s*{NUMBER}\s*>)?\s*\}}"
_WRITTEN_BOXES = re.compile(rf"(?:<p>([^<\[\]|]*)</p> ?)?({_BOX}(?:(?:<delim>|\s*){_BOX})*)")

OUTLINE_FORM = OutlineForm(("<p>", "</p> "), ("{", "}"), ";", ("<", "><", ">"), "")
PATH_FORM = PathForm(dict.fromkeys(FORMS, ("{", "}")), ("<", "><", ">"), "")


def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
    """Rounds to a hundredth of the picture's sides and to a degree."""

    def write(phrase: str, group: list[Region]) -> str:
        boxes_text = "<delim>".join(_write(box, height_px, width_px) for box in group)
        return (f"<p>{phrase}</p> " if phrase else "") + boxes_text

    return spell_marks(text, boxes, write)


def parse(text: str, height_px: int, width_px: int) -> tuple[str, list[Region]]:
    """Phrases in `<p>` come back into their marks. At right angles a box comes out horizontal, else oriented."""
    boxes = BoxCollector([])

    def read(match: re.Match[str]) -> str:
        rows = [[float(number) for number in re.findall(NUMBER, box)] for box in re.findall(_BOX, match[2])]
        return boxes.mark(match[1] or "", [_read(row, height_px, width_px) for row in rows])

    return _WRITTEN_BOXES.sub(read, text), boxes.found


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """Half of a hundredth of each side. The corners of an oriented box move further, with the angle: see `displacement_px`."""
    return 0.5 / SCALE * width_px, 0.5 / SCALE * height_px


def outline_frame(height_px: int, width_px: int) -> Frame:
    """How outlines are counted: as boxes are."""
    return Frame((SCALE / width_px, SCALE / height_px), last=(SCALE, SCALE))


def _write(box: Region, height_px: int, width_px: int) -> str:
    turned = min_area_rectangle(box) if len(box) == 8 else None
    for angle, upright in _ways(turned) if turned else ():
        numbers = _numbers(upright, height_px, width_px)
        if all(0 <= number <= SCALE for number in numbers):
            return _braced(numbers, angle)
    return _braced([max(0, min(number, SCALE)) for number in _numbers(bounding_box(box), height_px, width_px)], 0)


def _ways(turned: RotatedRectangle) -> list[tuple[int, Box]]:
    """Pairs of an angle in whole degrees and the box that, turned by it, is the rectangle."""
    degrees = round(math.degrees(turned.angle))
    wide, high = (turned.width_px / 2, turned.height_px / 2), (turned.height_px / 2, turned.width_px / 2)
    # Ours is clockwise, theirs counter-clockwise; a quarter more with the sides swapped is the same rectangle.
    ways = (
        [(0, wide)]
        if degrees == 0
        else [(90 - degrees, high)]
        if degrees == 90
        else [(90 - degrees, high), (180 - degrees, wide)]
    )
    return [(angle, (turned.x - x, turned.y - y, turned.x + x, turned.y + y)) for angle, (x, y) in ways]


def _numbers(box: Box, height_px: int, width_px: int) -> list[int]:
    return [round(value) for value in scale_region(box, SCALE / width_px, SCALE / height_px)]


def _braced(numbers: Sequence[int], angle: int) -> str:
    return "{" + "".join(f"<{number}>" for number in numbers) + f"|<{angle}>}}"


def _read(numbers: Sequence[float], height_px: int, width_px: int) -> Region:
    angle = numbers[4] if len(numbers) == 5 else 0.0
    x0, y0, x1, y1 = scale_region(make_region(numbers[:4]), width_px / SCALE, height_px / SCALE)
    if angle % 180 == 0:
        return (x0, y0, x1, y1)
    found = RotatedRectangle((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, -math.radians(angle)).quad
    return bounding_box(found) if angle % 90 == 0 else found
