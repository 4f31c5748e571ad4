"""Whether a processor shows a model pictures of the size that the boxes in their texts were spelled for.

One idea: a dialect that counts in pixels of the resized picture computes that size (`resized`), and a batch of the processor
states the actual one (`image_grid_thw`, in patches). Where the two differ every box would be wrong, so that is refused.
Dialects that count in fractions of a side are independent of the size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rsflow import dialects
from rsflow.errors import ConfigError


def check_picture_sizes(
    examples: Sequence[Mapping[str, Any]], first_pictures: Sequence[int], batch: Any, processor: Any
) -> None:
    """ConfigError for the first example with boxes whose picture the processor resized to another size than was spelled.

    `first_pictures`: of each example, which picture of the batch is its own, -1 where it has none.
    """
    for one, first in zip(examples, first_pictures, strict=True):
        resized = getattr(dialects.get_dialect(one["dialect"]), "resized", None) if "dialect" in one else None
        if first < 0 or resized is None or not any(len(instruction["boxes"]) for instruction in one["instructions"]):
            continue
        expected, shown = resized(one["height_px"], one["width_px"]), shown_size(batch, first, processor)
        if expected != shown:
            raise ConfigError(
                f"sample {one['key']}: dialect {one['dialect']!r} spells boxes in pixels of a picture resized to "
                f"{expected[0]} x {expected[1]}, but {type(processor).__name__} shows the model {_described_size(shown)}. "
                f"{_advice(processor)}"
            )


def shown_size(batch: Any, picture: int, processor: Any) -> tuple[int, int] | None:
    """(rows, cols) of a picture of the batch as the model sees it; None where the processor does not state it."""
    patch = getattr(getattr(processor, "image_processor", None), "patch_size", None)
    if "image_grid_thw" not in batch or not isinstance(patch, int):
        return None
    _, rows, cols = batch["image_grid_thw"][picture].tolist()
    return rows * patch, cols * patch


def _described_size(shown: tuple[int, int] | None) -> str:
    return "an unknown size" if shown is None else f"{shown[0]} x {shown[1]}"


def _advice(processor: Any) -> str:
    size: Any = getattr(getattr(processor, "image_processor", None), "size", None)
    try:
        limits = f"min_pixels={size['shortest_edge']},max_pixels={size['longest_edge']}"
    except (KeyError, TypeError, AttributeError):
        return "Stream in the dialect of this model's family"
    return f"Stream with dialect='qwen:{limits}', or give the processor the limits of the dialect"
