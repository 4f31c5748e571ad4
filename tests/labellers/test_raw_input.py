"""Models of measured bands: the checkpoint's own normalisation, and land cover by semantic and universal segmentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.errors import ConfigError, DataError
from rsflow.labellers import from_settings
from rsflow.labellers.land_cover import LandCover
from rsflow.labellers.models.class_maps import ClassMapLabeller
from rsflow.labellers.models.model_labeller import LabellerInput, ModelLabeller
from rsflow.labellers.models.oom_backoff import OomBackoff
from rsflow.labellers.models.raw_input import RawInput
from rsflow.records import Raster
from rsflow.stage import fingerprint

torch = pytest.importorskip("torch", reason="needs the extra rsflow[vlm]")
transformers = pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")

Folders = Callable[[str], Path]
BANDS = tuple(f"b{number:02}" for number in range(12))
RAW = {"bands": list(BANDS), "unit": "reflectance", "factor": 10000.0}


def raster(seed: int = 0, rows: int = 32, cols: int = 32, order: tuple[str, ...] = BANDS) -> Raster:
    """Reflectance of noise; a corner has no data."""
    values = np.random.default_rng(seed).uniform(0.01, 0.4, (12, rows, cols)).astype(np.float32)
    valid = np.ones((rows, cols), np.bool_)
    valid[:4, :4] = False
    by_name = dict(zip(BANDS, values, strict=True))
    return Raster(np.stack([by_name[name] for name in order]), valid, order)


def item(bands: Raster | None, unit: str = "reflectance") -> LabellerInput:
    size = bands.valid.shape if bands else (32, 32)
    return LabellerInput(np.full(size, 90, np.uint8), "optical", 10.0, (), bands, unit)


def labeller(folder: Path, **settings: Any) -> ModelLabeller:
    found = from_settings({"model": str(folder), **settings})
    assert isinstance(found, ModelLabeller)
    return found


def test_bands_are_normalised_by_the_checkpoints_own_numbers(checkpoint: Folders) -> None:
    """Beside plain transformers and NumPy, whatever the order of the scene's bands is."""
    folder = checkpoint("twelve_bands")
    own = labeller(folder, name="classifier", threshold=0.0, raw=RAW)
    model = transformers.ViTForImageClassification.from_pretrained(folder).eval()
    bands = raster()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    mean, std = (np.array(numbers)[:, None, None] for numbers in (processor.image_mean, processor.image_std))
    values = (np.where(bands.valid, bands.pixels.astype(np.float64) * 10000, mean) - mean) / std
    with torch.inference_mode():
        expected = model(torch.from_numpy(values[None].astype(np.float32))).logits.softmax(-1)[0]
    opened = own.open()
    shuffled = raster(order=BANDS[::-1])
    for batch in ([item(bands)], [item(shuffled)]):
        ((label,),) = (output.labels for output in opened.infer(batch, opened.prepare(batch)))
        assert label.category == model.config.id2label[int(expected.argmax())]
        assert label.score == pytest.approx(float(expected.max()), abs=2e-4)


@pytest.mark.parametrize(
    ("bands", "unit", "reason"),
    [
        (None, "reflectance", "no_raw_bands"),
        (raster(), "dn", "wrong_unit"),
        (Raster(raster().pixels[:3], raster().valid, BANDS[:3]), "reflectance", "missing_band"),
    ],
)
def test_a_tile_that_a_model_cannot_take_says_why(checkpoint: Folders, bands: Raster | None, unit: str, reason: str) -> None:
    own = labeller(checkpoint("twelve_bands"), name="embedder", pooling="first", raw=RAW)
    own.check_input(item(raster()))
    with pytest.raises(DataError) as caught:
        own.check_input(item(bands, unit))
    assert caught.value.reason == reason
    assert own.missing(BANDS[:3], "optical")
    assert own.missing(BANDS, "optical") is None


def test_a_checkpoint_for_other_bands_is_refused_when_it_opens(checkpoint: Folders) -> None:
    for family, raw in (("twelve_bands", {**RAW, "bands": list(BANDS[:4])}), ("resnet", RAW)):
        with pytest.raises(ConfigError, match=r"raw\.bands names"):
            labeller(checkpoint(family), name="classifier", raw=raw).open()


def test_without_raw_bands_a_labeller_is_what_it_was(checkpoint: Folders) -> None:
    """Its fingerprint names no setting that it did not have, so nothing is labelled again."""
    folder = checkpoint("resnet")
    plain, raw = (labeller(folder, name="classifier", **more) for more in ({}, {"raw": RAW}))
    assert fingerprint(plain) != fingerprint(raw)
    assert not plain.needs_raster
    assert raw.needs_raster


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_become_the_bands_mean(checkpoint: Folders, value: float) -> None:
    own = labeller(checkpoint("twelve_bands"), name="classifier", threshold=0.0, raw=RAW)
    spoilt, mended = raster(), raster()
    spoilt.pixels[3, 10:20, 10:20] = value
    mended.pixels[3, 10:20, 10:20] = (500.0 + 300) / 10000
    opened = own.open()
    found = [opened.infer([item(one)], opened.prepare([item(one)]))[0].labels for one in (spoilt, mended)]
    assert found[0] == found[1]


@pytest.mark.parametrize("family", ["segformer", "unet", "mask2former", "twelve_band_map"])
def test_land_cover_is_the_share_of_valid_pixels_of_the_likeliest_class(checkpoint: Folders, family: str) -> None:
    more = {"raw": RAW} if family == "twelve_band_map" else {}
    own = labeller(checkpoint(family), name="land_cover", **more)
    assert isinstance(own, LandCover)
    one = item(raster(rows=48, cols=64))
    maps = own.open_maps()
    shares = maps.shares([one], maps.prepare([one]))[0]
    assert shares.shape == (len(maps.words), 48, 64)
    assert np.allclose(shares.sum(axis=0), 1, atol=1e-3)
    (found,) = OomBackoff(own.open())([one])
    assert not isinstance(found, DataError)
    assert one.raster
    best = shares.argmax(axis=0)[one.raster.valid]
    expected = {maps.words[number]: float((best == number).mean()) for number in np.unique(best).tolist()}
    assert {label.category: label.value for label in found.labels} == pytest.approx(expected, abs=1e-4)
    assert sum(label.value or 0 for label in found.labels) == pytest.approx(1, abs=1e-3)


def test_mask2formers_maps_are_those_that_transformers_makes(checkpoint: Folders) -> None:
    folder = checkpoint("mask2former")
    own = labeller(folder, name="land_cover")
    assert isinstance(own, ClassMapLabeller)
    picture = np.random.default_rng(5).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    one = LabellerInput(picture, "optical", 1.0)
    maps = own.open_maps()
    inputs = maps.prepare([one])
    best = maps.shares([one], inputs)[0].argmax(axis=0)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = transformers.Mask2FormerForUniversalSegmentation.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = model(**processor(images=[one.image], return_tensors="pt"))
    theirs = processor.post_process_semantic_segmentation(output, target_sizes=[(64, 64)])[0].numpy()
    assert (best == theirs).mean() > 0.97  # theirs goes through a grid of 384 x 384 first


def test_classes_may_be_renamed_joined_or_left_unknown(checkpoint: Folders) -> None:
    own = labeller(checkpoint("segformer"), name="land_cover", categories={"ship": "water", "plane": ""})
    assert isinstance(own, LandCover)
    shares = np.zeros((2, 10, 10), np.float32)
    shares[0, :, :6], shares[1, :, 6:] = 0.9, 0.8
    shares[1, :, :6], shares[0, :, 6:] = 0.1, 0.2
    whole = LabellerInput(np.zeros((10, 10), np.uint8), "optical", 1.0)
    labels = own.labels(shares, {0: "ship", 1: "plane"}, whole)
    assert [(label.category, label.value) for label in labels] == [("water", 0.6), ("unknown", 0.4)]
    assert labels[0].score == pytest.approx(0.9)
    assert labels[0].shape
    assert labels[0].shape.box == (0.0, 0.0, 6.0, 10.0)
    with pytest.raises(DataError) as caught:
        own.check_input(whole._replace(valid_share=0.7))
    assert caught.value.reason == "valid_unknown"


def test_a_raw_input_takes_its_bands_in_its_own_order() -> None:
    found = RawInput(("b02", "b00"), "reflectance", 2.0).select(raster())
    assert found[0, 10, 10] == pytest.approx(2 * raster().pixels[2, 10, 10])
    assert np.isnan(found[:, 0, 0]).all()
