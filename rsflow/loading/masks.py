"""Masks of the things that an instruction segments, for models that decode a token to a mask (rsflow.dialects.lisa).

One idea: where the shards hold masks (`shard.masks`) and the picture has its own size these are decoded; else a mask is made of
the exact outline, so that it fits the picture however it was resized. Both give the same pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.shards.masks import decode_masks, outline_rings
from rsflow.spatial.outline_masks import rasterise_rings

Masks = npt.NDArray[np.bool_]


def instruction_masks(
    instruction: Mapping[str, Any], height_px: int, width_px: int, size: tuple[int, int] | None = None
) -> Masks:
    """(outlines, rows, cols), True inside: the masks of an instruction's marks of outlines, in the order of their numbers.

    `height_px`, `width_px` are the picture's; `size` (rows, cols) is what it was resized to (default: its own). An instruction
    without outlines has none: (0, rows, cols).
    """
    rows, cols = size or (height_px, width_px)
    stored = instruction.get("masks")
    if stored and (rows, cols) == (height_px, width_px):
        return decode_masks(stored, rows, cols)
    outlines = outline_rings(instruction["answer"])
    masks = np.zeros((len(outlines), rows, cols), dtype=np.bool_)
    for mask, rings in zip(masks, outlines, strict=True):
        mask[...] = rasterise_rings(rings, rows, cols, (cols / width_px, rows / height_px))
    return masks
