"""Boxes of a batch as tensors hold each box of each instruction once, in its place."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch

from rsflow.loading.boxes import padded, ragged
from rsflow.loading.loader import Loader
from rsflow.loading.stream import stream


@pytest.fixture(scope="module")
def batch(lake: Any) -> Any:
    return next(iter(Loader(stream(lake.root, batch_size=32, decode=False))))


@pytest.mark.parametrize("kind", ["boxes", "quads"])
@pytest.mark.parametrize("task", [None, "detection", "captioning"])
def test_every_box_stands_where_it_belongs(batch: Any, kind: Literal["boxes", "quads"], task: str | None) -> None:
    expected = [
        (i, j, box.tolist())
        for i, instructions in enumerate(batch["instructions"])
        for j, one in enumerate(instructions)
        if task in (None, one["task"])
        for box in one[kind]
    ]
    found = ragged(batch, kind, task)
    assert found.boxes.dtype == torch.float32
    assert found.boxes.shape == (len(expected), {"boxes": 4, "quads": 8}[kind])
    assert list(zip(found.sample.tolist(), found.instruction.tolist(), found.boxes.tolist(), strict=True)) == expected
    assert bool(expected) == (task != "captioning")


def test_padding_is_masked(batch: Any) -> None:
    boxes, valid = padded(batch)
    flat = ragged(batch)
    assert boxes.shape[:2] == valid.shape == (32, int(np.bincount(flat.sample).max()))
    assert torch.equal(boxes[valid], flat.boxes)
    assert not boxes[~valid].any()


def test_a_batch_without_boxes() -> None:
    for instructions in ([], [[], []]):
        assert ragged({"instructions": instructions}).boxes.shape == (0, 4)
        assert padded({"instructions": instructions})[0].shape == (len(instructions), 0, 4)
