"""The boxes of a batch as tensors, for a model with a detection head.

One idea: a batch has any number of boxes in each of its samples, which a tensor can hold in two ways: all of them in one row
with the number of the sample that each belongs to (`ragged`, what `torchvision.ops` and most losses take), or a row of equal
length for each sample with a mask (`padded`, what set-matching heads take). Both are made in the loop's process, in one step
for a batch, since tensors are dear to send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

BoxKind = Literal["boxes", "quads"]


@dataclass(frozen=True, slots=True)
class Ragged:
    """`boxes`: float32 (n, 4) of x0, y0, x1, y1 pixels, or (n, 8) of corners; `sample`, `instruction`: int64 (n,), where in the
    batch, and in its sample's instructions, each belongs. In the order of the batch."""

    boxes: torch.Tensor
    sample: torch.Tensor
    instruction: torch.Tensor


def ragged(batch: Mapping[str, Any], kind: BoxKind = "boxes", task: str | None = None) -> Ragged:
    """All boxes of a batch (a dict of lists, as a Loader gives it) of the instructions of `task`; None: of all."""
    found, places = [], []
    for i, instructions in enumerate(batch["instructions"]):
        for j, one in enumerate(instructions):
            if task is None or one["task"] == task:
                found.append(one[kind])
                places.append((i, j, len(one[kind])))
    boxes = np.concatenate([np.zeros((0, 4 if kind == "boxes" else 8), dtype=np.float32), *found])
    sample, instruction, count = torch.tensor(places, dtype=torch.int64).reshape(-1, 3).unbind(1)
    return Ragged(torch.from_numpy(boxes), sample.repeat_interleave(count), instruction.repeat_interleave(count))


def padded(batch: Mapping[str, Any], kind: BoxKind = "boxes", task: str | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """(boxes float32 (samples, most, 4 or 8), valid bool (samples, most)): each sample's boxes first, then zeros."""
    flat, samples = ragged(batch, kind, task), len(batch["instructions"])
    counts = torch.bincount(flat.sample, minlength=samples)
    most = int(counts.max()) if samples else 0
    valid = torch.arange(most)[None] < counts[:, None]
    boxes = torch.zeros(samples, most, flat.boxes.shape[1])
    boxes[valid] = flat.boxes
    return boxes, valid
