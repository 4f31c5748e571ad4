"""Masks of segmentation answers in a shard: the exact pixels, in a form that pycocotools reads."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco

from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.loading.example import make_example
from rsflow.loading.masks import instruction_masks
from rsflow.shards.format import MASKS, Sample
from rsflow.shards.manifest import ShardEntry, index_path
from rsflow.shards.masks import encode_masks
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_shard
from rsflow.shards.writer import write_shard
from rsflow.spatial.run_lengths import decode_mask, encode_mask

ROWS, COLS = np.mgrid[:48, :64]
RING = ((ROWS - 20) ** 2 + (COLS - 20) ** 2 < 15**2) & ((ROWS - 20) ** 2 + (COLS - 20) ** 2 >= 6**2)
TWO_PARTS = (abs(ROWS - 30) < 6) & (abs(COLS - 45) < 15) & (abs(COLS - 45) > 5)

drawn_masks = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32), st.floats(0, 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).random((drawn[0], drawn[1])) < drawn[3]
)


@given(drawn_masks)
@settings(deadline=None)
def test_pycocotools_reads_and_writes_the_same_run_lengths(mask: Any) -> None:
    rle = encode_mask(mask)
    assert np.array_equal(coco.decode({**rle, "counts": rle["counts"].encode()}).astype(bool), mask)
    assert coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode() == rle["counts"]
    assert np.array_equal(decode_mask(rle), mask)


def segmented(*masks: Any) -> dict[str, Any]:
    parts = [[[list(ring) for ring in part] for part in trace_outline(mask)] for mask in masks]
    answer = {"kind": "outlines", "outlines": [[part[0] for part in one] for one in parts], "parts": parts}
    turns = [{"role": "user", "text": "Segment."}, {"role": "assistant", "text": "[[2 ships|#0,1]]"}]
    instruction = {"task": "segmentation", "turns": turns, "boxes": [], "answer": answer, "labels": []}
    plain = {**instruction, "id": "t#vqa#1", "task": "vqa", "answer": {"kind": "count", "value": 2}, "turns": turns[:1]}
    return {
        "key": "k1",
        "sensor": "sar",
        "split": "train",
        "height_px": 48,
        "width_px": 64,
        "instructions": [plain, {**instruction, "id": "t#segmentation#1"}],
    }


def write(tmp_path: Path, record: dict[str, Any], masks: bytes | None) -> ShardEntry:
    png = io.BytesIO()
    Image.new("L", (64, 48)).save(png, "PNG")
    sample = Sample("k1", png.getvalue(), "png", record, {MASKS: masks} if masks else {})
    path = "shards/train/a.tar"
    info = write_shard(str(tmp_path / path), str(tmp_path / index_path(path)), [sample])
    return ShardEntry(path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)


def test_a_shards_masks_are_the_annotated_pixels_and_stand_beside_one_picture(tmp_path: Path) -> None:
    record = segmented(RING, TWO_PARTS)
    entry = write(tmp_path, record, encode_masks(record))
    assert verify_shard(str(tmp_path), entry) == []
    (sample,) = ShardReader(str(tmp_path), entry)
    assert [name for name, _ in sample.members()] == ["json", "masks.json", "png"]
    assert sample.further_pictures() == []
    example = make_example(sample, "lisa", None, decode=True)
    assert example["others"] == {}
    question, answer = example["instructions"]
    assert "masks" not in question
    assert answer["turns"][-1]["text"] == "2 ships [SEG] [SEG]"
    outlines_gone = {**answer, "answer": {"kind": "outlines"}}  # so that nothing but the stored masks can give them
    assert np.array_equal(instruction_masks(outlines_gone, 48, 64), np.stack([RING, TWO_PARTS]))
    half = instruction_masks(answer, 48, 64, (24, 32))
    assert np.array_equal(half[1], TWO_PARTS[1::2, 1::2])


def test_masks_of_other_outlines_are_found(tmp_path: Path) -> None:
    entry = write(tmp_path, segmented(RING, TWO_PARTS), encode_masks(segmented(TWO_PARTS, RING)))
    faults = verify_shard(str(tmp_path), entry)
    assert any("masks.json" in fault for fault in faults), faults


@pytest.mark.parametrize("record", [{**segmented(RING), "instructions": []}])
def test_a_sample_without_outlines_has_no_masks(record: dict[str, Any]) -> None:
    assert encode_masks(record) is None
