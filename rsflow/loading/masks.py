"""Masks of the things that an instruction segments, for models that decode a token to a mask (rsflow.dialects.lisa).

One idea: a mask is made of the exact outline when it is needed, so shards hold numbers and a mask fits the picture however it
was resized. A pixel belongs to a thing where its middle is inside, under the even-odd rule over all rings, as polygons traced
along pixels' edges come back pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Masks = npt.NDArray[np.bool_]


def instruction_masks(
    instruction: Mapping[str, Any], height_px: int, width_px: int, size: tuple[int, int] | None = None
) -> Masks:
    """(outlines, rows, cols), True inside: the masks of an instruction's marks of outlines, in the order of their numbers.

    `height_px`, `width_px` are the picture's; `size` (rows, cols) is what it was resized to (default: its own). An instruction
    without outlines has none: (0, rows, cols).
    """
    rows, cols = size or (height_px, width_px)
    found = [_rings(outline) for outline in _exact_outlines(instruction["answer"])]
    masks = np.zeros((len(found), rows, cols), dtype=np.bool_)
    scale = np.array([cols / width_px, rows / height_px])
    for mask, rings in zip(masks, found, strict=True):
        for ring in rings:
            mask ^= _inside(np.asarray(ring, dtype=np.float64).reshape(-1, 2) * scale, rows, cols)
    return masks


def _exact_outlines(answer: Mapping[str, Any]) -> Sequence[Any]:
    """Per outline its parts, each the outer ring and its holes."""
    if "outlines" not in answer:
        return ()
    return answer.get("parts") or [[[ring]] for ring in answer["polygons"]]


def _rings(parts: Sequence[Sequence[Sequence[float]]]) -> list[Sequence[float]]:
    return [ring for part in parts for ring in part]


def _inside(points: npt.NDArray[np.float64], rows: int, cols: int) -> Masks:
    """(rows, cols): where the middle of a pixel is inside the ring of `points` (n, 2), by the crossings to its left."""
    nearest = np.roll(points, -1, axis=0)
    crossings = np.zeros((rows, cols + 1), dtype=np.int64)
    for (x0, y0), (x1, y1) in zip(points, nearest, strict=True):
        if y0 == y1:
            continue
        top, bottom = sorted((y0, y1))
        hit = np.arange(max(0, int(np.ceil(top - 0.5))), min(rows, int(np.ceil(bottom - 0.5))))
        at = x0 + (hit + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        first = np.clip(np.ceil(at - 0.5), 0, cols).astype(np.int64)  # the first pixel whose middle is right of the crossing
        np.add.at(crossings, (hit, first), 1)
    inside: Masks = crossings[:, :cols].cumsum(axis=1) % 2 == 1
    return inside
