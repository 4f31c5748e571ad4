"""Numbered marks on a picture: frames around objects, each with its number on a badge beside it (set-of-mark prompting,
https://arxiv.org/abs/2310.11441).

One idea: where a badge stands follows from the boxes alone, so instructions number only what can be marked without hiding an
object, and the picture is drawn when a shard is written. Digits are bitmaps, so the pixels do not depend on a font.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from rsflow.spatial.geometry import Box, boxes_overlap

MOST = 9  # marks on one picture: numbers of one digit
_DIGITS = {  # rows of 5 pixels
    1: "00100 01100 00100 00100 00100 00100 01110",
    2: "01110 10001 00001 00110 01000 10000 11111",
    3: "01110 10001 00001 00110 00001 10001 01110",
    4: "00010 00110 01010 10010 11111 00010 00010",
    5: "11111 10000 11110 00001 00001 10001 01110",
    6: "00110 01000 10000 11110 10001 10001 01110",
    7: "11111 00001 00010 00100 01000 01000 01000",
    8: "01110 10001 10001 01110 10001 10001 01110",
    9: "01110 10001 10001 01111 00001 00010 01100",
}
_PADDING, _GAP = 2, 2  # pixels around a digit, and between a frame and its badge
_WHITE, _BLACK = 255, 0

Picture = npt.NDArray[np.uint8]


def place_badges(boxes: Sequence[Box], keep_clear: Iterable[Box], height_px: int, width_px: int) -> dict[int, Box]:
    """Position in `boxes` -> its badge, for the first MOST of them whose badge fits: inside the picture, on none of the boxes
    `keep_clear` and on no other badge."""
    obstacles = [_framed(box) for box in keep_clear]
    high, wide = badge_size(height_px, width_px)
    found: dict[int, Box] = {}
    for position, box in enumerate(boxes):
        x0, y0, x1, y1 = (round(value) for value in _framed(box))
        corners = ((x0, y0 - _GAP - high), (x0, y1 + _GAP), (x1 + _GAP, y0), (x0 - _GAP - wide, y0))
        for left, top in corners:
            badge = (float(left), float(top), float(left + wide), float(top + high))
            is_inside = left >= 0 and top >= 0 and left + wide <= width_px and top + high <= height_px
            if is_inside and not any(boxes_overlap(badge, other) for other in (*obstacles, *found.values())):
                found[position] = badge
                break
        if len(found) == MOST:
            break
    return found


def badge_size(height_px: int, width_px: int) -> tuple[int, int]:
    """(rows, cols) of a badge on a picture of this size."""
    scale = _scale(height_px, width_px)
    return 7 * scale + 2 * _PADDING, 5 * scale + 2 * _PADDING


def draw_marks(picture: Picture, boxes: Sequence[Box], badges: Sequence[Box]) -> Picture:
    """A copy of the picture (rows, cols) or (rows, cols, 3) with a frame around each box, and 1, 2, … on its badge."""
    drawn = picture.copy()
    rows, cols = drawn.shape[:2]
    scale = _scale(rows, cols)
    for number, (box, badge) in enumerate(zip(boxes, badges, strict=True), 1):
        x0, y0, x1, y1 = (round(value) for value in _framed(box))
        for step, level in ((0, _BLACK), (1, _WHITE)):
            _draw_frame(drawn, (x0 + step, y0 + step, x1 - step, y1 - step), level)
        left, top, right, bottom = (int(value) for value in badge)
        drawn[top:bottom, left:right] = _BLACK
        digit = np.array([[int(bit) for bit in row] for row in _DIGITS[number].split()], dtype=bool)
        digit = digit.repeat(scale, axis=0).repeat(scale, axis=1)
        drawn[top + _PADDING : bottom - _PADDING, left + _PADDING : right - _PADDING][digit] = _WHITE
    return drawn


def _draw_frame(picture: Picture, frame: tuple[int, int, int, int], level: int) -> None:
    """The frame's pixels that are on the picture."""
    rows, cols = picture.shape[:2]
    x0, y0, x1, y1 = frame
    across, down = slice(max(x0, 0), min(x1, cols)), slice(max(y0, 0), min(y1, rows))
    for row in (y0, y1 - 1):
        if 0 <= row < rows:
            picture[row, across] = level
    for col in (x0, x1 - 1):
        if 0 <= col < cols:
            picture[down, col] = level


def _framed(box: Box) -> Box:
    """The box with the two pixels of its frame around it."""
    return (float(np.floor(box[0])) - 2, float(np.floor(box[1])) - 2, float(np.ceil(box[2])) + 2, float(np.ceil(box[3])) + 2)


def _scale(height_px: int, width_px: int) -> int:
    """Pixels of the picture for a pixel of a digit."""
    return max(1, round(max(height_px, width_px) / 300))
