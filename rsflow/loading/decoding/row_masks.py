"""The masks of a batch's rows, for models that decode a token to a mask.

One idea: the masks of a row stand in the order in which its text names the outlines (`[SEG]` in rsflow.dialects.lisa), and only
those of exchanges that are in the row. They are made for the whole picture, in its own size, in the size that the processor
shows the model, or in a fixed one to which the whole picture is stretched. A processor that crops pictures shows another part
of them, which no stretched mask fits: its size has to be refused, so "processed" is for processors that state it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

from rsflow.errors import ConfigError
from rsflow.loading.decoding.sizes import shown_size
from rsflow.loading.masks import instruction_masks

MaskSize = Literal["picture", "processed"] | tuple[int, int]
EXPECTED = "expected 'picture', 'processed' or (rows, cols)"


def check_mask_size(size: MaskSize | None, has_pictures: bool) -> None:
    """ConfigError for what is no size of masks."""
    is_fixed = isinstance(size, tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
    if not (size in (None, "picture", "processed") or is_fixed):
        raise ConfigError(f"masks: found {size!r}, {EXPECTED}")
    if size == "processed" and not has_pictures:
        raise ConfigError(f"masks: found {size!r} where pictures='none': no picture is processed, {EXPECTED}")


def row_masks(
    example: Mapping[str, Any],
    instructions: Sequence[Mapping[str, Any]],
    size: MaskSize,
    batch: Any,
    picture: int,
    processor: Any,
) -> torch.Tensor:
    """Bool (outlines, rows, cols): the masks of one row's instructions. `picture`: which picture of the batch is its own."""
    height_px, width_px = example["height_px"], example["width_px"]
    shown = (
        shown_size(batch, picture, processor) if size == "processed" else (height_px, width_px) if size == "picture" else size
    )
    if shown is None or isinstance(shown, str):
        raise ConfigError(
            f"masks: {type(processor).__name__} does not state to what size it resizes a picture: expected 'picture', or "
            "(rows, cols) where it crops nothing"
        )
    found = [instruction_masks(one, height_px, width_px, shown) for one in instructions]
    return torch.from_numpy(np.concatenate([np.zeros((0, *shown), dtype=np.bool_), *found]))
