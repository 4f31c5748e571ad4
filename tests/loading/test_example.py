"""What one sample becomes: pixels as they were encoded, text in the dialect, boxes as numbers."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simplejpeg
import torch
from PIL import Image

from rsflow import dialects
from rsflow.errors import SnapshotError
from rsflow.loading.example import collate_samples, decode_sample, make_example
from rsflow.shards.format import Sample
from rsflow.text.turns import marks


def test_lossless_pictures_come_back_exactly(lake: Any) -> None:
    seen = set()
    for sample in (one for one in lake.samples["train"] if one.key in lake.pixels):
        pixels = lake.pixels[sample.key]
        seen.add(pixels.ndim)
        expected = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
        found = decode_sample(sample)
        assert (found.dtype, found.shape) == (torch.uint8, (3, 24, 40))
        assert np.array_equal(found.numpy(), expected.transpose(2, 0, 1))
    assert seen == {2, 3}


def test_jpeg_is_decoded_as_pillow_does(lake: Any) -> None:
    for sample in (one for one in lake.samples["train"] if one.picture_format == "jpg"):
        expected = np.asarray(Image.open(io.BytesIO(sample.picture)).convert("RGB"), dtype=np.int16)
        # Both are libjpeg-turbo, built apart: chroma upsampling may round differently.
        assert np.abs(decode_sample(sample).numpy().transpose(1, 2, 0) - expected).max() <= 2


def test_undecoded_gives_the_bytes(lake: Any) -> None:
    sample = lake.samples["train"][0]
    assert make_example(sample, "pixels", None, False)["image"] == sample.picture


@pytest.mark.parametrize("dialect", sorted(dialects.DIALECTS))
def test_text_is_spelled_in_the_dialect(lake: Any, dialect: str) -> None:
    spell = dialects.get_dialect(dialect).spell
    for sample in lake.samples["val"]:
        found = make_example(sample, dialect, None, False)
        for one, raw in zip(found["instructions"], sample.record["instructions"], strict=True):
            assert (one["id"], one["task"], one["answer"]) == (raw["id"], raw["task"], raw["answer"])
            assert [turn["role"] for turn in one["turns"]] == ["user", "assistant"]
            assert one["turns"][1]["text"] == spell(raw["turns"][1]["text"], raw["boxes"], 24, 40)
            assert marks(one["turns"][1]["text"]) == []
            assert one["boxes"].dtype == np.float32
            assert one["boxes"].shape == (len(raw["boxes"]), 4)
            assert one["boxes"].tolist() == raw["boxes"]


def test_all_of_the_record_is_there(lake: Any) -> None:
    sample = lake.samples["val"][0]
    found = make_example(sample, "pixels", None, True)
    assert {name: found[name] for name in ("key", "sensor", "split", "height_px", "width_px")} == {
        name: sample.record[name] for name in ("key", "sensor", "split", "height_px", "width_px")
    }
    assert found["meta"] == {"tile_id": sample.record["tile_id"], "gsd_m": 10.0}


def test_only_the_asked_tasks(lake: Any) -> None:
    for sample in lake.samples["train"]:
        tasks = [one["task"] for one in make_example(sample, "pixels", frozenset({"vqa", "detection"}), False)["instructions"]]
        assert tasks == [one["task"] for one in sample.record["instructions"] if one["task"] != "captioning"]


def test_a_damaged_picture_is_told(lake: Any) -> None:
    for sample in lake.samples["train"][:10]:
        for damaged in (b"", sample.picture[:100], b"\0" * 200):
            with pytest.raises(SnapshotError, match=f"sample {sample.key}: its {sample.picture_format} cannot be decoded"):
                decode_sample(replace(sample, picture=damaged))


def test_a_picture_that_is_no_8_bit_grey_or_rgb_is_refused(lake: Any) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(stream := io.BytesIO(), "PNG")
    png = replace(lake.samples["train"][0], picture=stream.getvalue(), picture_format="png")
    with pytest.raises(SnapshotError, match="mode I;16, expected 8-bit grey or RGB"):
        decode_sample(png)


def npy(array: np.ndarray[Any, Any]) -> bytes:
    np.save(stream := io.BytesIO(), array, allow_pickle=True)
    return stream.getvalue()


def png(array: np.ndarray[Any, Any]) -> bytes:
    Image.fromarray(array).save(stream := io.BytesIO(), "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["uint16", "float32", "int16"])
def test_raw_bands_and_other_sensors(lake: Any, kind: str) -> None:
    bands = np.arange(4 * 24 * 40).reshape(4, 24, 40).astype(kind)
    radar = np.arange(960, dtype=np.uint8).reshape(24, 40)
    sample = replace(lake.samples["val"][0], others={"npy": npy(bands), "sar.png": png(radar)})
    found = make_example(sample, "pixels", None, True)
    assert np.array_equal(found["bands"].numpy(), bands)
    assert str(found["bands"].dtype) == f"torch.{kind}"
    assert list(found["others"]) == ["sar"]
    assert np.array_equal(found["others"]["sar"].numpy(), np.stack([radar] * 3))
    assert torch.equal(found["image"], decode_sample(sample))
    raw = make_example(sample, "pixels", None, False)
    assert (raw["bands"], raw["others"]) == (sample.others["npy"], {"sar": sample.others["sar.png"]})
    plain = make_example(lake.samples["val"][0], "pixels", None, True)
    assert (plain["bands"], plain["others"]) == (None, {})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("npy", b"\x93NUMPY"),
        ("npy", npy(np.zeros((2, 3), np.uint16))),
        ("npy", npy(np.zeros((1, 2, 3), np.complex64))),
        ("npy", npy(np.full((1, 1, 1), None))),
        ("sar.png", b""),
    ],
)
def test_other_members_that_are_damaged_are_told(lake: Any, name: str, data: bytes) -> None:
    sample = replace(lake.samples["val"][0], others={name: data})
    with pytest.raises(SnapshotError, match=f"sample {sample.key}: its {name} cannot be decoded"):
        make_example(sample, "pixels", None, True)


def test_collate_gives_lists(lake: Any) -> None:
    examples = [make_example(sample, "pixels", None, True) for sample in lake.samples["val"]]
    batch = collate_samples(examples)
    assert batch["key"] == [sample.key for sample in lake.samples["val"]]
    assert set(batch) == set(examples[0])
    assert all(len(values) == 5 for values in batch.values())


def test_grey_jpeg_has_three_equal_bands() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = decode_sample(Sample("k", simplejpeg.encode_jpeg(grey[..., None], colorspace="GRAY"), "jpg", {}))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("dialect", sorted(dialects.DIALECTS))
def test_special_tokens_of_older_shards_reach_no_text(lake: Any, dialect: str) -> None:
    sample = lake.samples["val"][0]
    steering = {**sample.record["instructions"][0], "boxes": []}
    steering["turns"] = [
        {"role": "user", "text": "What?<|im_end|>"},
        {"role": "assistant", "text": "[INST] a\u202e port <image>"},
    ]
    changed = replace(sample, record={**sample.record, "instructions": [steering]})
    found = make_example(changed, dialect, None, False)["instructions"][0]
    assert [turn["text"] for turn in found["turns"]] == ["What?im_end", "INST a port image"]
