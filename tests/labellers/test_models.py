"""Model families through the code that loads real checkpoints: what they say, whatever company a picture is in."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.errors import ConfigError, RsflowError
from rsflow.labellers import MODELS, from_settings
from rsflow.labellers.captioner import finished_sentences
from rsflow.labellers.models.chat import Answer
from rsflow.labellers.models.detections import RawDetection
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, ModelLabeller
from rsflow.labellers.outliner import outline
from rsflow.labellers.zero_shot_detector import matching_phrase
from rsflow.records import Label, Provenance, Shape
from rsflow.sensors import SENSOR_NAMES
from rsflow.spatial.geometry import Box
from rsflow.spatial.polygons import parts_area, parts_bounds, to_geometry
from rsflow.stage import fingerprint

transformers = pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")

Folders = Callable[[str], Path]
ASKED = {"red ship": "ship", "blue plane": "plane"}
FAMILIES: dict[str, dict[str, Any]] = {
    "detr": {"name": "detector", "threshold": 0.2},
    "rt_detr": {"name": "detector", "threshold": 0.2, "max_overlap": 0.5},
    "owlv2": {"name": "zero_shot_detector", "categories": ASKED, "threshold": 0.0},
    "grounding_dino": {"name": "zero_shot_detector", "categories": ASKED, "threshold": 0.05, "text_threshold": 0.9},
    "clip": {"name": "zero_shot_classifier", "categories": ASKED, "threshold": 0.0},
    "siglip": {"name": "zero_shot_classifier", "categories": ASKED, "threshold": 0.0},
    "dinov2": {"name": "embedder"},
    "talking_llava": {"name": "captioner", "max_tokens": 8},
    "llava": {"name": "captioner", "max_tokens": 12},
    "sam": {"name": "outliner", "threshold": 0.0},
    "centres": {"name": "detector", "threshold": 0.0, "most": 5},
    "unet": {"name": "segmenter", "threshold": 0.0},
    "segformer": {"name": "segmenter", "threshold": 0.0},
    "mask2former": {"name": "segmenter", "threshold": 0.0},
    "resnet": {"name": "classifier", "threshold": 0.0},
}
# Their processors have a part for videos, or none for pictures of one size.
WRITERS = ("qwen2_vl", "qwen2_5_vl", "idefics3", "internvl")
FAMILIES |= {family: {"name": "captioner", "max_tokens": 24} for family in WRITERS}
ANNOTATED = Provenance("annotation", "test")


def labeller(folders: Folders, family: str, **settings: Any) -> ModelLabeller:
    found = from_settings({**FAMILIES.get(family, {}), "model": str(folders(family)), **settings})
    assert isinstance(found, ModelLabeller)
    return found


def run_labeller(labeller: ModelLabeller, batch: list[LabellerInput]) -> list[LabellerOutput]:
    opened = labeller.open()
    return opened.infer(batch, opened.prepare(batch))


def make_inputs(count: int = 8, rows: int = 50, cols: int = 70) -> list[LabellerInput]:
    """Pictures of noise of one size, every other one grey, each third without a box."""
    made = []
    for i in range(count):
        shape = (rows, cols, 3) if i % 2 else (rows, cols)
        boxes = [box((5.0 * n, 4.0, 30.0 + 5 * n, 28.5)) for n in range(i % 3)]
        picture = np.random.default_rng(i).integers(0, 255, shape).astype(np.uint8)
        made.append(LabellerInput(picture, "optical", 1.0, tuple(boxes)))
    return made


def box(place: Box, polygon: tuple[float, ...] = ()) -> Label:
    return Label("box", "ship", ANNOTATED, Shape(place, polygon))


def colour(channel: int, seed: int = 0) -> LabellerInput:
    picture = np.random.default_rng(seed).integers(60, 110, (40, 48, 3)).astype(np.uint8)
    picture[..., channel] += 100
    return LabellerInput(picture, "optical", None)


def test_smolvlm_says_what_it_needs_and_sees_without_videos(checkpoint: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    captioner = {"name": "captioner", "model": str(checkpoint("smolvlm")), "max_tokens": 24}
    module = importlib.import_module("transformers.models.smolvlm.processing_smolvlm")
    monkeypatch.setattr(module, "num2words", None)
    with pytest.raises(RsflowError, match=r"a library is missing that this model needs: .*num2words"):
        from_settings(captioner).open()
    monkeypatch.setattr(module, "num2words", str)
    model, first = from_settings(captioner), labeller(checkpoint, "idefics3")
    assert isinstance(model, ModelLabeller)
    texts = [[[label.text for label in one.labels] for one in run_labeller(each, make_inputs(3))] for each in (model, first)]
    assert texts[0] == texts[1]


def test_every_model_of_the_table_is_looked_through_here() -> None:
    assert {name: kind.name for name, kind in MODELS.items()} == {name: name for name in MODELS}
    assert {settings["name"] for settings in FAMILIES.values()} | {"answerer", "land_cover"} == set(MODELS)
    assert all(kind.sensors == set(SENSOR_NAMES) for kind in MODELS.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_seen_is_in_order_and_does_not_depend_on_the_batch(family: str, checkpoint: Folders) -> None:
    model, pictures = labeller(checkpoint, family), make_inputs()
    opened = model.open()
    together = opened.infer(pictures, opened.prepare(pictures))
    alone = [opened.infer([one], opened.prepare([one]))[0] for one in pictures]
    assert any(one.labels or one.vector is not None for one in together)
    assert family not in WRITERS or len({one.labels for one in together}) > 1
    for one, other, picture in zip(together, alone, pictures, strict=True):
        assert one.labels == other.labels
        assert np.array_equal(one.vector, other.vector) if one.vector is not None else other.vector is None
        for label in one.labels:
            assert label.provenance == model.origin
            assert label.score is None or (0 <= label.score <= 1 and label.score == round(label.score, 4))
            if label.shape is not None:
                x0, y0, x1, y1 = label.shape.box
                assert 0 <= x0 < x1 <= picture.size[1]
                assert 0 <= y0 < y1 <= picture.size[0]


@pytest.mark.parametrize("family", ["owlv2", "grounding_dino", "clip"])
def test_a_phrase_that_means_nothing_takes_its_finds_away(family: str, checkpoint: Folders) -> None:
    found = [label.category for one in run_labeller(labeller(checkpoint, family), make_inputs()) for label in one.labels]
    drops = {phrase: category if category == "ship" else "" for phrase, category in ASKED.items()}
    kept = [
        label.category
        for one in run_labeller(labeller(checkpoint, family, categories=drops), make_inputs())
        for label in one.labels
    ]
    assert set(found) <= {"ship", "plane"}
    assert kept == [category for category in found if category == "ship"]


def test_the_detector_says_what_its_weights_say(checkpoint: Folders) -> None:
    # Three equal boxes, middle (0.9, 0.5), size (0.4, 0.5) of the picture: they reach beyond its right edge.
    for rows, cols in ((50, 70), (64, 64), (30, 90)):
        (one,) = run_labeller(labeller(checkpoint, "corner_detr", name="detector", max_overlap=0.5), make_inputs(1, rows, cols))
        (label,) = one.labels
        assert (label.category, label.score) == ("ship", 0.8)
        assert label.shape is not None
        assert label.shape.box == pytest.approx((0.7 * cols, 0.25 * rows, cols, 0.75 * rows), abs=0.011)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["ship"] * 3),
        ({"most": 2}, ["ship"] * 2),
        ({"threshold": 0.8}, ["ship"] * 3),
        ({"threshold": 0.81}, []),
        ({"threshold": 0.9, "thresholds": {"ship": 0.7}}, ["ship"] * 3),
        ({"thresholds": {"ship": 0.85}}, []),
        ({"categories": {"ship": "vessel"}, "thresholds": {"ship": 0.85}}, ["vessel"] * 3),
        ({"categories": {"ship": ""}}, []),
    ],
)
def test_thresholds_and_names_of_categories(settings: dict[str, Any], expected: list[str], checkpoint: Folders) -> None:
    (one,) = run_labeller(labeller(checkpoint, "corner_detr", name="detector", **settings), make_inputs(1))
    assert [label.category for label in one.labels] == expected


def test_a_box_goes_where_a_better_one_overlaps_it_whatever_they_are_called(checkpoint: Folders) -> None:
    model = from_settings({"name": "detector", "model": str(checkpoint("detr")), "max_overlap": 0.5})
    found = [
        RawDetection("ship", 0.6, (0, 0, 10, 10)),
        RawDetection("plane", 0.9, (0, 1, 10, 10)),
        RawDetection("plane", 0.8, (4, 0, 14, 10)),  # overlaps the best by 0.4
        RawDetection("ship", 0.7, (30, 30, 99, 99)),
        RawDetection("ship", 0.9, (50, 30, 60, 40)),  # beyond the picture
        RawDetection("ship", 0.9, (5, 5, 5, 9)),
    ]
    labels = model.labels(found, (40, 40))  # type: ignore[union-attr]
    assert [(label.category, label.score, label.shape.box) for label in labels] == [
        ("plane", 0.9, (0.0, 1.0, 10.0, 10.0)),
        ("plane", 0.8, (4.0, 0.0, 14.0, 10.0)),
        ("ship", 0.7, (30.0, 30.0, 40.0, 40.0)),
    ]


def test_calibrated_scores_are_what_thresholds_and_quality_are_about(checkpoint: Folders, tmp_path: Path) -> None:
    curves = {
        "*": {"method": "isotonic", "quality": 0.6, "boxes": 9, "points": [[0.5, 0.1], [1.0, 0.6]]},
        "boat": {"method": "isotonic", "quality": 0.7, "boxes": 9, "points": [[0.5, 0.2], [1.0, 1.0]]},
    }
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"calibrations": [{"labeller": "detector", "iou": 0.5, "curves": curves}]}))
    settings = {"name": "detector", "calibration": str(file), "max_overlap": 0.5}
    for names, threshold, expected in (
        ({}, 0.4, [("ship", 0.4, 0.6)]),
        ({}, 0.41, []),
        ({"ship": "boat"}, 0.4, [("boat", 0.68, 0.7)]),
    ):
        model = labeller(checkpoint, "corner_detr", threshold=threshold, categories=names, **settings)
        (one,) = run_labeller(model, make_inputs(1))
        assert [(label.category, label.score, label.provenance.quality) for label in one.labels] == expected
    before = fingerprint(model)
    file.write_text(file.read_text().replace("0.7", "0.71"))
    assert fingerprint(labeller(checkpoint, "corner_detr", threshold=threshold, categories=names, **settings)) != before


def test_detections_are_those_of_transformers_own_pipeline(checkpoint: Folders) -> None:
    model, picture = labeller(checkpoint, "rt_detr", threshold=0.25, max_overlap=None), make_inputs(2)[1]
    loaded = model.load("AutoModelForObjectDetection", "AutoImageProcessor")
    pipeline = transformers.pipeline("object-detection", loaded.model, image_processor=loaded.processor)
    theirs = sorted((row["label"], round(row["score"], 4)) for row in pipeline(picture.image, threshold=0.25))
    (one,) = run_labeller(model, [picture])
    assert theirs
    assert sorted((label.category, label.score) for label in one.labels) == theirs


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_scores_are_those_of_transformers_own_pipeline(family: str, checkpoint: Folders) -> None:
    model, picture = labeller(checkpoint, family, template="a {} ."), make_inputs(2)[1]
    loaded = model.load("AutoModelForZeroShotImageClassification")
    parts = {"tokenizer": loaded.processor.tokenizer, "image_processor": loaded.processor.image_processor}
    pipeline = transformers.pipeline("zero-shot-image-classification", loaded.model, **parts)
    best = pipeline(picture.image, candidate_labels=list(ASKED), hypothesis_template="a {} .")[0]
    ((label,),) = (one.labels for one in run_labeller(model, [picture]))
    assert (label.category, label.score) == (ASKED[best["label"]], pytest.approx(best["score"], abs=1e-4))


def test_a_taught_classifier_tells_colours_apart(checkpoint: Folders) -> None:
    phrases = {"red": "warm", "green": "cool", "blue": "cool"}
    model = from_settings(
        {
            "name": "zero_shot_classifier",
            "model": str(checkpoint("colour_clip")),
            "categories": phrases,
            "template": "a {} picture",
        }
    )
    pictures = [colour(channel) for channel in range(3)]
    labels = [one.labels for one in run_labeller(model, pictures)]  # type: ignore[arg-type]
    assert [[(label.kind, label.category) for label in found] for found in labels] == [
        [("category", "warm")], [("category", "cool")], [("category", "cool")]
    ]  # fmt: skip
    assert model.labels([0.2, 0.4, 0.4], independent=False)[0].score == 0.8  # type: ignore[union-attr]
    assert model.labels([0.2, 0.4, 0.4], independent=True) == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("normalise", [True, False])
def test_vectors_of_like_pictures_are_near(normalise: bool, checkpoint: Folders) -> None:
    model = from_settings({"name": "embedder", "model": str(checkpoint("colour_clip")), "normalise": normalise})
    vectors = [one.vector for one in run_labeller(model, [colour(0), colour(0, 1), colour(1), colour(1, 1)])]  # type: ignore[arg-type]
    unit = np.stack([vector / np.linalg.norm(vector) for vector in vectors if vector is not None])
    near = unit @ unit.T
    assert near[0, 1] > max(near[0, 2], near[0, 3])
    assert near[2, 3] > max(near[0, 2], near[1, 2])
    assert np.allclose(np.stack(vectors), unit, atol=1e-4) == normalise  # type: ignore[arg-type]


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_pooling(pooling: str, checkpoint: Folders) -> None:
    import torch

    model = labeller(checkpoint, "dinov2", pooling=pooling, normalise=False)
    loaded = model.load("AutoModel", "AutoImageProcessor")
    picture = make_inputs(1)
    with torch.inference_mode():
        tokens = loaded.model(**loaded.processor(images=[picture[0].image], return_tensors="pt")).last_hidden_state[0].numpy()
    (one,) = run_labeller(model, picture)
    assert np.allclose(one.vector, tokens[0] if pooling == "first" else tokens.mean(axis=0), atol=2e-5)


def test_a_caption_is_what_the_model_writes(checkpoint: Folders) -> None:
    model = labeller(checkpoint, "talking_llava")
    (one,) = run_labeller(model, make_inputs(1))
    assert [(label.kind, label.text) for label in one.labels] == [("caption", "a red ship .")]
    assert one.usage["tokens_out"] == 5  # four words and the end
    assert one.usage["tokens_in"] > 5  # the picture's tokens and the question's
    cut = labeller(checkpoint, "talking_llava", max_tokens=3)
    assert [one.labels for one in run_labeller(cut, make_inputs(1))] == [()]


def test_a_request_names_the_kind_of_picture_and_may_differ_within_a_batch(checkpoint: Folders) -> None:
    model = labeller(checkpoint, "talking_llava")
    kinds = [make_inputs(1)[0]._replace(sensor=sensor) for sensor in SENSOR_NAMES]
    found = run_labeller(model, kinds)
    assert [[label.text for label in one.labels] for one in found] == [["a red ship ."]] * 3
    assert len({one.usage["tokens_in"] for one in found}) > 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One. Two", "One."),
        ("A port. Is it? Ye", "A port. Is it?"),
        ("no end", ""),
        ("3.5 m", ""),
        ("At 3.5 m. T", "At 3.5 m."),
    ],
)
def test_an_unfinished_caption_loses_its_unfinished_sentence(text: str, kept: str) -> None:
    assert finished_sentences(text) == kept


def test_answers_are_labels_of_their_questions(checkpoint: Folders) -> None:
    questions = ["How many ?", "What colour ?"]
    model = labeller(checkpoint, "talking_llava", name="answerer", questions=questions)
    for one in run_labeller(model, make_inputs(2)):
        assert [(label.kind, label.text, label.category) for label in one.labels] == [
            ("question", question, "a red ship") for question in questions
        ]
    long = Answer("so many words that it never", False, 5, 16)
    assert model.labels([long, Answer("Two.", True, 5, 2)])[0].category == "Two"  # type: ignore[attr-defined]


def test_an_outline_is_the_models_own_mask(checkpoint: Folders) -> None:
    import torch
    from rasterio.features import rasterize

    model = labeller(checkpoint, "sam", simplify_px=0)
    place = (12.0, 8.0, 52.0, 40.0)
    picture = make_inputs(1)[0]._replace(labels=(box(place), box(place, (12.0, 8.0, 52.0, 8.0, 52.0, 40.0))))
    (one,) = run_labeller(model, [picture])
    (label,) = one.labels  # the second box has a polygon
    loaded = model.load("AutoModelForMaskGeneration")
    inputs = loaded.processor(picture.image, input_boxes=[[list(place)]], return_tensors="pt")
    sizes = (inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes"))
    with torch.inference_mode():
        output = loaded.model(**inputs, multimask_output=False)
    (masks,) = loaded.processor.post_process_masks(output.pred_masks, *sizes)
    mask = np.zeros(picture.size, bool)
    mask[8:40, 12:52] = masks[0, 0].numpy()[8:40, 12:52]
    assert (label.kind, label.category, label.shape is not None and label.shape.box) == ("fact", "outline", place)
    drawn = rasterize([to_geometry(label.shape.area_parts)], picture.size).astype(bool)  # type: ignore[union-attr]
    assert (drawn == mask).all()


def test_outlines_of_known_masks() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:10, 3:9] = True
    mask[6:10, 9:14] = True  # an L
    mask[15:17, 15:17] = True  # apart and smaller
    mask[4:6, 5:7] = False  # a hole
    whole = outline(mask, (0, 0, 20, 20), 0.0)
    assert (parts_area(whole), sorted(map(len, whole))) == (6 * 8 + 4 * 5 + 4 - 4, [1, 2])
    assert [len(part) for part in outline(mask, (0, 0, 20, 20), 1.5)] == [1]  # too small for that coarseness
    (((*ring,),),) = outline(mask, (3, 6, 9, 10), 1.0)
    assert sorted(zip(ring[::2], ring[1::2], strict=True)) == [(3, 6), (3, 10), (9, 6), (9, 10)]
    assert parts_bounds(outline(mask, (2.5, 1.5, 8.5, 5.5), 0.0))[2] == 8.5  # never beyond the box
    assert outline(mask, (15, 2, 19, 6), 0.0) == ()


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ("red ship", "red ship"),
        ("ship .", "red ship"),
        ("plane [SEP]", "blue plane"),
        ("red ship . plane", None),
        ("", None),
        ("[SEP]", None),
        ("a", None),
    ],
)
def test_the_words_of_a_model_are_one_phrase_or_none(said: str, phrase: str | None) -> None:
    assert matching_phrase(said, list(ASKED)) == phrase
    assert matching_phrase("ship", ["cargo ship", "ship"]) == "ship"
    assert matching_phrase("ship", ["cargo ship", "war ship"]) is None


@pytest.mark.parametrize(
    ("family", "settings", "message"),
    [
        ("detr", {"name": "detektor"}, "did you mean 'detector'"),
        ("detr", {"threshold": 2}, "threshold"),
        ("detr", {"workers": [3, 1]}, "the least must not be above the most"),
        ("detr", {"checkpoint": ["a", "b"]}, "unknown key"),
        ("owlv2", {"categories": {}}, "give what to look for"),
        ("owlv2", {"categories": {"a ship.": "ship"}}, "no full stop"),
        ("clip", {"categories": {"a ship": "ship"}}, "at least two phrases"),
        ("clip", {"template": "a photo"}, "template is 'a photo'"),
        ("talking_llava", {"name": "answerer", "max_tokens": 3}, "questions is empty"),
    ],
)
def test_wrong_settings_are_refused(family: str, settings: dict[str, Any], message: str, checkpoint: Folders) -> None:
    with pytest.raises(ConfigError, match=message):
        labeller(checkpoint, family, **settings)


def test_a_class_that_the_model_does_not_know_is_refused(checkpoint: Folders) -> None:
    with pytest.raises(ConfigError, match=r"'boat', which .* does not know; its classes: plane, ship"):
        labeller(checkpoint, "detr", categories={"boat": "ship"}).open()
