"""Batches of segmentation: a mask for each `[SEG]` of a row, in the order of the tokens, in the size that was asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import rsflow
from rsflow.errors import ConfigError
from rsflow.loading.collate import collate
from rsflow.shards.format import MASKS, Sample
from rsflow.shards.manifest import Manifest, write_snapshot
from rsflow.shards.masks import encode_masks
from tests.loading.conftest import write_split
from tests.loading.test_collate import llava, qwen

ROWS, COLS = 40, 60
BOXES = [[4, 2, 16, 12], [20, 10, 44, 30], [50, 8, 58, 36]]  # whole numbers: a mask is exactly its box


def outlined(number: int, kept: list[int]) -> dict[str, Any]:
    rings = [[x0, y0, x1, y0, x1, y1, x0, y1] for x0, y0, x1, y1 in (BOXES[i] for i in kept)]
    text = f"There are [[{len(kept)} ships|#{','.join(map(str, range(len(kept))))}]]."
    answer = {"kind": "outlines", "outlines": [[ring] for ring in rings], "polygons": rings}
    return talk(f"s#{number}", "segmentation", "Outline the ships.", text, answer)


def talk(key: str, task: str, question: str, text: str, answer: dict[str, Any]) -> dict[str, Any]:
    turns = [{"role": "user", "text": question}, {"role": "assistant", "text": text}]
    return {"id": key, "task": task, "turns": turns, "boxes": [], "answer": answer, "generator": "rule 1"}


def sample(key: str, *instructions: dict[str, Any], has_member: bool = True) -> Sample:
    Image.fromarray(np.zeros((ROWS, COLS, 3), dtype=np.uint8)).save(stream := io.BytesIO(), "PNG")
    record = {
        "key": key, "tile_id": f"scene/{key}", "sensor": "optical", "split": "train", "height_px": ROWS, "width_px": COLS,
        "gsd_m": 1.0, "instructions": list(instructions),
    }  # fmt: skip
    masks = encode_masks(record) if has_member else None
    return Sample(key, stream.getvalue(), "png", record, {MASKS: masks} if masks else {})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counted = talk("s#9", "vqa", "How many ships are there?", "Two ships.", {"kind": "count", "value": 2})
    shards = [
        sample("a" * 20, outlined(1, [2, 0]), counted, outlined(2, [1])),
        sample("b" * 20, {**counted, "id": "t#1"}),
        sample("c" * 20, outlined(3, [0, 1, 2]), has_member=False),
    ]
    folder = tmp_path_factory.mktemp("masks")
    write_snapshot(str(folder), Manifest("f" * 32, 0, {"train": write_split(folder, "train", [shards])}))
    return folder


def box_mask(box: list[int], rows: int = ROWS, cols: int = COLS) -> torch.Tensor:
    x0, y0, x1, y1 = box
    mask = torch.zeros(rows, cols, dtype=torch.bool)
    mask[y0 * rows // ROWS : y1 * rows // ROWS, x0 * cols // COLS : x1 * cols // COLS] = True
    return mask


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return qwen(tmp_path_factory.mktemp("qwen"))[1]


@pytest.mark.parametrize("grouping", ["joined", "each", "first"])
def test_each_token_has_its_mask(root: Path, processor: Any, grouping: Any) -> None:
    dataset = rsflow.stream(str(root), dialect="lisa", shuffle=False)
    fn = collate(processor, grouping=grouping, masks="picture")
    (batch,) = DataLoader(dataset, batch_size=3, num_workers=1, collate_fn=fn)
    texts = processor.tokenizer.batch_decode(batch["input_ids"])
    assert len(batch["masks"]) == len(texts) == {"joined": 3, "each": 5, "first": 3}[grouping]
    assert [len(masks) for masks in batch["masks"]] == [text.count("[SEG]") for text in texts]
    assert all(masks.dtype == torch.bool and masks.shape[1:] == (ROWS, COLS) for masks in batch["masks"])
    expected = {"joined": [2, 0, 1], "each": [2, 0], "first": [2, 0]}[grouping]
    assert torch.equal(batch["masks"][0], torch.stack([box_mask(BOXES[i]) for i in expected]))
    assert torch.equal(batch["masks"][-1], torch.stack([box_mask(box) for box in BOXES]))  # of its outlines: no member


def test_masks_fit_the_size_that_is_asked_for(root: Path, processor: Any) -> None:
    examples = list(rsflow.stream(str(root), dialect="lisa", shuffle=False))
    fixed = collate(processor, masks=(20, 30))(examples)
    assert torch.equal(fixed["masks"][-1], torch.stack([box_mask(box, 20, 30) for box in BOXES]))
    shown = collate(processor, masks="processed")(examples)
    for masks, (_, rows, cols) in zip(shown["masks"], shown["image_grid_thw"].tolist(), strict=True):
        assert masks.shape[1:] == (14 * rows, 14 * cols)
    share = [mask.float().mean().item() for mask in shown["masks"][-1]]
    assert share == pytest.approx([(x1 - x0) * (y1 - y0) / (ROWS * COLS) for x0, y0, x1, y1 in BOXES], abs=0.03)


def test_a_shortened_conversation_has_the_masks_of_what_is_left(root: Path, processor: Any) -> None:
    examples = list(rsflow.stream(str(root), dialect="lisa", shuffle=False))[:1]
    whole = collate(processor, masks="picture")(examples)
    short = collate(processor, masks="picture", max_tokens=whole["input_ids"].shape[1] - 1)(examples)
    assert torch.equal(short["masks"][0], whole["masks"][0][:2])
    assert processor.tokenizer.decode(short["input_ids"][0]).count("[SEG]") == 2


def test_without_a_size_there_are_none_and_an_unknown_one_is_refused(root: Path, processor: Any, tmp_path: Path) -> None:
    examples = list(rsflow.stream(str(root), dialect="lisa", shuffle=False))
    assert "masks" not in collate(processor)(examples)
    with pytest.raises(ConfigError, match=r"LlavaProcessor does not state to what size it resizes a picture"):
        collate(llava(tmp_path)[1], masks="processed")(examples)
    for size in ("original", (20,), (0, 5), True):
        with pytest.raises(ConfigError, match=r"masks: found .*, expected 'picture', 'processed' or \(rows, cols\)"):
            collate(processor, masks=size)  # type: ignore[arg-type]  # what a user may write
    with pytest.raises(ConfigError, match="no picture is processed"):
        collate(processor, masks="processed", pictures="none")
