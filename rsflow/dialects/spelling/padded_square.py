"""The padded square: the frame in which LLaVA-like models and MMRS-1M count coordinates.

One idea: the picture is centred in a square of its longer side, and coordinates are shares of that side. The formula
(pads `int((h - w) / 2)` left of a tall picture, `int((w - h) / 2)` above a wide one) is that of the EarthGPT paper
(https://arxiv.org/abs/2401.16822) and of LLaVA's `expand2square`
(https://github.com/haotian-liu/LLaVA/blob/main/llava/mm_utils.py).
"""

from __future__ import annotations

from rsflow.dialects.contract import make_region
from rsflow.dialects.spelling.outlines import Frame
from rsflow.spatial.geometry import Region


def _pads(height_px: int, width_px: int) -> tuple[int, int]:
    return int(max(0, height_px - width_px) / 2), int(max(0, width_px - height_px) / 2)


def to_square(box: Region, height_px: int, width_px: int) -> Region:
    """Pixels to shares of the padded square's side, in [0, 1] for a box inside the picture."""
    side, pads = max(height_px, width_px), _pads(height_px, width_px)
    return make_region([(value + pads[place % 2]) / side for place, value in enumerate(box)])


def from_square(box: Region, height_px: int, width_px: int) -> Region:
    """The inverse of `to_square`."""
    side, pads = max(height_px, width_px), _pads(height_px, width_px)
    return make_region([value * side - pads[place % 2] for place, value in enumerate(box)])


def outline_frame(height_px: int, width_px: int) -> Frame:
    """The same of outlines: shares with two decimals."""
    side = max(height_px, width_px)
    return Frame((1 / side, 1 / side), _pads(height_px, width_px), 2, (1.0, 1.0))


def max_rounding_px(height_px: int, width_px: int) -> tuple[float, float]:
    """Half of 0.01 of the longer side: shares are written with two decimals."""
    return (0.005 * max(height_px, width_px),) * 2
