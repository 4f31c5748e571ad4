"""What a training loop gets of one sample: tensors, and text in the asked dialect.

One idea: pictures are decoded (rsflow.loading.decode) and text is spelled as late as possible; everything before moves bytes
and numbers. A picture that cannot be decoded is a damaged shard (SnapshotError): what leaves silently cannot be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rsflow import dialects
from rsflow.errors import SnapshotError
from rsflow.geometry import corners, hull
from rsflow.loading.decode import decoded
from rsflow.shards.format import Sample

# What a record holds that stands elsewhere in the example; the rest is its `meta`.
_TAKEN = frozenset({"key", "sensor", "split", "height_px", "width_px", "instructions"})


def example(sample: Sample, dialect: str, tasks: frozenset[str] | None, decode: bool) -> dict[str, Any]:
    """The sample as a dict.

    key, sensor, split: str; height_px, width_px: int; image: uint8 tensor (3, rows, cols), grey repeated, or the encoded
    bytes where `decode` is false; instructions: those of `tasks` (None: all), see `_instruction`; meta: the record's rest.
    """
    record = sample.record
    height_px, width_px = record["height_px"], record["width_px"]
    return {
        "key": sample.key,
        "image": picture(sample) if decode else sample.picture,
        "sensor": record["sensor"],
        "split": record["split"],
        "height_px": height_px,
        "width_px": width_px,
        "instructions": [
            _instruction(instruction, dialect, height_px, width_px)
            for instruction in record["instructions"]
            if tasks is None or instruction["task"] in tasks
        ],
        "meta": {name: value for name, value in record.items() if name not in _TAKEN},
    }


def picture(sample: Sample) -> torch.Tensor:
    """The decoded picture: uint8 (3, rows, cols), a view of rows × cols × 3 in memory. SnapshotError where it is damaged."""
    try:
        pixels = decoded(sample.picture)
    except (ValueError, OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        raise SnapshotError(f"sample {sample.key}: its {sample.picture_format} cannot be decoded ({error})") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def collate_samples(examples: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """A batch as a dict of lists, for `DataLoader(..., collate_fn=collate_samples)`: nothing is padded or stacked."""
    return {name: [one[name] for one in examples] for name in examples[0]}


def _instruction(instruction: dict[str, Any], dialect: str, height_px: int, width_px: int) -> dict[str, Any]:
    """id, task; turns: role and text in the dialect; boxes: float32 array (n, 4) of x0, y0, x1, y1 pixels; quads: float32 array
    (n, 8) of four corners, which are those of the box where it is not oriented; answer.

    Boxes are no tensors: a DataLoader worker hands every tensor over as a shared memory file of its own, which for these few
    bytes takes longer than all else that is done to a sample.
    """
    spell, boxes = dialects.get(dialect).spell, instruction["boxes"]
    turns = [{"role": turn["role"], "text": spell(turn["text"], boxes, height_px, width_px)} for turn in instruction["turns"]]
    return {
        "id": instruction["id"],
        "task": instruction["task"],
        "turns": turns,
        "boxes": np.array([hull(box) for box in boxes], dtype=np.float32).reshape(-1, 4),
        "quads": np.array([corners(box) for box in boxes], dtype=np.float32).reshape(-1, 8),
        "answer": instruction["answer"],
    }
